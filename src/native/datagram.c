#include "datagram.h"

#include <errno.h>
#include <net/if.h>
#include <unistd.h>

#include "l2tp-data.h"
#include "socket.h"

#define MAILBOX_OCTETS (256 * 1024)

/* What one peer may have to say to JS is far below this, also in the moment in which it renegotiates everything. */
#define MESSAGES_PER_SECOND 500
#define MESSAGES_AT_ONCE 2000
#define UNNAMED_PER_SECOND 10
#define UNNAMED_AT_ONCE 20

static bool read_datagrams(struct channel *channel, uint8_t *buffer);

napi_value js_open_datagram(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  char device[IFNAMSIZ];
  struct octets source = get_octets(env, call.arguments[1]);
  union address local;
  if (!get_string(env, call.arguments[0], device, sizeof device)) return js_number(env, -ENODEV);
  if (!address_from_octets(&local, source.data, source.length, get_int(env, call.arguments[2])))
    return js_number(env, -EINVAL);

  struct channel *channel = channel_create(CHANNEL_DATAGRAM, sizeof(struct datagram), MAILBOX_OCTETS);
  if (channel == NULL) return js_number(env, -ENOMEM);
  channel->read = read_datagrams;
  channel->mailbox.rate = (struct rate){.per_second = MESSAGES_PER_SECOND, .burst = MESSAGES_AT_ONCE};
  ((struct datagram *)channel)->unnamed = (struct rate){.per_second = UNNAMED_PER_SECOND, .burst = UNNAMED_AT_ONCE};
  int domain = local.any.sa_family;
  int fd = socket_open(domain, SOCK_DGRAM, 0);
  if (fd < 0) return channel_refuse(env, channel, -fd);
  int error = socket_prepare(fd, domain);
  if (error == 0) error = socket_mark(fd, get_int(env, call.arguments[4]));
  if (error == 0) error = socket_bind(fd, device, &local);
  if (error == 0) return channel_open(env, channel, fd, call.arguments[3]);
  close(fd);
  return channel_refuse(env, channel, error);
}

napi_value js_connect(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct datagram *datagram = (void *)channel_from(env, call.arguments[0], CHANNEL_DATAGRAM);
  struct octets host = get_octets(env, call.arguments[1]);
  union address peer;
  if (datagram == NULL) return NULL;
  if (!address_from_octets(&peer, host.data, host.length, get_int(env, call.arguments[2])))
    return js_number(env, -EINVAL);
  if (connect(datagram->channel.fd, &peer.any, address_size(&peer)) < 0) return js_number(env, -errno);
  datagram->connected = true;
  return js_number(env, 0);
}

napi_value js_expect(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct datagram *datagram = (void *)channel_from(env, call.arguments[0], CHANNEL_DATAGRAM);
  struct octets host = get_octets(env, call.arguments[1]);
  union address peer;
  if (datagram == NULL) return NULL;
  if (!address_from_octets(&peer, host.data, host.length, 0)) return js_number(env, -EINVAL);
  if (!datagram->expecting) datagram->expected_host = peer;
  else if (!address_same_host(&peer, &datagram->expected_host)) return js_number(env, -EINVAL);
  datagram->expected_tunnel = (uint16_t)get_int(env, call.arguments[2]);
  datagram->expecting = true;
  return js_number(env, 0);
}

bool datagram_wanted(struct datagram *datagram, const uint8_t *bytes, size_t length, const union address *from) {
  bool control;
  if (!datagram->expecting) return true;
  if (!address_same_host(from, &datagram->expected_host)) return false;
  int32_t tunnel = l2tp_tunnel_of(bytes, length, &control);
  if (tunnel == 0) return control && rate_take(&datagram->unnamed, mail_now_us());
  return tunnel > 0 && (unsigned)tunnel == datagram->expected_tunnel;
}

void datagram_number(struct datagram *datagram, uint16_t tunnel, uint16_t session) {
  uint32_t ids = (uint32_t)tunnel << 16 | session;
  if (datagram->numbered == ids) return;
  datagram->numbered = ids;
  datagram->next_ns = 0;
}

napi_value js_send(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct datagram *datagram = (void *)channel_from(env, call.arguments[0], CHANNEL_DATAGRAM);
  struct octets bytes = get_octets(env, call.arguments[1]);
  struct octets host = {NULL, 0};
  union address to;
  if (datagram == NULL || datagram->channel.fd < 0) return NULL;
  if (call.count > 2) host = get_octets(env, call.arguments[2]);
  bool named = address_from_octets(&to, host.data, host.length, get_int(env, call.arguments[3]));
  struct l2tp_ids ids;
  uint8_t *ns = l2tp_find_ns(bytes.data, bytes.length, &ids);
  if (ns != NULL) {
    datagram_number(datagram, ids.tunnel, ids.session);
    l2tp_put16(ns, atomic_fetch_add(&datagram->next_ns, 1));
  }
  int error = socket_send(datagram->channel.fd, bytes.data, bytes.length, named ? &to : NULL);
  /* Only an ICMP message brings this about, which the queue tells. */
  if (error != 0 && error != ECONNREFUSED) mail_post_error(&datagram->channel.mailbox, error);
  return NULL;
}

napi_value js_local(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct channel *channel = channel_from(env, call.arguments[0], CHANNEL_DATAGRAM);
  union address local;
  socklen_t size = sizeof local;
  if (channel == NULL) return NULL;
  if (getsockname(channel->fd, &local.any, &size) < 0) return js_number(env, -errno);
  size_t count;
  const uint8_t *octets = address_octets(&local, &count);
  napi_value result, buffer, host;
  void *data;
  napi_create_arraybuffer(env, count, &data, &buffer);
  memcpy(data, octets, count);
  napi_create_typedarray(env, napi_uint8_array, count, buffer, 0, &host);
  napi_create_object(env, &result);
  set_property(env, result, "host", host);
  set_property(env, result, "port", js_number(env, address_port(&local)));
  return result;
}

ssize_t datagram_read(struct datagram *datagram, uint8_t *buffer, union address *from) {
  struct channel *channel = &datagram->channel;
  for (int attempt = 0; attempt < READS_PER_TURN; attempt++) {
    socklen_t size = sizeof *from;
    ssize_t length = recvfrom(channel->fd, buffer, MAX_DATAGRAM, 0, &from->any, &size);
    if (length >= 0) return length;
    if (errno == EAGAIN) return -1;
    /* An ICMP error about an earlier packet, such as ECONNREFUSED: the queue tells what it is about, if it tells. */
    socket_drain_errors(channel);
  }
  return -1;
}

static bool read_datagrams(struct channel *channel, uint8_t *buffer) {
  socket_drain_errors(channel);
  for (int i = 0; i < READS_PER_TURN && mail_has_room(&channel->mailbox); i++) {
    union address from;
    ssize_t length = datagram_read((struct datagram *)channel, buffer, &from);
    if (length < 0) break;
    if (datagram_wanted((struct datagram *)channel, buffer, length, &from))
      mail_post(&channel->mailbox, buffer, length, &from, address_port(&from));
  }
  return true;
}
