#include "unix-address.h"

#include <string.h>

int unix_address(JSContext *context, JSValueConst value, struct sockaddr_un *address, socklen_t *size) {
  size_t length;
  const char *name = JS_ToCStringLen(context, &length, value);
  if (name == NULL) return -1;
  bool abstract = name[0] == '@';
  bool fits = abstract ? length <= sizeof address->sun_path : length < sizeof address->sun_path;
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (fits) memcpy(address->sun_path, name, length);
  if (abstract) address->sun_path[0] = 0;
  *size = offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1);
  JS_FreeCString(context, name);
  return fits ? 0 : EINVAL;
}
