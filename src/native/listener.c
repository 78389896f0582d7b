#include "listener.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int ask(const struct sockaddr_un *name, socklen_t size, struct ucred *listener) {
  /* A stranger whose backlog is full must not hold up JS. */
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  socklen_t length = sizeof *listener;
  int error = 0;
  if (connect(fd, (const struct sockaddr *)name, size) < 0) error = -errno;
  else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, listener, &length) < 0) error = -errno;
  close(fd);
  return error;
}

napi_value js_listener(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  char *text = name.sun_path + 1;
  struct ucred listener = {0};
  if (!get_string(env, call.arguments[0], text, sizeof name.sun_path - 1)) return js_number(env, -ENAMETOOLONG);
  size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text);
  int error = ask(&name, get_bool(env, call.arguments[1]) ? sizeof name : size, &listener);
  if (error < 0) return js_number(env, error);
  napi_value result;
  napi_create_object(env, &result);
  set_property(env, result, "uid", js_number(env, listener.uid));
  set_property(env, result, "pid", js_number(env, listener.pid));
  return result;
}
