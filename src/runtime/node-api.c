#include "node-api.h"

#include <stdlib.h>

#include "engine.h"
#include "memory.h"

/* The one of the addon. */
napi_value napi_register_module_v1(napi_env env, napi_value exports);

struct napi_env__ node_api;

static JSValue addon;

bool node_api_start(JSContext *context) {
  node_api.context = context;
  node_api.exception = JS_UNINITIALIZED;
  addon = JS_UNDEFINED;
  return node_api_functions_start(context) && node_api_values_start(context);
}

void node_api_end(void) {
  while (node_api.cleanups != NULL) {
    struct cleanup *cleanup = node_api.cleanups;
    node_api.cleanups = cleanup->next;
    cleanup->run(cleanup->argument);
    free(cleanup);
  }
  node_api_functions_end();
  JS_FreeValue(node_api.context, addon);
  free(node_api.handles);
  node_api.handles = NULL;
  node_api.room = 0;
}

napi_value node_api_handle(napi_env env, JSValue value) {
  if (env->count == env->room) {
    size_t room = env->room == 0 ? 64 : 2 * env->room;
    JSValue *handles = realloc(env->handles, room * sizeof *handles);
    if (handles == NULL) {
      memory_refused();
      JS_FreeValue(env->context, value);
      return NULL;
    }
    env->handles = handles;
    env->room = room;
  }
  env->handles[env->count++] = value;
  return (napi_value)(uintptr_t)env->count;
}

JSValueConst node_api_value(napi_env env, napi_value handle) {
  size_t place = (uintptr_t)handle;
  return place == 0 || place > env->count ? JS_UNDEFINED : env->handles[place - 1];
}

size_t node_api_open_scope(napi_env env) {
  return env->count;
}

void node_api_close_scope(napi_env env, size_t scope) {
  while (env->count > scope) JS_FreeValue(env->context, env->handles[--env->count]);
}

napi_status node_api_thrown(napi_env env) {
  JS_FreeValue(env->context, env->exception);
  env->exception = JS_GetException(env->context);
  return napi_pending_exception;
}

napi_status node_api_result(napi_env env, JSValue value, napi_value *result) {
  if (JS_IsException(value)) return node_api_thrown(env);
  *result = node_api_handle(env, value);
  return *result == NULL ? napi_generic_failure : napi_ok;
}

napi_status napi_open_handle_scope(napi_env env, napi_handle_scope *result) {
  *result = (napi_handle_scope)(uintptr_t)(node_api_open_scope(env) + 1);
  return napi_ok;
}

napi_status napi_close_handle_scope(napi_env env, napi_handle_scope scope) {
  node_api_close_scope(env, (uintptr_t)scope - 1);
  return napi_ok;
}

napi_status napi_add_env_cleanup_hook(napi_env env, napi_cleanup_hook run, void *argument) {
  struct cleanup *cleanup = malloc(sizeof *cleanup);
  if (cleanup == NULL) return napi_generic_failure;
  *cleanup = (struct cleanup){run, argument, env->cleanups};
  env->cleanups = cleanup;
  return napi_ok;
}

/* The error gets its stack when it is thrown. */
static napi_status throw(napi_env env, JSValue error, const char *code, const char *message) {
  JSContext *context = env->context;
  if (JS_IsException(error)) return node_api_thrown(env);
  JS_DefinePropertyValueStr(context, error, "message", JS_NewString(context, message), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
  if (code != NULL) JS_SetPropertyStr(context, error, "code", JS_NewString(context, code));
  env->exception = error;
  return napi_ok;
}

napi_status napi_throw_error(napi_env env, const char *code, const char *message) {
  if (node_api_is_pending(env)) return napi_pending_exception;
  return throw(env, JS_NewError(env->context), code, message);
}

napi_status napi_throw_type_error(napi_env env, const char *code, const char *message) {
  if (node_api_is_pending(env)) return napi_pending_exception;
  JS_ThrowTypeError(env->context, "%s", message);
  return throw(env, JS_GetException(env->context), code, message);
}

napi_status napi_get_and_clear_last_exception(napi_env env, napi_value *result) {
  JSValue exception = node_api_is_pending(env) ? env->exception : JS_UNDEFINED;
  env->exception = JS_UNINITIALIZED;
  return node_api_result(env, exception, result);
}

napi_status napi_fatal_exception(napi_env env, napi_value error) {
  engine_fail(env->context, node_api_value(env, error));
}

JSValue js_addon(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  (void)arguments;
  napi_env env = &node_api;
  if (JS_IsUndefined(addon)) {
    size_t scope = node_api_open_scope(env);
    napi_value exports = node_api_handle(env, JS_NewObject(context));
    napi_value result = exports == NULL ? NULL : napi_register_module_v1(env, exports);
    if (!node_api_is_pending(env) && result != NULL) addon = JS_DupValue(context, node_api_value(env, result));
    node_api_close_scope(env, scope);
  }
  if (node_api_is_pending(env)) {
    JSValue exception = env->exception;
    env->exception = JS_UNINITIALIZED;
    return JS_Throw(context, exception);
  }
  return JS_IsUndefined(addon) ? JS_ThrowInternalError(context, "the addon does not start") : JS_DupValue(context, addon);
}
