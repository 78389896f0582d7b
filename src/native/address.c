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

bool address_same_host(const union address *a, const union address *b) {
  size_t count, other;
  const uint8_t *first = address_octets(a, &count);
  const uint8_t *second = address_octets(b, &other);
  return count > 0 && count == other && memcmp(first, second, count) == 0;
}

bool address_equal(const union address *a, const union address *b) {
  return address_same_host(a, b) && address_port(a) == address_port(b);
}
