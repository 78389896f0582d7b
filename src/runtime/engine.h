/* The engine: one context of QuickJS in this process, and calls into it from the loop. An error that nobody catches, a
 * rejected promise that nobody awaits and a want of memory end the process, after saying so. */
#ifndef LIFELINE_ENGINE_H
#define LIFELINE_ENGINE_H

#include <stddef.h>

#include "js.h"

/* Its context, with a limit of octets for all that JavaScript holds; NULL without memory. */
JSContext *engine_start(size_t limit);

/* Frees all of it, after the last call. */
void engine_end(JSContext *context);

/* Runs a module of bytecode. Its imports are `lifeline:system` alone. */
void engine_run(JSContext *context, const uint8_t *bytecode, size_t length);

/* From the loop: calls a function, lets go of the arguments, and does all that promises made due by it. */
void engine_call(JSContext *context, JSValueConst function, int count, JSValue *arguments);

/* From the loop, after JavaScript was called in another way: does all that promises made due by it. */
void engine_settle(JSContext *context);

/* Ends the process for an error of JavaScript that nobody caught. */
_Noreturn void engine_fail(JSContext *context, JSValueConst error);

#endif
