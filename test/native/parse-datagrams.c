/* Says of each datagram on stdin (its length in two octets, network order, then itself) what the data path reads in it. A
 * line each: what the message is, and where it holds its Ns. Places are offsets in the datagram. */
#include <stdio.h>
#include <stdlib.h>

#include "l2tp-data.h"

/* The sanitizer stops at an octet outside. */
static void touch(const uint8_t *octets, size_t length) {
  static volatile uint8_t sum;
  for (size_t i = 0; i < length; i++) sum += octets[i];
}

static void say_message(const uint8_t *bytes, size_t length) {
  struct l2tp_message message;
  struct ppp_packet packet;
  if (!l2tp_parse(&message, bytes, length)) {
    printf("nothing");
    return;
  }
  if (message.control) {
    printf("control");
    return;
  }
  printf("data %u %u ", message.ids.tunnel, message.ids.session);
  if (message.numbered) printf("%u", message.ns);
  else printf("-");
  printf(" %td %zu", message.frame - bytes, message.length);
  touch(message.frame, message.length);
  if (!ppp_parse(&packet, message.frame, message.length)) return;
  printf(" ppp %u %td %zu", packet.protocol, packet.payload - bytes, packet.length);
  touch(packet.payload, packet.length);
}

static void say_ns(uint8_t *bytes, size_t length) {
  struct l2tp_ids ids;
  uint8_t *ns = l2tp_find_ns(bytes, length, &ids);
  if (ns == NULL) return;
  printf(" ns %u %u %td", ids.tunnel, ids.session, ns - bytes);
  l2tp_put16(ns, 0xffff); /* as sending does */
}

static void say_tunnel(const uint8_t *bytes, size_t length) {
  bool control = false;
  int32_t tunnel = l2tp_tunnel_of(bytes, length, &control);
  if (tunnel >= 0) printf(" tunnel %d %d", tunnel, control);
}

int main(void) {
  /* The line before the one that is missing is the last that went well. */
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  for (int high = getchar(); high != EOF; high = getchar()) {
    size_t length = (size_t)high << 8 | (size_t)getchar();
    uint8_t *bytes = malloc(length);
    if (bytes == NULL || fread(bytes, 1, length, stdin) != length) return 2;
    say_message(bytes, length);
    say_tunnel(bytes, length);
    say_ns(bytes, length);
    printf("\n");
    free(bytes);
  }
  return 0;
}
