/* IP addresses between octets, as JS has them, and socket addresses. */
#ifndef LIFELINE_ADDRESS_H
#define LIFELINE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

/* From 4 or 16 octets and a port in host order; false for another count. */
bool address_from_octets(union address *address, const uint8_t *octets, size_t count, uint16_t port);

socklen_t address_size(const union address *address);

/* The octets of the IP address; `count` becomes 4 or 16, or 0 for no IP address. */
const uint8_t *address_octets(const union address *address, size_t *count);

/* In host order. */
uint16_t address_port(const union address *address);

/* Same IP address; ports, scopes and flow labels do not count. */
bool address_same_host(const union address *a, const union address *b);

/* Same IP address and port; scopes and flow labels do not count. */
bool address_equal(const union address *a, const union address *b);

#endif
