/* Names that the system's resolver knows, asked by a thread. */
#ifndef LIFELINE_LOOKUP_H
#define LIFELINE_LOOKUP_H

#include "js.h"

void lookup_start(JSContext *context);

/* JS: lookup(host, done: (addresses | code) => void) */
JSValue js_lookup(JS_ARGUMENTS);

#endif
