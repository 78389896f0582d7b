/* What all IP sockets share: how they are opened and read. */
#ifndef LIFELINE_SOCKET_H
#define LIFELINE_SOCKET_H

#include "address.h"
#include "channel.h"

/* A non-blocking socket with buffers of 512 KB (the kernel's own count is twice that). Negative errno on failure. */
int socket_open(int domain, int type, int protocol);

/* Errors of the whole path are reported, fragments are allowed, family 6 means IPv6 only. 0 or an errno number. */
int socket_prepare(int fd, int domain);

/* What is sent may be fragmented, at the MTU of the device: what ICMP messages say of the path's MTU, which anyone can forge
 * who knows the addresses and ports, neither counts for this socket nor is remembered for its sake. 0 or an errno number. */
int socket_ignore_path_mtu(int fd, int domain);

/* Binds to a device (empty: none) and to a local address. 0 or an errno number. */
int socket_bind(int fd, const char *device, const union address *local);

/* Marks the packets that are sent; 0 leaves them alone. 0 or an errno number. */
int socket_mark(int fd, int mark);

int socket_set(int fd, int level, int option, int value);

/* Sends; an error that an earlier packet caused does not keep this one back. 0 or an errno number. */
int socket_send(int fd, const void *bytes, size_t length, const union address *to);

/* Reports what the error queue holds. */
void socket_drain_errors(struct channel *channel);

#endif
