#include "signals.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"

static const struct {
  const char *name;
  int signal;
} names[] = {{"SIGHUP", SIGHUP}, {"SIGINT", SIGINT}, {"SIGTERM", SIGTERM}};

struct listener {
  int signal;
  int32_t number;
  bool called; /* for what came last */
  JSValue run;
  struct listener *next;
};

static struct {
  JSContext *context;
  struct listener *listeners;
  int32_t numbers;
  void (*on_child)(void);
  sigset_t original, waiting;
  volatile sig_atomic_t came[NSIG];
} signals;

static void note(int signal) {
  signals.came[signal] = 1;
}

void signals_start(JSContext *context) {
  signals.context = context;
  pthread_sigmask(SIG_SETMASK, NULL, &signals.original);
  signals.waiting = signals.original;
  signal(SIGPIPE, SIG_IGN);
}

const sigset_t *signals_mask(void) {
  return &signals.waiting;
}

const sigset_t *signals_original(void) {
  return &signals.original;
}

void signals_ours(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
  sigaddset(set, SIGCHLD);
  for (size_t i = 0; i < COUNT_OF(names); i++) sigaddset(set, names[i].signal);
}

static void block(int how, int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(how, &set, NULL);
}

/* It is told apart while the loop waits, and held back otherwise. */
static void begin(int signal) {
  struct sigaction action = {.sa_handler = note, .sa_flags = signal == SIGCHLD ? SA_NOCLDSTOP : 0};
  block(SIG_BLOCK, signal);
  sigdelset(&signals.waiting, signal);
  sigaction(signal, &action, NULL);
}

static void stop(int signal) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigaction(signal, &action, NULL);
  if (!sigismember(&signals.original, signal)) block(SIG_UNBLOCK, signal);
}

static bool is_listened_to(int signal) {
  for (struct listener *each = signals.listeners; each != NULL; each = each->next)
    if (each->signal == signal) return true;
  return false;
}

void signals_on_child(void (*run)(void)) {
  signals.on_child = run;
  begin(SIGCHLD);
}

/* Whoever is called may begin or stop to listen: so the list is looked through anew after each. */
static void call_listeners(int signal) {
  for (struct listener *each = signals.listeners; each != NULL; each = each->next) each->called = each->signal != signal;
  struct listener *each = signals.listeners;
  while (each != NULL) {
    if (each->called) {
      each = each->next;
      continue;
    }
    each->called = true;
    engine_call(signals.context, each->run, 0, NULL);
    each = signals.listeners;
  }
}

void signals_run(void) {
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    int signal = names[i].signal;
    if (!signals.came[signal]) continue;
    signals.came[signal] = 0;
    call_listeners(signal);
  }
  if (signals.came[SIGCHLD]) {
    signals.came[SIGCHLD] = 0;
    signals.on_child();
  }
}

static void forget(JSContext *context, struct listener **link) {
  struct listener *listener = *link;
  *link = listener->next;
  if (!is_listened_to(listener->signal)) stop(listener->signal);
  JS_FreeValue(context, listener->run);
  free(listener);
}

void signals_end(JSContext *context) {
  while (signals.listeners != NULL) forget(context, &signals.listeners);
}

JSValue js_on_signal(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *name = JS_ToCString(context, arguments[0]);
  if (name == NULL) return JS_EXCEPTION;
  int signal = 0;
  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (strcmp(name, names[i].name) == 0) signal = names[i].signal;
  JS_FreeCString(context, name);
  if (signal == 0 || !JS_IsFunction(context, arguments[1])) return JS_ThrowTypeError(context, "not a signal and a function");
  struct listener *listener = malloc(sizeof *listener);
  if (listener == NULL) return JS_ThrowOutOfMemory(context);
  if (!is_listened_to(signal)) begin(signal);
  *listener = (struct listener){signal, ++signals.numbers, true, JS_DupValue(context, arguments[1]), signals.listeners};
  signals.listeners = listener;
  return JS_NewInt32(context, listener->number);
}

JSValue js_off_signal(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  int32_t number = js_int(context, arguments[0]);
  for (struct listener **link = &signals.listeners; *link != NULL; link = &(*link)->next) {
    if ((*link)->number != number) continue;
    forget(context, link);
    break;
  }
  return JS_UNDEFINED;
}
