/* Node-API: functions in C that JavaScript calls, functions of JavaScript that C calls, and what C holds of either. */
#include <stdlib.h>

#include "node-api.h"

struct function {
  napi_callback run;
  void *data;
};

struct napi_callback_info__ {
  JSValueConst self;
  int count;
  JSValueConst *arguments;
  void *data;
};

struct napi_ref__ {
  JSValue value;
  struct napi_ref__ *next, **link; /* the next one, and what leads to this one */
};

static struct napi_ref__ *references;

static JSClassID function_class;

static void on_collected(JSRuntime *runtime, JSValue value) {
  js_free_rt(runtime, JS_GetOpaque(value, function_class));
}

bool node_api_functions_start(JSContext *context) {
  JS_NewClassID(&function_class);
  return JS_NewClass(JS_GetRuntime(context), function_class, &(JSClassDef){"NativeFunction", .finalizer = on_collected}) == 0;
}

static JSValue call(JSContext *context, JSValueConst self, int count, JSValueConst *arguments, int magic, JSValue *data) {
  (void)magic;
  napi_env env = &node_api;
  struct function *function = JS_GetOpaque(*data, function_class);
  struct napi_callback_info__ info = {self, count, arguments, function->data};
  size_t scope = node_api_open_scope(env);
  napi_value handle = function->run(env, &info);
  JSValue result = JS_DupValue(context, node_api_value(env, handle));
  node_api_close_scope(env, scope);
  if (!node_api_is_pending(env)) return result;
  JSValue exception = env->exception;
  env->exception = JS_UNINITIALIZED;
  JS_FreeValue(context, result);
  return JS_Throw(context, exception);
}

napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback run, void *data, napi_value *result) {
  JSContext *context = env->context;
  if (node_api_is_pending(env)) return napi_pending_exception;
  struct function *function = js_malloc(context, sizeof *function);
  if (function == NULL) return node_api_thrown(env);
  JSValue holder = JS_NewObjectClass(context, function_class);
  if (JS_IsException(holder)) {
    js_free(context, function);
    return node_api_thrown(env);
  }
  *function = (struct function){run, data};
  JS_SetOpaque(holder, function);
  JSValue value = JS_NewCFunctionData(context, call, 0, 0, 1, &holder);
  JS_FreeValue(context, holder);
  if (JS_IsException(value)) return node_api_thrown(env);
  JSValue text = length == NAPI_AUTO_LENGTH ? JS_NewString(context, name) : JS_NewStringLen(context, name, length);
  JS_DefinePropertyValueStr(context, value, "name", text, JS_PROP_CONFIGURABLE);
  return node_api_result(env, value, result);
}

/* What was not given is undefined; `count` says how many were. */
napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments, napi_value *self,
                             void **data) {
  if (count != NULL && arguments != NULL) {
    for (size_t i = 0; i < *count; i++) {
      bool given = i < (size_t)info->count;
      napi_status status = node_api_result(env, given ? JS_DupValue(env->context, info->arguments[i]) : JS_UNDEFINED, &arguments[i]);
      if (status != napi_ok) return status;
    }
  }
  if (count != NULL) *count = info->count;
  if (data != NULL) *data = info->data;
  return self == NULL ? napi_ok : node_api_result(env, JS_DupValue(env->context, info->self), self);
}

#define MOST_ARGUMENTS 8

napi_status napi_call_function(napi_env env, napi_value self, napi_value function, size_t count, const napi_value *arguments,
                               napi_value *result) {
  JSValueConst values[MOST_ARGUMENTS];
  JSValueConst callee = node_api_value(env, function);
  if (node_api_is_pending(env)) return napi_pending_exception;
  if (!JS_IsFunction(env->context, callee) || count > MOST_ARGUMENTS) return napi_invalid_arg;
  /* Copied, since the handles may move while it runs. */
  for (size_t i = 0; i < count; i++) values[i] = node_api_value(env, arguments[i]);
  JSValue value = JS_Call(env->context, callee, node_api_value(env, self), count, values);
  if (JS_IsException(value)) return node_api_thrown(env);
  if (result != NULL) return node_api_result(env, value, result);
  JS_FreeValue(env->context, value);
  return napi_ok;
}

/* Strong ones alone, which is all that anybody makes here. */
napi_status napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *result) {
  JSValueConst held = node_api_value(env, value);
  if (count != 1) return napi_invalid_arg;
  if (!JS_IsObject(held)) return napi_invalid_arg;
  struct napi_ref__ *reference = malloc(sizeof *reference);
  if (reference == NULL) return napi_generic_failure;
  *reference = (struct napi_ref__){JS_DupValue(env->context, held), references, &references};
  if (references != NULL) references->link = &reference->next;
  references = reference;
  *result = reference;
  return napi_ok;
}

napi_status napi_get_reference_value(napi_env env, napi_ref reference, napi_value *result) {
  return node_api_result(env, JS_DupValue(env->context, reference->value), result);
}

napi_status napi_delete_reference(napi_env env, napi_ref reference) {
  *reference->link = reference->next;
  if (reference->next != NULL) reference->next->link = reference->link;
  JS_FreeValue(env->context, reference->value);
  free(reference);
  return napi_ok;
}

void node_api_functions_end(void) {
  while (references != NULL) napi_delete_reference(&node_api, references);
}
