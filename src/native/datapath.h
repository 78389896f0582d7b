/* The data path of one session: a thread that carries its IP packets between the TUN device and the UDP socket, so that a
 * pause of JS costs no packet. This is the plain rung: packet by packet. */
#ifndef LIFELINE_DATAPATH_H
#define LIFELINE_DATAPATH_H

#include "datagram.h"
#include "l2tp-data.h"
#include "tun.h"

struct session {
  union address peer;
  struct l2tp_ids local, remote;
  uint32_t mtu; /* octets of the largest inner packet */
  bool sequencing, ipv4, ipv6;
};

struct datapath;

/* JS thread. Borrows the device and the socket, until it is stopped or one of the two is closed. Returns 0 or an errno number. */
int datapath_start(struct tun *tun, struct datagram *socket, const struct session *session);

/* JS thread: what carries the packets of this device; NULL: nothing does. */
struct datapath *datapath_of(struct tun *tun);

/* JS thread: takes effect with the thread's next turn. */
void datapath_change(struct datapath *path, const struct session *session);

/* JS thread: returns when the thread has ended; the path is gone then. */
void datapath_stop(struct datapath *path);

#endif
