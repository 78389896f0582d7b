/* TCP connections that are opened only to see whether somebody is there. */
#ifndef LIFELINE_TCP_H
#define LIFELINE_TCP_H

#include "napi.h"

/* JS: openTcp(device, localOctets, remoteOctets, remotePort, onArrivals, mark). One arrival comes: a message without octets
 * when the connection stands, or an error. Closing the handle ends the connection, or the attempt. */
napi_value js_open_tcp(napi_env env, napi_callback_info info);

#endif
