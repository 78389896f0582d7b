/* Stream sockets for JavaScript: TCP and unix connections, and unix listeners. */
#ifndef LIFELINE_SOCKETS_H
#define LIFELINE_SOCKETS_H

#include "js.h"
#include "stream.h"

bool sockets_start(JSContext *context);

/* The stream behind a handle; NULL with an exception pending. */
struct stream *sockets_stream(JSContext *context, JSValueConst handle);

/* A handle for a stream, which hears of it from now on; takes a reference of the caller. JS_EXCEPTION without memory. */
JSValue sockets_handle(JSContext *context, struct stream *stream);

/* JS: connectTcp(host, port): Stream; connectUnix(path): Stream, or of an abstract name, that begins with @ */
JSValue js_connect_tcp(JS_ARGUMENTS);
JSValue js_connect_unix(JS_ARGUMENTS);

/* JS: tell(stream, told: (what, value) => void): 1 it stands, 2 octets, 3 the peer sends no more, 4 it is over, with an errno
 * number or 0 */
JSValue js_tell_stream(JS_ARGUMENTS);

/* JS: writeStream(stream, octets) */
JSValue js_write_stream(JS_ARGUMENTS);

/* JS: pendingOf(stream): number */
JSValue js_pending_of(JS_ARGUMENTS);

/* JS: stateOf(stream): 'open' | 'ending' | 'over' */
JSValue js_state_of(JS_ARGUMENTS);

/* JS: finishStream(stream) */
JSValue js_finish_stream(JS_ARGUMENTS);

/* JS: destroyStream(stream) */
JSValue js_destroy_stream(JS_ARGUMENTS);

#endif
