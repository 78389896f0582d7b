/* Netlink sockets. What is asked and answered is JS's business; here only bytes pass. */
#ifndef LIFELINE_NETLINK_H
#define LIFELINE_NETLINK_H

#include "napi.h"

/* JS: openNetlink(protocol number, group numbers, callback), sendNetlink(handle, bytes) */
napi_value js_open_netlink(napi_env env, napi_callback_info info);
napi_value js_send_netlink(napi_env env, napi_callback_info info);

#endif
