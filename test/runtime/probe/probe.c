/* An addon that shows how an engine behaves under Node-API: each function makes the calls of its name and returns what came of
 * them, statuses as numbers. For test/runtime/node-api.test.ts. */
#include <node_api.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 6
#define RESULTS 8

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value array_of(napi_env env, const napi_value *values, size_t count) {
  napi_value array = NULL;
  napi_create_array(env, &array);
  for (size_t i = 0; i < count; i++)
    if (values[i] != NULL) napi_set_element(env, array, i, values[i]);
  return array;
}

static size_t arguments_of(napi_env env, napi_callback_info info, napi_value *arguments) {
  size_t count = MOST;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  return count;
}

static napi_value echo(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value results[RESULTS] = {0};
  void *data = NULL;
  napi_get_cb_info(env, info, &count, results + 1, &results[4], &data);
  results[0] = number(env, count);
  napi_create_string_utf8(env, data, 4, &results[5]);
  return array_of(env, results, 6);
}

static napi_value numbers(napi_env env, napi_callback_info info) {
  (void)info;
  static const double values[] = {0.0, -0.0, 1.5, 2147483647, 2147483648, -2147483648.0, -2147483649.0, 9007199254740991};
  napi_value results[RESULTS];
  for (size_t i = 0; i < RESULTS; i++) results[i] = number(env, values[i]);
  return array_of(env, results, RESULTS);
}

static napi_value integer(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST];
  int32_t value = -7;
  arguments_of(env, info, arguments);
  napi_value results[] = {number(env, napi_get_value_int32(env, arguments[0], &value)), number(env, value)};
  return array_of(env, results, 2);
}

static napi_value boolean(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST];
  bool value = false;
  arguments_of(env, info, arguments);
  napi_value results[] = {number(env, napi_get_value_bool(env, arguments[0], &value)), number(env, value)};
  return array_of(env, results, 2);
}

/* string(text, size): its length, then the octets that fit */
static napi_value string(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST];
  char buffer[64] = "untouched";
  size_t length = 99, copied = 99;
  int32_t size = 0;
  arguments_of(env, info, arguments);
  napi_get_value_int32(env, arguments[1], &size);
  napi_value results[RESULTS] = {number(env, napi_get_value_string_utf8(env, arguments[0], NULL, 0, &length))};
  napi_get_value_string_utf8(env, arguments[0], buffer, size, &copied);
  results[1] = number(env, length);
  results[2] = number(env, copied);
  for (size_t i = 0; i < 5; i++) results[3 + i] = number(env, (uint8_t)buffer[i]);
  return array_of(env, results, RESULTS);
}

static napi_value octets(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST];
  bool is = false;
  napi_typedarray_type type = -1;
  size_t length = 99, offset = 99;
  void *data = NULL;
  arguments_of(env, info, arguments);
  napi_is_typedarray(env, arguments[0], &is);
  napi_value results[RESULTS] = {number(env, is)};
  napi_status status = is ? napi_get_typedarray_info(env, arguments[0], &type, &length, &data, NULL, &offset) : napi_invalid_arg;
  results[1] = number(env, status);
  results[2] = number(env, type);
  results[3] = number(env, length);
  results[4] = number(env, offset);
  results[5] = number(env, length > 0 && length < 99 && data != NULL ? *(uint8_t *)data : -1);
  return array_of(env, results, 6);
}

/* makeOctets(count, offset, length): of a buffer that begins as zeros, with its place in each */
static napi_value make_octets(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST], buffer, array = NULL;
  int32_t count = 0, offset = 0, length = 0;
  uint8_t *data;
  arguments_of(env, info, arguments);
  napi_get_value_int32(env, arguments[0], &count);
  napi_get_value_int32(env, arguments[1], &offset);
  napi_get_value_int32(env, arguments[2], &length);
  napi_create_arraybuffer(env, count, (void **)&data, &buffer);
  for (int32_t i = 0; i < count; i++) data[i] += i;
  napi_create_typedarray(env, napi_uint8_array, length, buffer, offset, &array);
  return array;
}

static napi_value cleared(napi_env env) {
  napi_value exception = NULL;
  napi_get_and_clear_last_exception(env, &exception);
  return exception;
}

/* property(object, name, value?): [status, value, what was thrown]; sets it first if there is a value */
static napi_value property(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST], results[RESULTS] = {0};
  char name[32];
  size_t count = arguments_of(env, info, arguments);
  napi_get_value_string_utf8(env, arguments[1], name, sizeof name, NULL);
  if (count > 2) {
    results[3] = number(env, napi_set_named_property(env, arguments[0], name, arguments[2]));
    results[4] = cleared(env);
  }
  results[0] = number(env, napi_get_named_property(env, arguments[0], name, &results[1]));
  results[2] = cleared(env);
  return array_of(env, results, 5);
}

/* element(array, index, value?): [status, value, length status, length] */
static napi_value element(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST], results[RESULTS] = {0};
  int32_t index = 0;
  uint32_t length = 99;
  size_t count = arguments_of(env, info, arguments);
  napi_get_value_int32(env, arguments[1], &index);
  if (count > 2) results[4] = number(env, napi_set_element(env, arguments[0], index, arguments[2]));
  results[0] = number(env, napi_get_element(env, arguments[0], index, &results[1]));
  results[2] = number(env, napi_get_array_length(env, arguments[0], &length));
  results[3] = number(env, length);
  return array_of(env, results, 5);
}

static int finalized;

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  finalized += *(int *)data + *(int *)hint;
  free(data);
}

