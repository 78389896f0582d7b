/* Persistent TUN devices: they outlive sessions and this process. What goes into one that is not lent is dropped. */
#ifndef LIFELINE_TUN_H
#define LIFELINE_TUN_H

#include <pthread.h>

#include "channel.h"

/* Packets and octets are those of inner IP packets. */
struct counters {
  uint64_t rx_packets, rx_octets, rx_dropped;
  uint64_t tx_packets, tx_octets, tx_dropped;
  uint64_t received; /* data messages of sessions from their peers, whatever is in them */
};

struct tun {
  struct channel channel;
  pthread_mutex_t lock;     /* guards what follows */
  struct counters counters; /* since the device was opened; written by whoever reads it */
};

/* Reads one packet: its length, 0 if there is none now, -1 if the device is gone, which JS is told. */
ssize_t tun_read(struct tun *tun, uint8_t *buffer, size_t size);

struct counters tun_counters(struct tun *tun);

/* Reader. */
void tun_publish(struct tun *tun, const struct counters *counters);

/* JS: openTun(name, callback), setCarrier(handle, on), unpersist(handle), counters(handle) */
napi_value js_open_tun(napi_env env, napi_callback_info info);
napi_value js_set_carrier(napi_env env, napi_callback_info info);
napi_value js_unpersist(napi_env env, napi_callback_info info);
napi_value js_counters(napi_env env, napi_callback_info info);

#endif
