#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* How long a service manager that is stuck may hold up JS. */
static const struct timeval patience = {.tv_sec = 1};

static int notify(const struct sockaddr_un *to, socklen_t size, struct octets bytes) {
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ssize_t sent = sendto(fd, bytes.data, bytes.length, MSG_NOSIGNAL, (const struct sockaddr *)to, size);
  int error = sent < 0 ? -errno : 0;
  close(fd);
  return error;
}

napi_value js_notify(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (!get_string(env, call.arguments[0], to.sun_path, sizeof to.sun_path)) return js_number(env, -ENAMETOOLONG);
  size_t length = strlen(to.sun_path);
  /* unix(7): an abstract name begins with a zero octet and ends where the size says. */
  bool abstract = to.sun_path[0] == '@';
  if (abstract) to.sun_path[0] = 0;
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1);
  return js_number(env, notify(&to, size, get_octets(env, call.arguments[1])));
}
