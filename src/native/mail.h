/* Mail carries what arrived from the native threads to JS, many messages with one call.
 *
 * No more than a few dozen messages are handed over in one turn of the event loop, a few from each mailbox after the other,
 * and those of a peer are limited to what any peer has to say: so no flood holds up timers, or other mailboxes.
 *
 * A mailbox has two buffers: threads append to the one, JS reads the other, and only swapping them takes the
 * lock. So a JS thread that pauses (garbage collection) never holds up a thread that posts, and a quiet mailbox touches only
 * its first pages. What does not fit stays in the kernel (reactor) or is dropped by the data path, which counts it. */
#ifndef LIFELINE_MAIL_H
#define LIFELINE_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "napi.h"
#include "rate.h"
#include "reactor.h"

struct mailbox {
  uint8_t *filling, *draining;
  size_t capacity, used;
  size_t drained, to_drain; /* JS thread: how far JS has read, and what there is to read */
  bool full;   /* the reactor waits until JS has emptied it */
  bool listed; /* there is mail for JS */
  struct mailbox *next;
  napi_ref callback;    /* JS thread: takes the messages, an array at a time */
  struct watch *source; /* pauses while the mailbox is full */
  int last_error;
  int64_t last_error_at; /* monotonic ms */
  struct rate rate;      /* of messages; of no limit if it is zero */
  struct rate errors;
};

/* Where an error comes from: this machine, or an ICMP message about a datagram of ours, which anyone can forge. */
struct mail_error {
  int error;
  const union address *offender; /* NULL: this machine */
  const uint8_t *quote;          /* what the ICMP message quotes of the datagram, behind the UDP header */
  size_t quote_length;
};

/* A mailbox of `capacity` octets for what is read from `source`; false without memory. */
bool mailbox_create(struct mailbox *mailbox, size_t capacity, struct watch *source);
void mailbox_destroy(struct mailbox *mailbox);

/* Before any other; once for each environment. */
napi_status mail_start(napi_env env);

/* Whether waiting for mail keeps the event loop alive. JS thread. */
void mail_keep_alive(napi_env env, bool keep);

/* Any thread: hands a message to JS. `number` is a port or a hop limit. False if the mailbox is full, or the sender sends
 * more than its share. */
bool mail_post(struct mailbox *mailbox, const void *bytes, size_t length, const union address *from, uint32_t number);

/* Any thread: hands an errno number to JS; the same one is reported at most every 200 ms, all of them a few times a second. */
void mail_post_error(struct mailbox *mailbox, int error);

/* The same for an error whose origin is known; JS judges whether it is about us, so it is not held back by an equal one. */
void mail_post_icmp_error(struct mailbox *mailbox, const struct mail_error *error);

/* Reactor, after mail_has_room: tells JS each time that messages were lost, as ENOBUFS. */
void mail_post_loss(struct mailbox *mailbox);

/* Reactor: whether any message fits, and a loss after it. If not, the source is not polled again before JS has emptied the mailbox. */
bool mail_has_room(struct mailbox *mailbox);

/* The monotonic clock in microseconds. */
int64_t mail_now_us(void);

/* JS thread, after no thread posts to it any more: forgets its mail and frees its buffers. It takes none now. */
void mail_close(struct mailbox *mailbox);

#endif
