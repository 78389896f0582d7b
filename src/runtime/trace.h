/* Where in the TypeScript an error came from: QuickJS knows lines of the bundle, the build where each came from. */
#ifndef LIFELINE_TRACE_H
#define LIFELINE_TRACE_H

#include "js.h"

/* Name, message and stack of an error, a line for each call, as Node tells them; of anything else what it is as a string.
 * To be freed; NULL without memory. */
char *trace_text(JSContext *context, JSValueConst error);

/* JS: trace(error): string */
JSValue js_trace(JS_ARGUMENTS);

#endif
