/* Node-API: values of JavaScript, made and looked at. */
#include <stdlib.h>
#include <string.h>

#include "node-api.h"

struct external {
  void *data, *hint;
  napi_finalize finalize;
};

static JSClassID external_class;

/* The class of Uint8Array; those of the other typed arrays lie beside it as their names do in JSTypedArrayEnum. */
static JSClassID octets_class;

static void on_collected(JSRuntime *runtime, JSValue value) {
  struct external *external = JS_GetOpaque(value, external_class);
  if (external == NULL) return;
  if (external->finalize != NULL) external->finalize(&node_api, external->data, external->hint);
  js_free_rt(runtime, external);
}

bool node_api_values_start(JSContext *context) {
  JSValue octets = js_bytes(context, "", 0);
  if (JS_IsException(octets)) return false;
  octets_class = JS_GetClassID(octets);
  JS_FreeValue(context, octets);
  JS_NewClassID(&external_class);
  return JS_NewClass(JS_GetRuntime(context), external_class, &(JSClassDef){"External", .finalizer = on_collected}) == 0;
}

napi_status napi_get_undefined(napi_env env, napi_value *result) {
  return node_api_result(env, JS_UNDEFINED, result);
}

napi_status napi_get_global(napi_env env, napi_value *result) {
  return node_api_result(env, JS_GetGlobalObject(env->context), result);
}

napi_status napi_create_double(napi_env env, double value, napi_value *result) {
  /* The engine's short form of integers, which most are. */
  bool is_int = value >= INT32_MIN && value <= INT32_MAX && value == (int32_t)value && !(value == 0 && 1 / value < 0);
  return node_api_result(env, is_int ? JS_NewInt32(env->context, value) : JS_NewFloat64(env->context, value), result);
}

napi_status napi_create_object(napi_env env, napi_value *result) {
  return node_api_result(env, JS_NewObject(env->context), result);
}

napi_status napi_create_array(napi_env env, napi_value *result) {
  return node_api_result(env, JS_NewArray(env->context), result);
}

napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result) {
  if (length == NAPI_AUTO_LENGTH) length = strlen(text);
  return node_api_result(env, JS_NewStringLen(env->context, text, length), result);
}

napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t *result) {
  JSValueConst number = node_api_value(env, value);
  if (!JS_IsNumber(number)) return napi_number_expected;
  return JS_ToInt32(env->context, result, number) < 0 ? node_api_thrown(env) : napi_ok;
}

napi_status napi_get_value_bool(napi_env env, napi_value value, bool *result) {
  JSValueConst boolean = node_api_value(env, value);
  if (!JS_IsBool(boolean)) return napi_boolean_expected;
  *result = JS_ToBool(env->context, boolean);
  return napi_ok;
}

/* Half of a surrogate pair is no character: it becomes U+FFFD, which has as many octets. */
static void mend_surrogates(char *text, size_t length) {
  for (size_t i = 0; i + 2 < length; i++)
    if ((uint8_t)text[i] == 0xed && (uint8_t)text[i + 1] >= 0xa0) memcpy(text + i, "\xef\xbf\xbd", 3);
}

/* Of what does not fit, whole characters are copied. */
napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *buffer, size_t size, size_t *result) {
  JSValueConst string = node_api_value(env, value);
  size_t length;
  if (!JS_IsString(string)) return napi_string_expected;
  const char *text = JS_ToCStringLen(env->context, &length, string);
  if (text == NULL) return node_api_thrown(env);
  if (buffer != NULL && size > 0) {
    if (length >= size) {
      length = size - 1;
      while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80) length--;
    }
    memcpy(buffer, text, length);
    buffer[length] = 0;
    mend_surrogates(buffer, length);
  }
  if (result != NULL) *result = length;
  JS_FreeCString(env->context, text);
  return napi_ok;
}

/* Gives what a property holds. Node has a status of its own for a getter or setter that throws, which is pending then. */
static napi_status property_result(napi_env env, JSValue value, napi_value *result) {
  napi_status status = node_api_result(env, value, result);
  return status == napi_pending_exception ? napi_generic_failure : status;
}

static napi_status property_set(napi_env env, int outcome) {
  if (outcome >= 0) return napi_ok;
  node_api_thrown(env);
  return napi_generic_failure;
}

static bool is_object_like(JSValueConst value) {
  return !JS_IsUndefined(value) && !JS_IsNull(value);
}

napi_status napi_get_named_property(napi_env env, napi_value object, const char *name, napi_value *result) {
  JSValueConst of = node_api_value(env, object);
  if (node_api_is_pending(env)) return napi_pending_exception;
  if (!is_object_like(of)) return napi_object_expected;
  return property_result(env, JS_GetPropertyStr(env->context, of, name), result);
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value) {
  JSValueConst of = node_api_value(env, object);
  if (node_api_is_pending(env)) return napi_pending_exception;
  if (!is_object_like(of)) return napi_object_expected;
  JSValue copy = JS_DupValue(env->context, node_api_value(env, value));
  return property_set(env, JS_SetPropertyStr(env->context, of, name, copy));
}

napi_status napi_get_array_length(napi_env env, napi_value value, uint32_t *result) {
  JSValueConst array = node_api_value(env, value);
  if (JS_IsArray(env->context, array) <= 0) return napi_array_expected;
  JSValue length = JS_GetPropertyStr(env->context, array, "length");
  JS_ToUint32(env->context, result, length);
  JS_FreeValue(env->context, length);
  return napi_ok;
}

