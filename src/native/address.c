#include "address.h"

#include <arpa/inet.h>
#include <string.h>

bool address_from_octets(union address *address, const uint8_t *octets, size_t count, uint16_t port) {
  memset(address, 0, sizeof *address);
  if (count == 4) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(port);
    memcpy(&address->v4.sin_addr, octets, 4);
    return true;
  }
  if (count == 16) {
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    memcpy(&address->v6.sin6_addr, octets, 16);
    return true;
  }
  return false;
}

socklen_t address_size(const union address *address) {
  return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

const uint8_t *address_octets(const union address *address, size_t *count) {
  switch (address->any.sa_family) {
    case AF_INET:
      *count = 4;
      return (const uint8_t *)&address->v4.sin_addr;
    case AF_INET6:
      *count = 16;
      return (const uint8_t *)&address->v6.sin6_addr;
    default:
      *count = 0;
      return NULL;
  }
}

uint16_t address_port(const union address *address) {
  return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

bool address_equal(const union address *a, const union address *b) {
  if (a->any.sa_family != b->any.sa_family) return false;
  if (a->any.sa_family == AF_INET)
    return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
  return a->v6.sin6_port == b->v6.sin6_port && memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16) == 0;
}
