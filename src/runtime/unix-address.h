/* Addresses of unix sockets. */
#ifndef LIFELINE_UNIX_ADDRESS_H
#define LIFELINE_UNIX_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "js.h"

/* The address of a path, or of an abstract name that begins with @. Returns 0, or EINVAL if it is too long, or -1 with an
 * exception pending. */
int unix_address(JSContext *context, JSValueConst value, struct sockaddr_un *address, socklen_t *size);

#endif
