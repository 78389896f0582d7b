/* Lists of strings as exec(3) wants them. */
#ifndef LIFELINE_STRING_LIST_H
#define LIFELINE_STRING_LIST_H

#include "js.h"

/* A copy of an array of strings, with a NULL behind them; NULL without memory. */
char **string_list(JSContext *context, JSValueConst array);

void string_list_free(char **list);

#endif
