/* L2TP data messages (RFC 2661 section 3.1) and the PPP header inside them. */
#ifndef LIFELINE_L2TP_DATA_H
#define LIFELINE_L2TP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057

/* The longest header that is written: flags, ids, Ns, Nr, and FF 03 with a protocol of two octets. */
#define L2TP_HEADROOM 14

struct l2tp_ids {
  uint16_t tunnel, session;
};

struct l2tp_message {
  bool control; /* the T bit; then nothing else is filled in */
  struct l2tp_ids ids;
  bool numbered; /* the S bit */
  uint16_t ns;
  const uint8_t *frame; /* the PPP frame */
  size_t length;
};

struct ppp_packet {
  uint16_t protocol;
  const uint8_t *payload;
  size_t length;
};

/* False: cut short, of another version, or with a length that cannot be. */
bool l2tp_parse(struct l2tp_message *message, const uint8_t *bytes, size_t length);

/* The tunnel id in the header of a control or data message; -1 if there is none (RFC 2661 section 3.1). */
int32_t l2tp_tunnel_of(const uint8_t *bytes, size_t length, bool *control);

/* With and without FF 03 and protocol-field compression (RFC 1661 sections 6.5 and 6.6), agreed upon or not. */
bool ppp_parse(struct ppp_packet *packet, const uint8_t *frame, size_t length);

/* Writes the header of an IP packet so that it ends where the packet begins; returns its size. `ns` below zero: without
 * sequence numbers. */
size_t l2tp_write_header(uint8_t *packet, struct l2tp_ids peer, uint16_t protocol, int32_t ns);

/* Where a data message with sequence numbers holds its Ns; NULL for any other message. */
uint8_t *l2tp_find_ns(uint8_t *bytes, size_t length, struct l2tp_ids *ids);

void l2tp_put16(uint8_t *place, uint16_t value);

#endif
