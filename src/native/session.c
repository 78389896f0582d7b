#include "session.h"

#include <errno.h>

#include "datapath.h"

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
  return js_number(env, -datapath_start(tun, socket, &session));
}

napi_value js_update(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct tun *tun = (struct tun *)channel_from(env, call.arguments[0], CHANNEL_TUN);
  struct session session;
  if (tun == NULL) return NULL;
  if (!read_session(env, call.arguments[1], &session)) return js_number(env, -EINVAL);
  struct datapath *path = datapath_of(tun);
  if (path != NULL) datapath_change(path, &session);
  return js_number(env, 0);
}

napi_value js_detach(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct tun *tun = (struct tun *)channel_from(env, call.arguments[0], CHANNEL_TUN);
  struct datapath *path = tun == NULL ? NULL : datapath_of(tun);
  if (path != NULL) datapath_stop(path);
  return NULL;
}
