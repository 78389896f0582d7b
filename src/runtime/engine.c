#include "engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "process.h"
#include "trace.h"

/* Octets of stack for JavaScript; deeper recursion is an error of its own. */
#define STACK (1 << 20)

/* Promises that were rejected while nobody awaited them. Somebody still may, before their turn of the loop is over. */
struct rejection {
  JSValue promise, reason;
  struct rejection *next;
};

static struct rejection *rejections;

static void on_rejection(JSContext *context, JSValueConst promise, JSValueConst reason, JS_BOOL is_handled, void *unused) {
  (void)unused;
  if (!is_handled) {
    struct rejection *rejection = malloc(sizeof *rejection);
    if (rejection == NULL) {
      memory_refused();
      return;
    }
    *rejection = (struct rejection){JS_DupValue(context, promise), JS_DupValue(context, reason), rejections};
    rejections = rejection;
    return;
  }
  for (struct rejection **link = &rejections; *link != NULL; link = &(*link)->next) {
    struct rejection *rejection = *link;
    if (JS_VALUE_GET_PTR(rejection->promise) != JS_VALUE_GET_PTR(promise)) continue;
    *link = rejection->next;
    JS_FreeValue(context, rejection->promise);
    JS_FreeValue(context, rejection->reason);
    free(rejection);
    return;
  }
}

JSContext *engine_start(size_t limit) {
  JSRuntime *runtime = JS_NewRuntime2(&memory_functions, NULL);
  if (runtime == NULL) return NULL;
  JS_SetMemoryLimit(runtime, limit);
  JS_SetMaxStackSize(runtime, STACK);
  JS_SetHostPromiseRejectionTracker(runtime, on_rejection, NULL);
  JSContext *context = JS_NewContextRaw(runtime);
  if (context == NULL) return NULL;
  /* Without the parser: bytecode is all that runs. Regular expressions are made at run time too. */
  JS_AddIntrinsicBaseObjects(context);
  JS_AddIntrinsicDate(context);
  JS_AddIntrinsicStringNormalize(context);
  JS_AddIntrinsicRegExpCompiler(context);
  JS_AddIntrinsicRegExp(context);
  JS_AddIntrinsicJSON(context);
  JS_AddIntrinsicProxy(context);
  JS_AddIntrinsicMapSet(context);
  JS_AddIntrinsicTypedArrays(context);
  JS_AddIntrinsicPromise(context);
  JS_AddIntrinsicWeakRef(context);
  return memory_exhausted() ? NULL : context;
}

void engine_end(JSContext *context) {
  JSRuntime *runtime = JS_GetRuntime(context);
  JS_FreeContext(context);
  JS_FreeRuntime(runtime);
}

static void check_memory(void) {
  if (!memory_exhausted()) return;
  process_say("lifeline: no memory is left for JavaScript\n");
  process_exit(1);
}

void engine_settle(JSContext *context) {
  JSContext *job_context;
  int result;
  while ((result = JS_ExecutePendingJob(JS_GetRuntime(context), &job_context)) > 0) check_memory();
  check_memory();
  if (result < 0) engine_fail(job_context, JS_GetException(job_context));
  if (rejections != NULL) engine_fail(context, rejections->reason);
}

void engine_run(JSContext *context, const uint8_t *bytecode, size_t length) {
  JSValue module = JS_ReadObject(context, bytecode, length, JS_READ_OBJ_BYTECODE);
  if (JS_IsException(module) || JS_ResolveModule(context, module) < 0) {
    check_memory();
    engine_fail(context, JS_GetException(context));
  }
  JSValue result = JS_EvalFunction(context, module);
  if (JS_IsException(result)) {
    check_memory();
    engine_fail(context, JS_GetException(context));
  }
  engine_settle(context);
  JS_FreeValue(context, result);
}

void engine_call(JSContext *context, JSValueConst function, int count, JSValue *arguments) {
  /* The call may be what lets go of it. */
  JSValue held = JS_DupValue(context, function);
  JSValue result = JS_Call(context, held, JS_UNDEFINED, count, arguments);
  for (int i = 0; i < count; i++) JS_FreeValue(context, arguments[i]);
  JS_FreeValue(context, held);
  check_memory();
  if (JS_IsException(result)) engine_fail(context, JS_GetException(context));
  JS_FreeValue(context, result);
  engine_settle(context);
}

void engine_fail(JSContext *context, JSValueConst error) {
  char *text = trace_text(context, error);
  /* One line, as logs want it. */
  for (char *c = text; c != NULL && *c != 0; c++)
    if (*c == '\n') *c = ' ';
  process_say("lifeline: this is a bug: ");
  process_say(text == NULL ? "no memory is left to tell it" : text);
  process_say("\n");
  free(text);
  process_exit(1);
}
