/* Signals reach this process only while its loop waits, so that nothing is ever interrupted in the middle. Who listens to
 * one is called by the loop; the others do what the system does with them by default. */
#ifndef LIFELINE_SIGNALS_H
#define LIFELINE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "js.h"

/* Before any other thread is there. A write to who has gone away becomes an error (EPIPE). */
void signals_start(JSContext *context);

/* The mask while the loop waits. */
const sigset_t *signals_mask(void);

/* Those that child processes begin with: the mask that we were started with, and the signals that we treat in our own way. */
const sigset_t *signals_original(void);
void signals_ours(sigset_t *set);

/* Calls who listens to what came. */
void signals_run(void);

/* From now on this is called after SIGCHLD. */
void signals_on_child(void (*run)(void));

void signals_end(JSContext *context);

/* JS: onSignal(name, run): number */
JSValue js_on_signal(JS_ARGUMENTS);

/* JS: offSignal(number) */
JSValue js_off_signal(JS_ARGUMENTS);

#endif
