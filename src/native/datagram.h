/* UDP sockets, bound to a device or a source address. */
#ifndef LIFELINE_DATAGRAM_H
#define LIFELINE_DATAGRAM_H

#include <stdatomic.h>

#include "address.h"
#include "channel.h"

struct datagram {
  struct channel channel;
  atomic_bool connected;
  /* Ns of the next data message with sequence numbers. Both the data path and JS send such messages, so the number is
   * decided where they leave. */
  atomic_uint next_ns;
  uint32_t numbered; /* JS thread: tunnel and session id of the peer whom next_ns is for */
  /* Set by JS, the host but once, before `expecting`: who may reach JS, and with which tunnel id. */
  union address expected_host;
  atomic_uint expected_tunnel;
  atomic_bool expecting;
  struct rate unnamed; /* of control messages with tunnel id 0 */
};

/* JS thread: the session that is numbered from now on; numbers start at zero for another one. */
void datagram_number(struct datagram *datagram, uint16_t tunnel, uint16_t session);

/* Reader: whether a datagram is for JS: from the host that is expected, and for our tunnel or, seldom, for tunnel 0 (a peer that
 * does not know ours yet). All else dies here. */
bool datagram_wanted(struct datagram *datagram, const uint8_t *bytes, size_t length, const union address *from);

/* Reads one datagram, reporting errors on the way: its length, or -1 if there is none. */
ssize_t datagram_read(struct datagram *datagram, uint8_t *buffer, union address *from);

/* JS: openDatagram(device, source octets, port, callback), connect(handle, octets, port),
 * send(handle, bytes[, octets, port]), local(handle), expect(handle, octets, tunnel id) */
napi_value js_open_datagram(napi_env env, napi_callback_info info);
napi_value js_connect(napi_env env, napi_callback_info info);
napi_value js_send(napi_env env, napi_callback_info info);
napi_value js_expect(napi_env env, napi_callback_info info);
napi_value js_local(napi_env env, napi_callback_info info);

#endif
