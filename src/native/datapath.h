/* The data path of one tunnel: a thread that carries the IP packets of its session between the TUN device and the UDP
 * socket, so that a pause of JS costs no packet. This is the plain rung: packet by packet. */
#ifndef LIFELINE_DATAPATH_H
#define LIFELINE_DATAPATH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "channel.h"
#include "l2tp-data.h"
#include "sequence.h"

struct tun;
struct datagram;

struct session {
  union address peer;
  struct l2tp_ids local, remote;
  uint32_t mtu; /* octets of the largest inner packet */
  bool sequencing, ipv4, ipv6;
};

/* Packets and octets are those of inner IP packets. */
struct counters {
  uint64_t rx_packets, rx_octets, rx_dropped;
  uint64_t tx_packets, tx_octets, tx_dropped;
  uint64_t received; /* data messages of the session from its peer, whatever is in them */
};

struct datapath {
  /* Owned by the JS thread. */
  bool running;
  pthread_t thread;
  int wake;
  struct tun *tun;
  struct datagram *socket;

  pthread_mutex_t lock; /* guards what follows; the thread takes it once each turn */
  struct counters published;
  struct session wanted;
  bool changed, stop;

  /* Owned by the thread. */
  struct session session;
  struct counters counters;
  bool peer_numbers;       /* the last data message had sequence numbers */
  struct sequence sequence;
  const uint8_t *held;     /* a message that the full socket did not take; polling the TUN pauses for it */
  size_t held_length, held_octets;
  uint8_t up[L2TP_HEADROOM + MAX_DATAGRAM];
  uint8_t down[MAX_DATAGRAM];
};

void datapath_init(struct datapath *path);

/* JS thread, neither the device nor the socket being read by the reactor. Returns 0 or an errno number. */
int datapath_start(struct datapath *path, struct tun *tun, struct datagram *socket, const struct session *session);

/* JS thread: takes effect with the thread's next turn. */
void datapath_change(struct datapath *path, const struct session *session);

/* JS thread: returns when the thread has ended. */
void datapath_stop(struct datapath *path);

struct counters datapath_counters(struct datapath *path);

/* Packets from the device that no session carries any more; not while the thread runs its turns. */
void datapath_count_discarded(struct datapath *path, uint64_t packets);

#endif
