/* Short forms of what this folder asks of QuickJS. Functions for src/host/system/small return values, or negative errno
 * numbers; only our own TypeScript calls them: a wrong argument is our bug and becomes a zero or an exception, never a crash. */
#ifndef LIFELINE_JS_H
#define LIFELINE_JS_H

#include <errno.h>
#include <quickjs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JS_ARGUMENTS JSContext *context, JSValueConst self, int count, JSValueConst *arguments
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct octets {
  const uint8_t *data;
  size_t length;
};

static inline JSValue js_failed(int error) {
  return JS_NewInt32(NULL, -error);
}

/* Zero, or the errno number of a call that gave -1. */
static inline JSValue js_outcome(int result) {
  return result < 0 ? js_failed(errno) : JS_NewInt32(NULL, 0);
}

static inline int32_t js_int(JSContext *context, JSValueConst value) {
  int32_t number = 0;
  if (JS_ToInt32(context, &number, value) < 0) JS_FreeValue(context, JS_GetException(context));
  return number;
}

/* The contents of a Uint8Array; none of anything else. Valid until JavaScript runs. */
struct octets js_octets(JSContext *context, JSValueConst value);

/* A Uint8Array with a copy of these. */
JSValue js_bytes(JSContext *context, const void *data, size_t length);

/* A module named `lifeline:system` is made of such lists: one for each file. */
#define JS_FUNCTION(name, length, function) JS_CFUNC_DEF(name, length, function)

#endif
