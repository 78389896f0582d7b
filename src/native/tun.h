/* Persistent TUN devices: they outlive sessions and this process. */
#ifndef LIFELINE_TUN_H
#define LIFELINE_TUN_H

#include <net/if.h>

#include "channel.h"
#include "datapath.h"

struct datagram;

struct tun {
  struct channel channel;
  char name[IFNAMSIZ];
  struct datagram *socket; /* JS thread: of the session attached, or NULL */
  struct datapath path;
};

/* Reads one packet: its length, 0 if there is none now, -1 if the device is gone, which JS is told. */
ssize_t tun_read(struct tun *tun, uint8_t *buffer, size_t size);

/* JS: openTun(name, callback), setCarrier(handle, on), unpersist(handle) */
napi_value js_open_tun(napi_env env, napi_callback_info info);
napi_value js_set_carrier(napi_env env, napi_callback_info info);
napi_value js_unpersist(napi_env env, napi_callback_info info);

/* JS thread, session.c: the session's socket goes back to the reactor. */
void tun_detach(struct tun *tun);

#endif
