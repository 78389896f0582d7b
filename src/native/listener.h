/* Who listens on a unix socket, as the kernel knows it (SO_PEERCRED), which Node cannot ask. */
#ifndef LIFELINE_LISTENER_H
#define LIFELINE_LISTENER_H

#include "napi.h"

/* JS: listener(name, padded); the name of an abstract stream socket, without its zero octet, and whether zeros follow to its
 * full length. Returns { uid, pid } of the process as it was when it began to listen, pid 0 where it is not to be seen from
 * here; or a negative errno number. */
napi_value js_listener(napi_env env, napi_callback_info info);

#endif
