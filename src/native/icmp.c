#include "icmp.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <unistd.h>

#include "channel.h"
#include "socket.h"

#define MAILBOX_OCTETS (128 * 1024)
#define MESSAGES_PER_SECOND 500
#define MESSAGES_AT_ONCE 1000

#define ECHO_HEADER 8

/* <linux/icmp.h> and <netinet/ip_icmp.h> exclude each other and musl has neither name. */
#define RAW_ICMP_FILTER 1

struct icmp_socket {
  struct channel channel;
  int domain;
  int32_t identifier; /* of the echo replies that are let through; below zero: of all */
};

static bool read_messages(struct channel *channel, uint8_t *buffer);

/* Lets only these types through; family 4 can filter the types below 32, which are all that matter. */
static int filter_types(napi_env env, int fd, int domain, napi_value types) {
  uint32_t count = 0;
  uint32_t blocked = ~(uint32_t)0;
  struct icmp6_filter filter;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  if (napi_get_array_length(env, types, &count) != napi_ok) return 0;
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    napi_get_element(env, types, i, &element);
    int type = get_int(env, element);
    if (type < 0 || type > 255) return EINVAL;
    ICMP6_FILTER_SETPASS(type, &filter);
    if (type < 32) blocked &= ~((uint32_t)1 << type);
  }
  if (domain == AF_INET) return socket_set(fd, SOL_RAW, RAW_ICMP_FILTER, (int)blocked);
  return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) < 0 ? errno : 0;
}

/* `whole`: an echo is never fragmented, whatever the kernel believes of the path's MTU: so it can measure it. */
static int prepare(int fd, int domain, bool whole) {
  if (domain == AF_INET) {
    int error = socket_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    if (error != 0) return error;
    return whole ? socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) : socket_ignore_path_mtu(fd, domain);
  }
  /* RFC 4861 section 6.1: a hop limit below 255 betrays a router in between. */
  static const int options[][2] = {{IPV6_RECVHOPLIMIT, 1},
                                   {IPV6_UNICAST_HOPS, 255},
                                   {IPV6_MULTICAST_HOPS, 255},
                                   {IPV6_MULTICAST_LOOP, 0},
                                   {IPV6_RECVERR, 1}};
  int error = 0;
  for (size_t i = 0; i < sizeof options / sizeof *options && error == 0; i++)
    error = socket_set(fd, IPPROTO_IPV6, options[i][0], options[i][1]);
  if (error != 0) return error;
  return whole ? socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) : socket_ignore_path_mtu(fd, domain);
}

napi_value js_open_icmp(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  char device[IFNAMSIZ];
  struct octets source = get_octets(env, call.arguments[1]);
  union address local;
  if (!get_string(env, call.arguments[0], device, sizeof device)) return js_number(env, -ENODEV);
  if (!address_from_octets(&local, source.data, source.length, 0)) return js_number(env, -EINVAL);

  struct channel *channel = channel_create(CHANNEL_ICMP, sizeof(struct icmp_socket), MAILBOX_OCTETS);
  if (channel == NULL) return js_number(env, -ENOMEM);
  channel->read = read_messages;
  channel->mailbox.rate = (struct rate){.per_second = MESSAGES_PER_SECOND, .burst = MESSAGES_AT_ONCE};
  int domain = ((struct icmp_socket *)channel)->domain = local.any.sa_family;
  ((struct icmp_socket *)channel)->identifier = get_int(env, call.arguments[5]);
  int fd = socket_open(domain, SOCK_RAW, domain == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
  if (fd < 0) return channel_refuse(env, channel, -fd);
  int error = filter_types(env, fd, domain, call.arguments[2]);
  if (error == 0) error = prepare(fd, domain, get_bool(env, call.arguments[6]));
  if (error == 0) error = socket_mark(fd, get_int(env, call.arguments[4]));
  if (error == 0) error = socket_bind(fd, device, &local);
  if (error == 0) return channel_open(env, channel, fd, call.arguments[3]);
  close(fd);
  return channel_refuse(env, channel, error);
}

napi_value js_send_icmp(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct channel *channel = channel_from(env, call.arguments[0], CHANNEL_ICMP);
  struct octets bytes = get_octets(env, call.arguments[1]);
  struct octets host = get_octets(env, call.arguments[2]);
  union address to;
  if (channel == NULL || channel->fd < 0) return NULL;
  int error = EINVAL;
  if (address_from_octets(&to, host.data, host.length, 0))
    error = socket_send(channel->fd, bytes.data, bytes.length, &to);
  if (error != 0) mail_post_error(&channel->mailbox, error);
  return NULL;
}

static int hop_limit(struct msghdr *message) {
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    int value;
    if (header->cmsg_level != IPPROTO_IPV6 || header->cmsg_type != IPV6_HOPLIMIT) continue;
    memcpy(&value, CMSG_DATA(header), sizeof value);
    return value;
  }
  return 0;
}

/* Echo replies to others are none of ours: the system's own pings, or a flood. `bytes` begin at the ICMP header. */
static bool is_wanted(const struct icmp_socket *socket, const uint8_t *bytes, size_t length) {
  uint8_t reply = socket->domain == AF_INET ? 0 : ICMP6_ECHO_REPLY;
  if (socket->identifier < 0 || length == 0 || bytes[0] != reply) return true;
  return length >= ECHO_HEADER && (bytes[4] << 8 | bytes[5]) == socket->identifier;
}

/* An IPv4 raw socket delivers the IP header too; an IPv6 one does not. */
static void post_message(struct channel *channel, struct msghdr *message, const uint8_t *bytes, size_t length) {
  const struct icmp_socket *icmp = (const struct icmp_socket *)channel;
  if (icmp->domain == AF_INET6) {
    if (is_wanted(icmp, bytes, length)) mail_post(&channel->mailbox, bytes, length, message->msg_name, hop_limit(message));
    return;
  }
  size_t header = length == 0 ? 0 : (size_t)(bytes[0] & 0x0f) * 4;
  if (header < sizeof(struct iphdr) || header > length) return;
  if (!is_wanted(icmp, bytes + header, length - header)) return;
  mail_post(&channel->mailbox, bytes + header, length - header, message->msg_name, ((const struct iphdr *)bytes)->ttl);
}

static bool read_messages(struct channel *channel, uint8_t *buffer) {
  socket_drain_errors(channel);
  for (int i = 0; i < READS_PER_TURN && mail_has_room(&channel->mailbox); i++) {
    union address from;
    _Alignas(struct cmsghdr) uint8_t control[128];
    struct iovec part = {buffer, MAX_DATAGRAM};
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(channel->fd, &message, 0);
    if (length >= 0) {
      post_message(channel, &message, buffer, length);
      continue;
    }
    if (errno == EAGAIN) break;
    /* It is about an earlier packet, and told by the error queue. */
    socket_drain_errors(channel);
  }
  return true;
}
