#include "l2tp-data.h"

#define FLAG_CONTROL 0x8000
#define FLAG_LENGTH 0x4000
#define FLAG_SEQUENCE 0x0800
#define FLAG_OFFSET 0x0200
#define VERSION_MASK 0x000f
#define VERSION 2

static uint16_t get16(const uint8_t *place) {
  return (uint16_t)(place[0] << 8 | place[1]);
}

void l2tp_put16(uint8_t *place, uint16_t value) {
  place[0] = value >> 8;
  place[1] = value & 0xff;
}

bool l2tp_parse(struct l2tp_message *message, const uint8_t *bytes, size_t length) {
  if (length < 2) return false;
  uint16_t flags = get16(bytes);
  size_t at = 2;
  message->control = (flags & FLAG_CONTROL) != 0;
  if (message->control) return true;
  if ((flags & VERSION_MASK) != VERSION) return false;
  if (flags & FLAG_LENGTH) {
    if (length < 4 || get16(bytes + 2) > length) return false;
    length = get16(bytes + 2);
    at = 4;
  }
  if (length < at + 4) return false;
  message->ids = (struct l2tp_ids){get16(bytes + at), get16(bytes + at + 2)};
  at += 4;
  message->numbered = (flags & FLAG_SEQUENCE) != 0;
  if (message->numbered) {
    if (length < at + 4) return false;
    message->ns = get16(bytes + at);
    at += 4; /* Nr is reserved in data messages */
  }
  if (flags & FLAG_OFFSET) {
    if (length < at + 2) return false;
    at += 2 + get16(bytes + at);
  }
  if (at >= length) return false;
  message->frame = bytes + at;
  message->length = length - at;
  return true;
}

int32_t l2tp_tunnel_of(const uint8_t *bytes, size_t length, bool *control) {
  if (length < 4) return -1;
  uint16_t flags = get16(bytes);
  size_t at = flags & FLAG_LENGTH ? 4 : 2;
  if ((flags & VERSION_MASK) != VERSION || length < at + 2) return -1;
  *control = (flags & FLAG_CONTROL) != 0;
  return get16(bytes + at);
}

bool ppp_parse(struct ppp_packet *packet, const uint8_t *frame, size_t length) {
  size_t at = length >= 2 && frame[0] == 0xff && frame[1] == 0x03 ? 2 : 0;
  if (length < at + 1) return false;
  if (frame[at] == 0xff) return false; /* RFC 1661 section 6.5: no protocol number begins with it */
  /* Only the last octet of a protocol number is odd. */
  if (frame[at] & 1) {
    packet->protocol = frame[at++];
  } else {
    if (length < at + 2 || (frame[at + 1] & 1) == 0) return false;
    packet->protocol = get16(frame + at);
    at += 2;
  }
  packet->payload = frame + at;
  packet->length = length - at;
  return true;
}

size_t l2tp_write_header(uint8_t *packet, struct l2tp_ids peer, uint16_t protocol, int32_t ns) {
  size_t size = ns < 0 ? 10 : 14;
  uint8_t *header = packet - size;
  l2tp_put16(header, VERSION | (ns < 0 ? 0 : FLAG_SEQUENCE));
  l2tp_put16(header + 2, peer.tunnel);
  l2tp_put16(header + 4, peer.session);
  if (ns >= 0) {
    l2tp_put16(header + 6, ns);
    l2tp_put16(header + 8, 0);
  }
  /* Never compressed: every peer must take the full form, whatever it offered. */
  l2tp_put16(packet - 4, 0xff03);
  l2tp_put16(packet - 2, protocol);
  return size;
}

uint8_t *l2tp_find_ns(uint8_t *bytes, size_t length, struct l2tp_ids *ids) {
  if (length < 2) return NULL;
  uint16_t flags = get16(bytes);
  size_t at = flags & FLAG_LENGTH ? 4 : 2;
  if ((flags & FLAG_CONTROL) || !(flags & FLAG_SEQUENCE) || (flags & VERSION_MASK) != VERSION) return NULL;
  if (length < at + 8) return NULL;
  *ids = (struct l2tp_ids){get16(bytes + at), get16(bytes + at + 2)};
  return bytes + at + 4;
}
