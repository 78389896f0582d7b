/* Unix sockets that take clients. */
#ifndef LIFELINE_SERVERS_H
#define LIFELINE_SERVERS_H

#include "js.h"

bool servers_start(JSContext *context);

/* JS: listen(path, accept: (client: Stream) => void): Server | outcome */
JSValue js_listen(JS_ARGUMENTS);

/* JS: closeServer(server); may be repeated */
JSValue js_close_server(JS_ARGUMENTS);

#endif
