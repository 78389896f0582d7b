/* Timers of JavaScript. They are deadlines by CLOCK_MONOTONIC, which stands still while the machine sleeps: after that they
 * wait for what was left of them, and none is lost or rings twice, since the clock is looked at anew in each turn. */
#ifndef LIFELINE_TIMERS_H
#define LIFELINE_TIMERS_H

#include <stdbool.h>
#include <time.h>

#include "js.h"

bool timers_start(JSContext *context);

/* How long the loop may wait; false: for ever. */
bool timers_patience(struct timespec *patience);

bool timers_pending(void);

/* Calls those that are due, in the order of their times; those that are set meanwhile wait for the next turn. */
void timers_run(void);

/* Forgets all of them. */
void timers_end(JSContext *context);

/* JS: now(): ms since the start of this process */
JSValue js_now(JS_ARGUMENTS);

/* JS: startOfNow(): ms that CLOCK_MONOTONIC showed then */
JSValue js_start_of_now(JS_ARGUMENTS);

/* JS: at(time, run): Timer */
JSValue js_at(JS_ARGUMENTS);

/* JS: cancel(timer) */
JSValue js_cancel(JS_ARGUMENTS);

/* JS, global: setImmediate(run): Timer */
JSValue js_set_immediate(JS_ARGUMENTS);

#endif
