#include "tcp.h"

#include <errno.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "channel.h"
#include "socket.h"

#define MAILBOX_OCTETS (128 * 1024)

/* The connection stands or has failed: either way that was all. */
static bool read_outcome(struct channel *channel, uint8_t *buffer) {
  union address peer = {.any = {0}};
  socklen_t size = sizeof peer;
  int error = 0;
  socklen_t length = sizeof error;
  (void)buffer;
  if (!mail_has_room(&channel->mailbox)) return true;
  if (getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
  if (error == 0 && getpeername(channel->fd, &peer.any, &size) < 0) error = errno;
  if (error != 0) mail_post_error(&channel->mailbox, error);
  else mail_post(&channel->mailbox, "", 0, &peer, 0);
  return false;
}

napi_value js_open_tcp(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  char device[IFNAMSIZ];
  struct octets source = get_octets(env, call.arguments[1]);
  struct octets host = get_octets(env, call.arguments[2]);
  union address local, remote;
  if (!get_string(env, call.arguments[0], device, sizeof device)) return js_number(env, -ENODEV);
  if (!address_from_octets(&local, source.data, source.length, 0)) return js_number(env, -EINVAL);
  if (!address_from_octets(&remote, host.data, host.length, get_int(env, call.arguments[3])))
    return js_number(env, -EINVAL);

  struct channel *channel = channel_create(CHANNEL_TCP, sizeof(struct channel), MAILBOX_OCTETS);
  if (channel == NULL) return js_number(env, -ENOMEM);
  channel->read = read_outcome;
  channel->watch.events = EPOLLOUT;
  int fd = socket_open(local.any.sa_family, SOCK_STREAM, 0);
  if (fd < 0) return channel_refuse(env, channel, -fd);
  int error = socket_mark(fd, get_int(env, call.arguments[5]));
  if (error == 0) error = socket_bind(fd, device, &local);
  if (error == 0 && connect(fd, &remote.any, address_size(&remote)) < 0 && errno != EINPROGRESS) error = errno;
  if (error == 0) return channel_open(env, channel, fd, call.arguments[4]);
  close(fd);
  return channel_refuse(env, channel, error);
}
