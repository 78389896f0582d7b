/* Node-API: calls of other threads, which the loop carries out. */
#include <pthread.h>
#include <stdlib.h>

#include "engine.h"
#include "loop.h"
#include "node-api.h"

/* Of one function, in one turn of the loop. */
#define CALLS_PER_TURN 64

struct queued {
  void *data;
  struct queued *next;
};

struct napi_threadsafe_function__ {
  struct post post;
  napi_threadsafe_function_call_js run;
  void *context;
  bool holds; /* main thread: the loop runs on for it */
  pthread_mutex_t lock; /* guards what follows */
  struct queued *first, *last;
  bool closing;
};

/* NULL when there is none. */
static struct queued *take(napi_threadsafe_function function) {
  pthread_mutex_lock(&function->lock);
  struct queued *call = function->first;
  if (call != NULL) function->first = call->next;
  pthread_mutex_unlock(&function->lock);
  return call;
}

static void on_posted(struct post *post) {
  napi_threadsafe_function function = (napi_threadsafe_function)post;
  napi_env env = &node_api;
  for (int i = 0; i < CALLS_PER_TURN; i++) {
    struct queued *call = take(function);
    if (call == NULL) return;
    size_t scope = node_api_open_scope(env);
    function->run(env, NULL, function->context, call->data);
    node_api_close_scope(env, scope);
    free(call);
    if (node_api_is_pending(env)) engine_fail(env->context, env->exception);
    engine_settle(env->context);
  }
  loop_post(post);
}

/* Whoever calls it from now on is told that it is closing; what waits is told that there is no environment any more. It is
 * never freed: a thread that nobody has stopped may still call it. */
static void close_at_end(void *argument) {
  napi_threadsafe_function function = argument;
  pthread_mutex_lock(&function->lock);
  function->closing = true;
  pthread_mutex_unlock(&function->lock);
  for (struct queued *call = take(function); call != NULL; call = take(function)) {
    function->run(NULL, NULL, function->context, call->data);
    free(call);
  }
}

napi_status napi_create_threadsafe_function(napi_env env, napi_value function, napi_value resource, napi_value name,
                                            size_t queue_size, size_t threads, void *finalize_data, napi_finalize finalize,
                                            void *context, napi_threadsafe_function_call_js run,
                                            napi_threadsafe_function *result) {
  (void)resource;
  (void)name;
  (void)finalize_data;
  /* The one form that is used here: an endless queue, of a function in C, with nothing to be done at its end. */
  if (function != NULL || run == NULL || queue_size != 0 || threads == 0 || finalize != NULL) return napi_invalid_arg;
  struct napi_threadsafe_function__ *made = calloc(1, sizeof *made);
  if (made == NULL) return napi_generic_failure;
  made->post.run = on_posted;
  made->run = run;
  made->context = context;
  pthread_mutex_init(&made->lock, NULL);
  if (napi_add_env_cleanup_hook(env, close_at_end, made) != napi_ok) {
    free(made);
    return napi_generic_failure;
  }
  *result = made;
  return napi_ref_threadsafe_function(env, made);
}

napi_status napi_call_threadsafe_function(napi_threadsafe_function function, void *data, napi_threadsafe_function_call_mode mode) {
  (void)mode;
  struct queued *call = malloc(sizeof *call);
  if (call == NULL) return napi_generic_failure;
  *call = (struct queued){data, NULL};
  pthread_mutex_lock(&function->lock);
  bool closing = function->closing;
  if (!closing && function->first == NULL)
    function->first = function->last = call;
  else if (!closing)
    function->last = function->last->next = call;
  pthread_mutex_unlock(&function->lock);
  if (closing) {
    free(call);
    return napi_closing;
  }
  loop_post(&function->post);
  return napi_ok;
}

napi_status napi_ref_threadsafe_function(napi_env env, napi_threadsafe_function function) {
  (void)env;
  if (!function->holds) loop_hold();
  function->holds = true;
  return napi_ok;
}

napi_status napi_unref_threadsafe_function(napi_env env, napi_threadsafe_function function) {
  (void)env;
  if (function->holds) loop_release();
  function->holds = false;
  return napi_ok;
}
