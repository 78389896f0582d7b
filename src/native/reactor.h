/* The reactor is one thread that waits for descriptors and has each read when there is something. */
#ifndef LIFELINE_REACTOR_H
#define LIFELINE_REACTOR_H

#include <stdbool.h>
#include <stdint.h>

/* Octets of the buffer that a reader is given: the largest datagram, and the largest part of a netlink dump. */
#define MAX_DATAGRAM 65536

/* A descriptor that the reactor can read. It begins zeroed; who has it sets `read`, and `events` if need be. */
struct watch {
  uint32_t events; /* what the reactor waits for (epoll); 0 means something to read */
  /* Reactor: there may be something to read. False: nothing will ever come again. */
  bool (*read)(struct watch *watch, uint8_t *buffer);

  /* Owned by the reactor. */
  int fd;
  uint64_t token; /* 0: it is not read */
  struct watch *next;
};

/* JS thread. Starts the reactor if need be. Returns 0 or an errno number. */
int reactor_add(struct watch *watch, int fd);

/* JS thread. When it returns, the reactor does not touch the descriptor any more. */
void reactor_remove(struct watch *watch);

/* Stop and go on polling; the caller holds the lock of the mail. */
void reactor_pause(struct watch *watch);
void reactor_resume(struct watch *watch);

/* When the environment ends; after all channels are closed. */
void reactor_stop(void);

#endif
