#include "sockets.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine.h"
#include "unix-address.h"

enum told { OPENED = 1, READ, ENDED, CLOSED };

/* What JavaScript has of a stream. One reference is its, one that of the stream while it is not over. */
struct handle {
  struct stream *stream;
  JSValue told;
  int references;
};

static JSContext *js;
static JSClassID stream_class;

static void release(struct handle *handle) {
  if (--handle->references > 0) return;
  if (handle->stream != NULL) stream_release(handle->stream);
  free(handle);
}

static void on_collected(JSRuntime *runtime, JSValue value) {
  (void)runtime;
  struct handle *handle = JS_GetOpaque(value, stream_class);
  if (handle != NULL) release(handle);
}

bool sockets_start(JSContext *context) {
  js = context;
  JS_NewClassID(&stream_class);
  return JS_NewClass(JS_GetRuntime(context), stream_class, &(JSClassDef){"Stream", .finalizer = on_collected}) == 0;
}

static void tell(struct handle *handle, enum told what, JSValue value) {
  JSValue arguments[] = {JS_NewInt32(js, what), value};
  if (JS_IsFunction(js, handle->told))
    engine_call(js, handle->told, COUNT_OF(arguments), arguments);
  else
    JS_FreeValue(js, value);
}

static void on_opened(void *listener) {
  tell(listener, OPENED, JS_UNDEFINED);
}

static void on_read(void *listener, const uint8_t *octets, size_t length) {
  tell(listener, READ, js_bytes(js, octets, length));
}

static void on_ended(void *listener) {
  tell(listener, ENDED, JS_UNDEFINED);
}

static void on_closed(void *listener, int error) {
  struct handle *handle = listener;
  tell(handle, CLOSED, JS_NewInt32(js, error));
  JS_FreeValue(js, handle->told);
  handle->told = JS_UNDEFINED;
  release(handle);
}

static const struct listener_calls calls = {on_opened, on_read, on_ended, on_closed};

struct stream *sockets_stream(JSContext *context, JSValueConst value) {
  struct handle *handle = JS_GetOpaque2(context, value, stream_class);
  return handle == NULL ? NULL : handle->stream;
}

JSValue sockets_handle(JSContext *context, struct stream *stream) {
  struct handle *handle = stream == NULL ? NULL : malloc(sizeof *handle);
  JSValue value = handle == NULL ? JS_ThrowOutOfMemory(context) : JS_NewObjectClass(context, stream_class);
  if (JS_IsException(value)) {
    free(handle);
    return value;
  }
  *handle = (struct handle){stream, JS_UNDEFINED, 2};
  JS_SetOpaque(value, handle);
  stream->calls = &calls;
  stream->listener = handle;
  return value;
}

/* Begins to connect; what cannot be is told later, as whatever else goes wrong. */
static JSValue connect_to(JSContext *context, const struct sockaddr *address, socklen_t size, int error) {
  static const struct listener_calls nobody = {0};
  struct stream *stream;
  int fd = error != 0 ? -1 : socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    stream = stream_refused(error != 0 ? error : errno, &nobody, NULL);
  } else {
    if (address->sa_family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(fd, address, size) < 0 && errno != EINPROGRESS) {
      error = errno;
      close(fd);
      stream = stream_refused(error, &nobody, NULL);
    } else {
      stream = stream_create(fd, false, &nobody, NULL);
    }
  }
  return sockets_handle(context, stream);
}

JSValue js_connect_tcp(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  char port[8];
  snprintf(port, sizeof port, "%u", (unsigned)js_int(context, arguments[1]) & 0xffff);
  const char *host = JS_ToCString(context, arguments[0]);
  if (host == NULL) return JS_EXCEPTION;
  int result = getaddrinfo(host, port, &hints, &found);
  JS_FreeCString(context, host);
  if (result != 0) return connect_to(context, NULL, 0, EINVAL);
  JSValue stream = connect_to(context, found->ai_addr, found->ai_addrlen, 0);
  freeaddrinfo(found);
  return stream;
}

JSValue js_connect_unix(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct sockaddr_un address;
  socklen_t size;
  int error = unix_address(context, arguments[0], &address, &size);
  if (error < 0) return JS_EXCEPTION;
  return connect_to(context, (struct sockaddr *)&address, size, error);
}

JSValue js_tell_stream(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct handle *handle = JS_GetOpaque2(context, arguments[0], stream_class);
  if (handle == NULL) return JS_EXCEPTION;
  JS_FreeValue(context, handle->told);
  handle->told = JS_DupValue(context, arguments[1]);
  return JS_UNDEFINED;
}

JSValue js_write_stream(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct stream *stream = sockets_stream(context, arguments[0]);
  if (stream == NULL) return JS_EXCEPTION;
  struct octets octets = js_octets(context, arguments[1]);
  stream_write(stream, octets.data, octets.length);
  return JS_UNDEFINED;
}

JSValue js_pending_of(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct stream *stream = sockets_stream(context, arguments[0]);
  return stream == NULL ? JS_EXCEPTION : JS_NewInt64(context, stream_pending(stream));
}

JSValue js_state_of(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct stream *stream = sockets_stream(context, arguments[0]);
  if (stream == NULL) return JS_EXCEPTION;
  if (stream->state == STREAM_OVER) return JS_NewString(context, "over");
  return JS_NewString(context, stream->write_ended ? "ending" : "open");
}

JSValue js_finish_stream(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct stream *stream = sockets_stream(context, arguments[0]);
  if (stream == NULL) return JS_EXCEPTION;
  stream_finish(stream);
  return JS_UNDEFINED;
}

JSValue js_destroy_stream(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct stream *stream = sockets_stream(context, arguments[0]);
  if (stream == NULL) return JS_EXCEPTION;
  stream_destroy(stream, 0);
  return JS_UNDEFINED;
}
