/* Files that take the place of others in one step that lasts also when the power fails. Disks take their time: a thread
 * waits for them. */
#ifndef LIFELINE_REPLACE_H
#define LIFELINE_REPLACE_H

#include "js.h"

void replace_start(JSContext *context);

/* JS: replace(path, octets, done: (outcome) => void) */
JSValue js_replace(JS_ARGUMENTS);

#endif
