#include "js.h"

struct octets js_octets(JSContext *context, JSValueConst value) {
  struct octets octets = {NULL, 0};
  size_t offset, length, unit, whole;
  JSValue buffer = JS_GetTypedArrayBuffer(context, value, &offset, &length, &unit);
  if (JS_IsException(buffer)) {
    JS_FreeValue(context, JS_GetException(context));
    return octets;
  }
  const uint8_t *data = unit == 1 ? JS_GetArrayBuffer(context, &whole, buffer) : NULL;
  if (data != NULL && offset + length <= whole) octets = (struct octets){data + offset, length};
  /* The array keeps it. */
  JS_FreeValue(context, buffer);
  return octets;
}

JSValue js_bytes(JSContext *context, const void *data, size_t length) {
  JSValue buffer = JS_NewArrayBufferCopy(context, data, length);
  if (JS_IsException(buffer)) return buffer;
  JSValueConst whole[] = {buffer, JS_UNDEFINED, JS_UNDEFINED};
  JSValue bytes = JS_NewTypedArray(context, COUNT_OF(whole), whole, JS_TYPED_ARRAY_UINT8);
  JS_FreeValue(context, buffer);
  return bytes;
}