static napi_value external(napi_env env, napi_callback_info info) {
  static int hint = 100;
  napi_value arguments[MOST], result = NULL;
  int *data = malloc(sizeof *data);
  arguments_of(env, info, arguments);
  napi_get_value_int32(env, arguments[0], data);
  napi_create_external(env, data, on_collected, &hint, &result);
  return result;
}

static napi_value external_value(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST];
  void *data = NULL;
  arguments_of(env, info, arguments);
  napi_status status = napi_get_value_external(env, arguments[0], &data);
  napi_value results[] = {number(env, status), number(env, data == NULL ? -1 : *(int *)data)};
  return array_of(env, results, 2);
}

static napi_value finalized_so_far(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, finalized);
}

/* throwError(type, code?, message) */
static napi_value throw_error(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST];
  char type[32], code[32], message[32];
  arguments_of(env, info, arguments);
  napi_get_value_string_utf8(env, arguments[0], type, sizeof type, NULL);
  const char *with = napi_get_value_string_utf8(env, arguments[1], code, sizeof code, NULL) == napi_ok ? code : NULL;
  napi_get_value_string_utf8(env, arguments[2], message, sizeof message, NULL);
  if (strcmp(type, "TypeError") == 0)
    napi_throw_type_error(env, with, message);
  else
    napi_throw_error(env, with, message);
  /* What comes with an exception does not count. */
  return number(env, 5);
}

/* call(function, self, ...): [status, result, what was thrown, status of a call while that was pending] */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST], results[RESULTS] = {0}, ignored;
  size_t count = arguments_of(env, info, arguments);
  napi_status status = napi_call_function(env, arguments[1], arguments[0], count - 2, arguments + 2, &results[1]);
  napi_status again = status == napi_pending_exception ? napi_call_function(env, arguments[1], arguments[0], 0, NULL, &ignored) : napi_ok;
  results[2] = cleared(env);
  results[0] = number(env, status);
  results[3] = number(env, again);
  return array_of(env, results, 4);
}

/* callAndLeave(function): what it throws is left pending */
static napi_value call_and_leave(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST], undefined, result = NULL;
  arguments_of(env, info, arguments);
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, arguments[0], 0, NULL, &result);
  return result;
}

static napi_ref held;

static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST];
  arguments_of(env, info, arguments);
  return number(env, napi_create_reference(env, arguments[0], 1, &held));
}

static napi_value get_held(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  (void)info;
  napi_get_reference_value(env, held, &result);
  return result;
}

static napi_value drop(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, napi_delete_reference(env, held));
}

/* Handles of many scopes at once, of which those outside stay. */
static napi_value scopes(napi_env env, napi_callback_info info) {
  napi_value object, ignored, result = NULL;
  (void)info;
  napi_create_object(env, &object);
  for (int i = 0; i < 1000; i++) {
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    for (int j = 0; j < 10; j++) napi_create_object(env, &ignored);
    napi_set_named_property(env, object, "last", number(env, i));
    napi_close_handle_scope(env, scope);
  }
  napi_get_named_property(env, object, "last", &result);
  return result;
}

static napi_value global(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  (void)info;
  napi_get_global(env, &result);
  return result;
}

static struct {
  napi_threadsafe_function function;
  int count;
} rings;

static void on_ring(napi_env env, napi_value function, void *context, void *data) {
  napi_value undefined, callback, argument, ignored;
  int place = (int)(intptr_t)data;
  if (env == NULL || function != NULL || context != &rings) return;
  napi_get_undefined(env, &undefined);
  napi_get_reference_value(env, held, &callback);
  argument = number(env, place);
  napi_call_function(env, undefined, callback, 1, &argument, &ignored);
  if (place == rings.count) napi_unref_threadsafe_function(env, rings.function);
}

static void *ring(void *unused) {
  for (int i = 1; i <= rings.count; i++) {
    if (i == rings.count) usleep(20000);
    napi_call_threadsafe_function(rings.function, (void *)(intptr_t)i, napi_tsfn_nonblocking);
  }
  return unused;
}

/* later(count): a thread rings so often, and what is held is called; the process lives until the last one */
static napi_value later(napi_env env, napi_callback_info info) {
  napi_value arguments[MOST], name;
  pthread_t thread;
  arguments_of(env, info, arguments);
  napi_get_value_int32(env, arguments[0], &rings.count);
  napi_create_string_utf8(env, "probe", NAPI_AUTO_LENGTH, &name);
  napi_status status =
      napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, &rings, on_ring, &rings.function);
  napi_unref_threadsafe_function(env, rings.function);
  napi_ref_threadsafe_function(env, rings.function);
  pthread_create(&thread, NULL, ring, NULL);
  pthread_detach(thread);
  return number(env, status);
}

static void at_end(void *text) {
  dprintf(1, "at the end: %s\n", (const char *)text);
}

static const struct {
  const char *name;
  napi_callback run;
} functions[] = {
    {"numbers", numbers},         {"integer", integer},     {"boolean", boolean},   {"string", string},
    {"octets", octets},           {"makeOctets", make_octets}, {"property", property}, {"element", element},
    {"external", external},       {"externalValue", external_value}, {"finalized", finalized_so_far}, {"throwError", throw_error},
    {"call", call},               {"callAndLeave", call_and_leave}, {"hold", hold}, {"held", get_held},
    {"drop", drop},               {"scopes", scopes},       {"global", global},     {"later", later},
};

NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  napi_add_env_cleanup_hook(env, at_end, "first");
  napi_add_env_cleanup_hook(env, at_end, "second");
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].run, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  napi_create_function(env, "echoed", 4, echo, "data", &function);
  napi_set_named_property(env, exports, "echo", function);
  return exports;
}
