/* Node-API on QuickJS, as far as src/native uses it: what it does not use is missing, which the linker tells. Each function
 * behaves as Node's, which test/runtime/node-api.test.ts holds both engines to; but finalizers run while memory is
 * collected, and must not touch JavaScript. */
#ifndef LIFELINE_NODE_API_H
#define LIFELINE_NODE_API_H

#include <node_api.h>

#include "js.h"

struct cleanup {
  void (*run)(void *argument);
  void *argument;
  struct cleanup *next;
};

/* There is one environment, as there is one context. */
struct napi_env__ {
  JSContext *context;
  /* A napi_value is its place among these, counted from one; a scope how many there were when it began. */
  JSValue *handles;
  size_t count, room;
  JSValue exception; /* JS_UNINITIALIZED: none */
  struct cleanup *cleanups; /* the last one first */
};

extern struct napi_env__ node_api;

/* False without memory. */
bool node_api_start(JSContext *context);

/* Runs what was to be run at the end. */
void node_api_end(void);

/* A handle that takes the value; NULL without memory. */
napi_value node_api_handle(napi_env env, JSValue value);

JSValueConst node_api_value(napi_env env, napi_value handle);

/* Gives the handle of a value, or the status of what was thrown instead. */
napi_status node_api_result(napi_env env, JSValue value, napi_value *result);

/* For calls that may run JavaScript: makes what it threw the pending exception. */
napi_status node_api_thrown(napi_env env);

static inline bool node_api_is_pending(napi_env env) {
  return !JS_IsUninitialized(env->exception);
}

/* Handles made from now on are forgotten by the end. */
size_t node_api_open_scope(napi_env env);
void node_api_close_scope(napi_env env, size_t scope);

/* False without memory. */
bool node_api_functions_start(JSContext *context);
void node_api_functions_end(void);
bool node_api_values_start(JSContext *context);

/* JS: addon(): the functions of src/native; the same at each call */
JSValue js_addon(JS_ARGUMENTS);

#endif
