/* A session's way onto and off a data path. */
#ifndef LIFELINE_SESSION_H
#define LIFELINE_SESSION_H

#include "napi.h"

/* JS: attach(tun, socket, session), update(tun, session), detach(tun) */
napi_value js_attach(napi_env env, napi_callback_info info);
napi_value js_update(napi_env env, napi_callback_info info);
napi_value js_detach(napi_env env, napi_callback_info info);

#endif
