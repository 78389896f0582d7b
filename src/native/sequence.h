/* Sequence numbers of received data messages (RFC 2661 section 5.4), which may overtake one another. */
#ifndef LIFELINE_SEQUENCE_H
#define LIFELINE_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/* How far behind the newest message one may be and is still taken, if it did not come before. */
#define SEQUENCE_WINDOW 64

/* After so long without any message that was taken, none is on its way any more: an old number is that of a peer that has
 * started anew. */
#define SEQUENCE_PATIENCE_MS 1000

/* All zero before the first message. */
struct sequence {
  bool known;          /* the rest is set */
  uint16_t newest;     /* Ns of the message that is ahead of all others */
  uint64_t seen;       /* bit i: `newest` - i has come */
  int64_t taken_at;    /* when a message was taken last, monotonic ms */
  bool doubted;        /* the last message was refused; `doubtful` is its Ns */
  uint16_t doubtful;
};

/* Whether a message is to be delivered: it is none that came before. Nobody waits for one that is missing, as IP does not
 * mind the order. Two refused messages in a row, the second a little ahead of the first, are from a peer that has started
 * its numbers anew. */
bool sequence_take(struct sequence *sequence, uint16_t ns, int64_t now_ms);

#endif
