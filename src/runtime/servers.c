#include "servers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "loop.h"
#include "sockets.h"
#include "unix-address.h"

/* Clients that a turn of the loop takes. */
#define CLIENTS_PER_TURN 16

struct server {
  struct watch watch;
  int fd; /* -1: closed */
  int spare; /* given up for a moment where descriptors are short, so that a client can be sent away */
  JSValue accept;
  JSValue handle; /* while it is open nobody needs to hold it */
};

static JSContext *js;
static JSClassID server_class;

static void stop(JSContext *context, struct server *server) {
  if (server->fd < 0) return;
  JSValue handle = server->handle;
  loop_forget(&server->watch);
  loop_release();
  close(server->fd);
  if (server->spare >= 0) close(server->spare);
  server->fd = -1;
  JS_FreeValue(context, server->accept);
  JS_FreeValue(context, handle);
}

static void on_collected(JSRuntime *runtime, JSValue value) {
  (void)runtime;
  free(JS_GetOpaque(value, server_class));
}

bool servers_start(JSContext *context) {
  js = context;
  JS_NewClassID(&server_class);
  return JS_NewClass(JS_GetRuntime(context), server_class, &(JSClassDef){"Server", .finalizer = on_collected}) == 0;
}

static int spare_descriptor(void) {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void send_away(struct server *server) {
  if (server->spare < 0) return;
  close(server->spare);
  int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0) close(fd);
  server->spare = spare_descriptor();
}

static void on_clients(struct watch *watch, short events) {
  static const struct listener_calls nobody = {0};
  struct server *server = (struct server *)watch;
  (void)events;
  JSValue held = JS_DupValue(js, server->handle);
  for (int i = 0; i < CLIENTS_PER_TURN && server->fd >= 0; i++) {
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE) send_away(server);
      break;
    }
    JSValue client = sockets_handle(js, stream_create(fd, true, &nobody, NULL));
    if (JS_IsException(client)) engine_fail(js, JS_GetException(js));
    engine_call(js, server->accept, 1, &client);
  }
  JS_FreeValue(js, held);
}

/* Nobody but its owner may use the file, from the moment that it is there. */
static int bind_and_listen(int fd, const struct sockaddr_un *address, socklen_t size) {
  mode_t mask = umask(0177);
  int result = bind(fd, (const struct sockaddr *)address, size);
  int error = errno;
  umask(mask);
  if (result < 0) return error;
  return listen(fd, SOMAXCONN) < 0 ? errno : 0;
}

JSValue js_listen(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct sockaddr_un address;
  socklen_t size;
  int error = unix_address(context, arguments[0], &address, &size);
  if (error != 0) return error < 0 ? JS_EXCEPTION : js_failed(error);
  struct server *server = calloc(1, sizeof *server);
  JSValue handle = server == NULL ? JS_ThrowOutOfMemory(context) : JS_NewObjectClass(context, server_class);
  if (JS_IsException(handle)) {
    free(server);
    return handle;
  }
  server->fd = -1;
  JS_SetOpaque(handle, server);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  error = fd < 0 ? errno : bind_and_listen(fd, &address, size);
  if (error == 0 && !loop_watch(&server->watch, fd, POLLIN, on_clients)) error = ENOMEM;
  if (error != 0) {
    if (fd >= 0) close(fd);
    JS_FreeValue(context, handle);
    return js_failed(error);
  }
  server->fd = fd;
  server->spare = spare_descriptor();
  server->accept = JS_DupValue(context, arguments[1]);
  server->handle = JS_DupValue(context, handle);
  loop_hold();
  return handle;
}

JSValue js_close_server(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct server *server = JS_GetOpaque2(context, arguments[0], server_class);
  if (server == NULL) return JS_EXCEPTION;
  stop(context, server);
  return JS_UNDEFINED;
}
