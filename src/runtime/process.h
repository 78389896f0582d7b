/* This process: what it was started with, its standard streams and its end. */
#ifndef LIFELINE_PROCESS_H
#define LIFELINE_PROCESS_H

#include "js.h"

void process_start(int count, char **arguments);

/* Writes to standard error, whatever becomes of it. */
void process_say(const char *text);

/* Ends this process at once, with what atexit(3) was told. */
_Noreturn void process_exit(int code);

/* JS: process(): { pid, parent, user, args, environment } */
JSValue js_process(JS_ARGUMENTS);

/* JS: output(fd, octets): outcome; when it returns the system has taken all of them */
JSValue js_output(JS_ARGUMENTS);

/* JS: columns(fd): number | undefined */
JSValue js_columns(JS_ARGUMENTS);

/* JS: exit(code): never */
JSValue js_exit(JS_ARGUMENTS);

/* JS: collect(): gives memory back that nobody uses */
JSValue js_collect(JS_ARGUMENTS);

/* JS: random(count): octets of the kernel that cannot be foreseen */
JSValue js_random(JS_ARGUMENTS);

/* JS: text(octets): string, of octets that are UTF-8 */
JSValue js_text(JS_ARGUMENTS);

/* JS: utf8(string): octets */
JSValue js_utf8(JS_ARGUMENTS);

#endif
