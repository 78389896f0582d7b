/* What JavaScript has of the system: the module `lifeline:system`, declared in src/host/system/small. */
#ifndef LIFELINE_MODULES_H
#define LIFELINE_MODULES_H

#include <stdbool.h>

#include "js.h"

/* False without memory. */
bool modules_add(JSContext *context);

#endif
