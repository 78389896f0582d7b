/* Short forms of the few Node-API calls that this addon makes. Only our own TypeScript calls it: a wrong argument is
 * our bug and becomes a zero or an exception, never a crash. */
#ifndef LIFELINE_NAPI_H
#define LIFELINE_NAPI_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MAX_ARGUMENTS 8

struct call {
  size_t count;
  napi_value arguments[MAX_ARGUMENTS];
};

struct octets {
  uint8_t *data;
  size_t length;
};

static inline struct call read_call(napi_env env, napi_callback_info info) {
  struct call call = {.count = MAX_ARGUMENTS};
  napi_get_cb_info(env, info, &call.count, call.arguments, NULL, NULL);
  return call;
}

static inline napi_value js_number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static inline int32_t get_int(napi_env env, napi_value value) {
  int32_t result = 0;
  napi_get_value_int32(env, value, &result);
  return result;
}

static inline bool get_bool(napi_env env, napi_value value) {
  bool result = false;
  napi_get_value_bool(env, value, &result);
  return result;
}

/* The contents of a Uint8Array (or Buffer); length 0 for anything else. Valid until control returns to JS. */
static inline struct octets get_octets(napi_env env, napi_value value) {
  struct octets octets = {NULL, 0};
  bool is_typed_array = false;
  napi_typedarray_type type;
  void *data = NULL;
  size_t length = 0;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array) return octets;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok) return octets;
  if (type != napi_uint8_array) return octets;
  octets.data = data;
  octets.length = length;
  return octets;
}

/* Copies a string; false if it is none or does not fit with its terminating zero. */
static inline bool get_string(napi_env env, napi_value value, char *text, size_t size) {
  size_t length = 0;
  text[0] = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok || length >= size) return false;
  return napi_get_value_string_utf8(env, value, text, size, &length) == napi_ok && strlen(text) == length;
}

static inline napi_value get_property(napi_env env, napi_value object, const char *name) {
  napi_value value = NULL;
  napi_get_named_property(env, object, name, &value);
  return value;
}

static inline void set_property(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

#endif
