/* Child processes: started without a shell, their output read as it comes, their end told once. */
#ifndef LIFELINE_PROGRAMS_H
#define LIFELINE_PROGRAMS_H

#include <stdbool.h>

#include "js.h"

/* Those that are bound to this process are killed when it exits. */
bool programs_start(JSContext *context);

/* JS: start(candidates, args, environment, folder, input, leads, bound, told): Program | outcome
 * The first of the candidates that is there is run; arguments begin with the name, `environment` is a list of NAME=VALUE,
 * `folder` may be empty. `told(what, value)`: 1 output, 2 complaint, with octets; 3 ended by itself, with its status, or 4 by
 * a signal, with its number; 5 it and its output have ended. */
JSValue js_start_program(JS_ARGUMENTS);

/* JS: signalProgram(program, number): sends SIGTERM (15) or SIGKILL (9) */
JSValue js_signal_program(JS_ARGUMENTS);

/* JS: releaseProgram(program): does not wait for its output any more */
JSValue js_release_program(JS_ARGUMENTS);

/* JS: signalName(number): string */
JSValue js_signal_name(JS_ARGUMENTS);

#endif
