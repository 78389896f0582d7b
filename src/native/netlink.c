#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "socket.h"

#define MAILBOX_OCTETS (512 * 1024)

struct netlink {
  struct channel channel;
  bool lossy; /* messages were lost, and JS is to be told */
};

static bool read_messages(struct channel *channel, uint8_t *buffer);

static int join_groups(napi_env env, int fd, napi_value groups) {
  uint32_t count = 0;
  napi_get_array_length(env, groups, &count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value group;
    napi_get_element(env, groups, i, &group);
    int error = socket_set(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, get_int(env, group));
    if (error != 0) return error;
  }
  return 0;
}

napi_value js_open_netlink(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct channel *channel = channel_create(CHANNEL_NETLINK, sizeof(struct netlink), MAILBOX_OCTETS);
  if (channel == NULL) return js_number(env, -ENOMEM);
  channel->read = read_messages;
  int fd = socket_open(AF_NETLINK, SOCK_RAW, get_int(env, call.arguments[0]));
  if (fd < 0) return channel_refuse(env, channel, -fd);
  /* Refusals carry the kernel's own words, and not the request again. Old kernels know neither. */
  socket_set(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  socket_set(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  struct sockaddr_nl local = {.nl_family = AF_NETLINK};
  int error = bind(fd, (const struct sockaddr *)&local, sizeof local) < 0 ? errno : 0;
  if (error == 0) error = join_groups(env, fd, call.arguments[1]);
  if (error == 0) return channel_open(env, channel, fd, call.arguments[2]);
  close(fd);
  return channel_refuse(env, channel, error);
}

napi_value js_send_netlink(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct channel *channel = channel_from(env, call.arguments[0], CHANNEL_NETLINK);
  struct octets bytes = get_octets(env, call.arguments[1]);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (channel == NULL) return NULL;
  if (sendto(channel->fd, bytes.data, bytes.length, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0)
    return js_number(env, -errno);
  return js_number(env, 0);
}

static bool is_empty(int fd) {
  struct pollfd socket = {.fd = fd, .events = POLLIN};
  return poll(&socket, 1, 0) >= 0 && !(socket.revents & POLLIN);
}

/* The kernel tells of a loss ahead of what the socket still holds, and puts nothing into it before it is empty. To be
 * told any sooner would be too soon: what JS reads anew then would be newer than the messages that follow. */
static bool read_messages(struct channel *channel, uint8_t *buffer) {
  struct netlink *netlink = (struct netlink *)channel;
  for (int i = 0; i < READS_PER_TURN && mail_has_room(&channel->mailbox); i++) {
    struct sockaddr_nl from = {0};
    socklen_t size = sizeof from;
    ssize_t length = recvfrom(channel->fd, buffer, MAX_DATAGRAM, MSG_TRUNC, (struct sockaddr *)&from, &size);
    if (length < 0 && errno == EAGAIN) break;
    if (length > MAX_DATAGRAM || (length < 0 && errno == ENOBUFS))
      netlink->lossy = true;
    else if (length < 0)
      mail_post_error(&channel->mailbox, errno);
    else if (from.nl_pid == 0) /* other processes may write to our port too */
      mail_post(&channel->mailbox, buffer, length, NULL, 0);
    if (!netlink->lossy || !is_empty(channel->fd)) continue;
    netlink->lossy = false;
    mail_post_loss(&channel->mailbox);
  }
  return true;
}
