#include "session.h"

#include <errno.h>

#include "datagram.h"
#include "tun.h"

static bool read_session(napi_env env, napi_value object, struct session *session) {
  struct octets host = get_octets(env, get_property(env, object, "peerHost"));
  session->local.tunnel = get_int(env, get_property(env, object, "localTunnelId"));
  session->local.session = get_int(env, get_property(env, object, "localSessionId"));
  session->remote.tunnel = get_int(env, get_property(env, object, "peerTunnelId"));
  session->remote.session = get_int(env, get_property(env, object, "peerSessionId"));
  session->mtu = get_int(env, get_property(env, object, "mtu"));
  session->sequencing = get_bool(env, get_property(env, object, "sequencing"));
  session->ipv4 = get_bool(env, get_property(env, object, "ipv4"));
  session->ipv6 = get_bool(env, get_property(env, object, "ipv6"));
  int port = get_int(env, get_property(env, object, "peerPort"));
  return address_from_octets(&session->peer, host.data, host.length, port);
}

napi_value js_attach(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct tun *tun = (struct tun *)channel_from(env, call.arguments[0], CHANNEL_TUN);
  struct datagram *socket = (struct datagram *)channel_from(env, call.arguments[1], CHANNEL_DATAGRAM);
  struct session session;
  if (tun == NULL || socket == NULL) return NULL;
  if (!read_session(env, call.arguments[2], &session)) return js_number(env, -EINVAL);
  if (tun->channel.fd < 0 || socket->channel.fd < 0) return js_number(env, -EBADF);
  if (tun->socket != NULL || socket->tun != NULL) return js_number(env, -EBUSY);

  datagram_number(socket, session.remote.tunnel, session.remote.session);
  channel_unwatch(&tun->channel);
  channel_unwatch(&socket->channel);
  tun->socket = socket;
  socket->tun = tun;
  int error = datapath_start(&tun->path, tun, socket, &session);
  if (error != 0) tun_detach(tun);
  return js_number(env, -error);
}

napi_value js_update(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct tun *tun = (struct tun *)channel_from(env, call.arguments[0], CHANNEL_TUN);
  struct session session;
  if (tun == NULL) return NULL;
  if (!read_session(env, call.arguments[1], &session)) return js_number(env, -EINVAL);
  datapath_change(&tun->path, &session);
  return js_number(env, 0);
}

void tun_detach(struct tun *tun) {
  struct datagram *socket = tun->socket;
  if (socket == NULL) return;
  datapath_stop(&tun->path);
  tun->socket = NULL;
  socket->tun = NULL;
  channel_watch(&tun->channel);
  channel_watch(&socket->channel);
}

napi_value js_detach(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct tun *tun = (struct tun *)channel_from(env, call.arguments[0], CHANNEL_TUN);
  if (tun != NULL) tun_detach(tun);
  return NULL;
}

napi_value js_counters(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct tun *tun = (struct tun *)channel_from(env, call.arguments[0], CHANNEL_TUN);
  napi_value result;
  if (tun == NULL) return NULL;
  struct counters counters = datapath_counters(&tun->path);
  napi_create_object(env, &result);
  set_property(env, result, "rxPackets", js_number(env, counters.rx_packets));
  set_property(env, result, "rxOctets", js_number(env, counters.rx_octets));
  set_property(env, result, "rxDropped", js_number(env, counters.rx_dropped));
  set_property(env, result, "txPackets", js_number(env, counters.tx_packets));
  set_property(env, result, "txOctets", js_number(env, counters.tx_octets));
  set_property(env, result, "txDropped", js_number(env, counters.tx_dropped));
  set_property(env, result, "received", js_number(env, counters.received));
  return result;
}
