/* The memory of JavaScript: malloc with a limit, which remembers that it was reached. */
#ifndef LIFELINE_MEMORY_H
#define LIFELINE_MEMORY_H

#include <quickjs.h>
#include <stdbool.h>

extern const JSMallocFunctions memory_functions;

/* Whether JavaScript was refused memory: whatever it made of that, it cannot be trusted to go on. */
bool memory_exhausted(void);

/* For those of this folder: the same as if JavaScript was refused it. */
void memory_refused(void);

#endif
