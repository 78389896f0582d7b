#include "socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <unistd.h>

/* More queues packets for so long that control messages starve behind them. */
#define BUFFER_OCTETS (512 * 1024)

/* As much of a datagram as RFC 1812 section 4.3.2.3 has an ICMP message quote. */
#define QUOTE_OCTETS 576

/* An earlier packet's error is told instead of sending this one, and while we try again the next may come. */
#define SEND_ATTEMPTS 4

int socket_set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) < 0 ? errno : 0;
}

int socket_open(int domain, int type, int protocol) {
  int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -errno;
  if (socket_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_OCTETS) != 0)
    socket_set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_OCTETS);
  if (socket_set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_OCTETS) != 0)
    socket_set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_OCTETS);
  return fd;
}

int socket_prepare(int fd, int domain) {
  if (domain == AF_INET) {
    int error = socket_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    return error != 0 ? error : socket_ignore_path_mtu(fd, domain);
  }
  int error = socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (error == 0) error = socket_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  return error != 0 ? error : socket_ignore_path_mtu(fd, domain);
}

int socket_ignore_path_mtu(int fd, int domain) {
  if (domain == AF_INET) return socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  return socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
}

int socket_bind(int fd, const char *device, const union address *local) {
  if (device[0] != 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device) + 1) < 0) return errno;
  return bind(fd, &local->any, address_size(local)) < 0 ? errno : 0;
}

int socket_mark(int fd, int mark) {
  return mark == 0 ? 0 : socket_set(fd, SOL_SOCKET, SO_MARK, mark);
}

int socket_send(int fd, const void *bytes, size_t length, const union address *to) {
  socklen_t size = to == NULL ? 0 : address_size(to);
  const struct sockaddr *name = to == NULL ? NULL : &to->any;
  for (int i = 0; i < SEND_ATTEMPTS; i++) {
    if (sendto(fd, bytes, length, MSG_NOSIGNAL, name, size) >= 0) return 0;
    if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) break;
  }
  return errno;
}

static void report(struct channel *channel, const struct sock_extended_err *reason, const uint8_t *quote, size_t length) {
  if (reason->ee_errno == 0) return;
  if (reason->ee_origin != SO_EE_ORIGIN_ICMP && reason->ee_origin != SO_EE_ORIGIN_ICMP6) {
    mail_post_error(&channel->mailbox, reason->ee_errno);
    return;
  }
  const union address *offender = (const void *)SO_EE_OFFENDER(reason);
  mail_post_icmp_error(&channel->mailbox, &(struct mail_error){reason->ee_errno, offender, quote, length});
}

void socket_drain_errors(struct channel *channel) {
  for (int i = 0; i < READS_PER_TURN; i++) {
    _Alignas(struct cmsghdr) uint8_t control[512];
    uint8_t quote[QUOTE_OCTETS];
    struct iovec part = {quote, sizeof quote};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(channel->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (length < 0) return;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
      bool v4 = header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR;
      bool v6 = header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR;
      if (!v4 && !v6) continue;
      const struct sock_extended_err *reason = (const void *)CMSG_DATA(header);
      report(channel, reason, quote, length);
    }
  }
}