napi_status napi_get_element(napi_env env, napi_value object, uint32_t index, napi_value *result) {
  JSValueConst of = node_api_value(env, object);
  if (node_api_is_pending(env)) return napi_pending_exception;
  if (!is_object_like(of)) return napi_object_expected;
  return property_result(env, JS_GetPropertyUint32(env->context, of, index), result);
}

napi_status napi_set_element(napi_env env, napi_value object, uint32_t index, napi_value value) {
  JSValueConst of = node_api_value(env, object);
  if (node_api_is_pending(env)) return napi_pending_exception;
  if (!is_object_like(of)) return napi_object_expected;
  JSValue copy = JS_DupValue(env->context, node_api_value(env, value));
  return property_set(env, JS_SetPropertyUint32(env->context, of, index, copy));
}

static void free_octets(JSRuntime *runtime, void *unused, void *octets) {
  (void)unused;
  js_free_rt(runtime, octets);
}

napi_status napi_create_arraybuffer(napi_env env, size_t length, void **data, napi_value *result) {
  if (node_api_is_pending(env)) return napi_pending_exception;
  uint8_t *octets = js_mallocz(env->context, length > 0 ? length : 1);
  if (octets == NULL) return node_api_thrown(env);
  JSValue buffer = JS_NewArrayBuffer(env->context, octets, length, free_octets, NULL, 0);
  if (JS_IsException(buffer)) js_free(env->context, octets);
  if (data != NULL) *data = octets;
  return node_api_result(env, buffer, result);
}

/* Of octets alone, which is all that anybody makes here. */
napi_status napi_create_typedarray(napi_env env, napi_typedarray_type type, size_t length, napi_value arraybuffer, size_t offset,
                                   napi_value *result) {
  if (node_api_is_pending(env)) return napi_pending_exception;
  if (type != napi_uint8_array) return napi_invalid_arg;
  JSValueConst arguments[] = {node_api_value(env, arraybuffer), JS_NewInt64(env->context, offset),
                              JS_NewInt64(env->context, length)};
  return node_api_result(env, JS_NewTypedArray(env->context, COUNT_OF(arguments), arguments, JS_TYPED_ARRAY_UINT8), result);
}

/* -1 for what is no typed array. */
static int array_type(JSValueConst value) {
  JSClassID first = octets_class - JS_TYPED_ARRAY_UINT8;
  JSClassID of = JS_IsObject(value) ? JS_GetClassID(value) : JS_INVALID_CLASS_ID;
  return of >= first && of <= first + JS_TYPED_ARRAY_FLOAT64 ? (int)(of - first) : -1;
}

napi_status napi_is_typedarray(napi_env env, napi_value value, bool *result) {
  *result = array_type(node_api_value(env, value)) >= 0;
  return napi_ok;
}

napi_status napi_get_typedarray_info(napi_env env, napi_value value, napi_typedarray_type *type, size_t *length, void **data,
                                     napi_value *arraybuffer, size_t *offset) {
  static const napi_typedarray_type types[] = {
      [JS_TYPED_ARRAY_UINT8C] = napi_uint8_clamped_array,  [JS_TYPED_ARRAY_INT8] = napi_int8_array,
      [JS_TYPED_ARRAY_UINT8] = napi_uint8_array,           [JS_TYPED_ARRAY_INT16] = napi_int16_array,
      [JS_TYPED_ARRAY_UINT16] = napi_uint16_array,         [JS_TYPED_ARRAY_INT32] = napi_int32_array,
      [JS_TYPED_ARRAY_UINT32] = napi_uint32_array,         [JS_TYPED_ARRAY_BIG_INT64] = napi_bigint64_array,
      [JS_TYPED_ARRAY_BIG_UINT64] = napi_biguint64_array,  [JS_TYPED_ARRAY_FLOAT32] = napi_float32_array,
      [JS_TYPED_ARRAY_FLOAT64] = napi_float64_array,
  };
  JSValueConst array = node_api_value(env, value);
  size_t begin, octets, unit, whole;
  int kind = array_type(array);
  if (kind < 0) return napi_invalid_arg;
  JSValue buffer = JS_GetTypedArrayBuffer(env->context, array, &begin, &octets, &unit);
  if (JS_IsException(buffer)) return node_api_thrown(env);
  uint8_t *start = JS_GetArrayBuffer(env->context, &whole, buffer);
  if (start == NULL) JS_FreeValue(env->context, JS_GetException(env->context));
  if (type != NULL) *type = types[kind];
  if (length != NULL) *length = start == NULL ? 0 : octets / unit;
  if (data != NULL) *data = start == NULL ? NULL : start + begin;
  if (offset != NULL) *offset = begin;
  if (arraybuffer != NULL) return node_api_result(env, buffer, arraybuffer);
  JS_FreeValue(env->context, buffer);
  return napi_ok;
}

napi_status napi_create_external(napi_env env, void *data, napi_finalize finalize, void *hint, napi_value *result) {
  if (node_api_is_pending(env)) return napi_pending_exception;
  struct external *external = js_malloc(env->context, sizeof *external);
  if (external == NULL) return node_api_thrown(env);
  JSValue value = JS_NewObjectClass(env->context, external_class);
  if (JS_IsException(value)) {
    js_free(env->context, external);
    return node_api_thrown(env);
  }
  *external = (struct external){data, hint, finalize};
  JS_SetOpaque(value, external);
  return node_api_result(env, value, result);
}

napi_status napi_get_value_external(napi_env env, napi_value value, void **result) {
  struct external *external = JS_GetOpaque(node_api_value(env, value), external_class);
  if (external == NULL) return napi_invalid_arg;
  *result = external->data;
  return napi_ok;
}
