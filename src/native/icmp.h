/* Raw ICMP and ICMPv6 sockets bound to a device. */
#ifndef LIFELINE_ICMP_H
#define LIFELINE_ICMP_H

#include "napi.h"

/* JS: openIcmp(device, source octets, types | undefined, callback), sendIcmp(handle, bytes, octets) */
napi_value js_open_icmp(napi_env env, napi_callback_info info);
napi_value js_send_icmp(napi_env env, napi_callback_info info);

#endif
