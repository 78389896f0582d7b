#include "timers.h"

#include <math.h>
#include <stdlib.h>

#include "engine.h"

/* One reference is JavaScript's, one the heap's while it is set. */
struct timer {
  int64_t due; /* ns, by CLOCK_MONOTONIC */
  uint64_t number; /* counts up: those of one time ring in the order in which they were set */
  size_t place;
  JSValue run;
  int references;
  bool set;
};

static struct {
  JSContext *context;
  struct timer **heap; /* the earliest first; each one before those at twice its place, counted from one */
  size_t count, room;
  uint64_t numbers;
  int64_t start;
} timers;

static JSClassID timer_class;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void release(struct timer *timer) {
  if (--timer->references == 0) free(timer);
}

static void on_collected(JSRuntime *runtime, JSValue value) {
  (void)runtime;
  struct timer *timer = JS_GetOpaque(value, timer_class);
  if (timer != NULL) release(timer);
}

bool timers_start(JSContext *context) {
  timers.context = context;
  timers.start = now();
  JS_NewClassID(&timer_class);
  return JS_NewClass(JS_GetRuntime(context), timer_class, &(JSClassDef){"Timer", .finalizer = on_collected}) == 0;
}

static bool before(const struct timer *a, const struct timer *b) {
  return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void put(struct timer *timer, size_t place) {
  timers.heap[place] = timer;
  timer->place = place;
}

static void rise(struct timer *timer, size_t place) {
  for (; place > 0 && before(timer, timers.heap[(place - 1) / 2]); place = (place - 1) / 2)
    put(timers.heap[(place - 1) / 2], place);
  put(timer, place);
}

static void sink(struct timer *timer, size_t place) {
  for (size_t child; (child = 2 * place + 1) < timers.count; place = child) {
    if (child + 1 < timers.count && before(timers.heap[child + 1], timers.heap[child])) child++;
    if (!before(timers.heap[child], timer)) break;
    put(timers.heap[child], place);
  }
  put(timer, place);
}

/* Takes it out of the heap, whose reference is the caller's now. */
static void unset(struct timer *timer) {
  struct timer *last = timers.heap[--timers.count];
  timer->set = false;
  if (last == timer) return;
  if (before(last, timer))
    rise(last, timer->place);
  else
    sink(last, timer->place);
}

static bool make_room(void) {
  if (timers.count < timers.room) return true;
  size_t room = timers.room == 0 ? 32 : 2 * timers.room;
  struct timer **heap = realloc(timers.heap, room * sizeof *heap);
  if (heap == NULL) return false;
  timers.heap = heap;
  timers.room = room;
  return true;
}

static JSValue set(JSContext *context, int64_t due, JSValueConst run) {
  if (!JS_IsFunction(context, run)) return JS_ThrowTypeError(context, "a timer wants a function");
  struct timer *timer = make_room() ? calloc(1, sizeof *timer) : NULL;
  if (timer == NULL) return JS_ThrowOutOfMemory(context);
  JSValue handle = JS_NewObjectClass(context, timer_class);
  if (JS_IsException(handle)) {
    free(timer);
    return handle;
  }
  *timer = (struct timer){.due = due, .number = timers.numbers++, .run = JS_DupValue(context, run), .references = 2, .set = true};
  JS_SetOpaque(handle, timer);
  rise(timer, timers.count++);
  return handle;
}

bool timers_patience(struct timespec *patience) {
  if (timers.count == 0) return false;
  int64_t left = timers.heap[0]->due - now();
  if (left < 0) left = 0;
  *patience = (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
  return true;
}

bool timers_pending(void) {
  return timers.count > 0;
}

void timers_run(void) {
  uint64_t end = timers.numbers;
  int64_t time = now();
  while (timers.count > 0) {
    struct timer *timer = timers.heap[0];
    if (timer->due > time || timer->number >= end) return;
    unset(timer);
    JSValue run = timer->run;
    release(timer);
    engine_call(timers.context, run, 0, NULL);
    JS_FreeValue(timers.context, run);
  }
}

void timers_end(JSContext *context) {
  while (timers.count > 0) {
    struct timer *timer = timers.heap[0];
    unset(timer);
    JS_FreeValue(context, timer->run);
    release(timer);
  }
  free(timers.heap);
  timers.heap = NULL;
  timers.room = 0;
}

JSValue js_now(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  (void)arguments;
  return JS_NewFloat64(context, (now() - timers.start) / 1e6);
}

JSValue js_start_of_now(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  (void)arguments;
  return JS_NewFloat64(context, timers.start / 1e6);
}

JSValue js_at(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  double time;
  if (JS_ToFloat64(context, &time, arguments[0]) < 0) return JS_EXCEPTION;
  /* One that is past is due now, behind all that are due already. One beyond all centuries rings never. */
  int64_t soonest = now();
  double due = ceil(time * 1e6) + timers.start;
  if (!(due > soonest)) return set(context, soonest, arguments[1]);
  return set(context, due < 9e18 ? (int64_t)due : INT64_MAX, arguments[1]);
}

JSValue js_cancel(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct timer *timer = JS_GetOpaque2(context, arguments[0], timer_class);
  if (timer == NULL) return JS_EXCEPTION;
  if (timer->set) {
    unset(timer);
    JS_FreeValue(context, timer->run);
    release(timer);
  }
  return JS_UNDEFINED;
}

JSValue js_set_immediate(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  return set(context, now(), arguments[0]);
}
