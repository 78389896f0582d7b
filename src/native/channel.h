/* A channel is a file descriptor whose arrivals go to a JS callback: a socket or a TUN device.
 *
 * Threads: JS opens, uses and closes channels. A channel is read by the reactor thread, or, while it is lent, by the thread
 * of its borrower; never by both, and moving it from one to the other waits for the reader to let go. */
#ifndef LIFELINE_CHANNEL_H
#define LIFELINE_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "mail.h"
#include "napi.h"
#include "reactor.h"

/* Reads that one turn of a thread makes before it looks at what else there is to do. */
#define READS_PER_TURN 64

enum channel_kind { CHANNEL_DATAGRAM, CHANNEL_ICMP, CHANNEL_NETLINK, CHANNEL_TCP, CHANNEL_TUN };

struct channel {
  enum channel_kind kind;
  int fd; /* -1 once closed */
  /* Called by the reactor when there may be something to read; asks first whether the mailbox has room. False: nothing
   * will ever come again. */
  bool (*read)(struct channel *channel, uint8_t *buffer);
  struct watch watch; /* with which the reactor reads it */
  struct mailbox mailbox;

  /* Owned by the JS thread. */
  void *borrower;                     /* who reads it in the reactor's place; NULL: the reactor does */
  void (*reclaim)(void *borrower);    /* has the borrower give it back */
  struct channel *next_open, *previous_open;
};

/* Makes a zeroed structure of `size` octets that begins with a channel, with a mailbox of `capacity` octets; NULL
 * without memory. It has no descriptor yet. */
struct channel *channel_create(enum channel_kind kind, size_t size, size_t capacity);

/* Gives the channel its descriptor and lets the reactor read it. Returns the handle for JS, or a negative errno number
 * after which the channel is gone. */
napi_value channel_open(napi_env env, struct channel *channel, int fd, napi_value callback);

/* For the way out of a failed open. */
napi_value channel_refuse(napi_env env, struct channel *channel, int error);

/* The channel behind a handle if it is of this kind; otherwise NULL, and an exception is pending. It may be closed. */
struct channel *channel_from(napi_env env, napi_value handle, enum channel_kind kind);

/* Closes and forgets what has not been delivered; may be called twice. `env` is NULL when the environment ends. */
void channel_close(napi_env env, struct channel *channel);

/* JS thread. Once it returns 0 the reactor does not touch the channel any more, and `borrower` may read it. `reclaim` is called
 * when the channel is closed, and has the borrower give it back. EBADF if it is closed, EBUSY if it is lent already. */
int channel_lend(struct channel *channel, void *borrower, void (*reclaim)(void *borrower));

/* JS thread. The borrower reads the channel no longer: the reactor does again. */
void channel_give_back(struct channel *channel);

/* When the environment ends. */
void channel_close_all(void);

/* JS: close(handle) */
napi_value js_close(napi_env env, napi_callback_info info);

#endif
