/* Errors of the system by their names. */
#ifndef LIFELINE_ERRNO_NAME_H
#define LIFELINE_ERRNO_NAME_H

#include "napi.h"

/* `ENODEV` for ENODEV; NULL for what is no error of this system. */
const char *errno_name(int error);

/* JS: errnoName(error). What has no name is told by its number, as `E9999`. */
napi_value js_errno_name(napi_env env, napi_callback_info info);

#endif
