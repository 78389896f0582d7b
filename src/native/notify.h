/* Notifications to a service manager (sd_notify(3)): one datagram to a unix socket, which Node cannot send. */
#ifndef LIFELINE_NOTIFY_H
#define LIFELINE_NOTIFY_H

#include "napi.h"

/* JS: notify(path, bytes); a path that begins with '@' names an abstract socket. Returns 0 or a negative errno number. */
napi_value js_notify(napi_env env, napi_callback_info info);

#endif
