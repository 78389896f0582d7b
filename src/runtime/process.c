#include "process.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

extern char **environ;

static struct {
  int count;
  char **arguments;
} process;

void process_start(int count, char **arguments) {
  process.count = count;
  process.arguments = arguments;
}

/* Returns 0 or an errno number. Who gave us a descriptor that does not wait may have meant somebody else: we do wait. */
static int write_all(int fd, const uint8_t *octets, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, octets, length);
    if (written < 0 && errno == EAGAIN) {
      poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    } else if (written < 0 && errno != EINTR) {
      return errno;
    } else if (written > 0) {
      octets += written;
      length -= written;
    }
  }
  return 0;
}

void process_say(const char *text) {
  write_all(STDERR_FILENO, (const uint8_t *)text, strlen(text));
}

void process_exit(int code) {
  exit(code);
}

static JSValue argument_list(JSContext *context) {
  JSValue list = JS_NewArray(context);
  for (int i = 1; i < process.count; i++)
    JS_SetPropertyUint32(context, list, i - 1, JS_NewString(context, process.arguments[i]));
  return list;
}

static JSValue environment_of(JSContext *context) {
  JSValue object = JS_NewObjectProto(context, JS_NULL);
  for (char **each = environ; *each != NULL; each++) {
    const char *end = strchr(*each, '=');
    if (end == NULL) continue;
    JSAtom name = JS_NewAtomLen(context, *each, end - *each);
    if (JS_HasProperty(context, object, name) == 0)
      JS_SetProperty(context, object, name, JS_NewString(context, end + 1));
    JS_FreeAtom(context, name);
  }
  return object;
}

JSValue js_process(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  (void)arguments;
  JSValue object = JS_NewObject(context);
  JS_SetPropertyStr(context, object, "pid", JS_NewInt32(context, getpid()));
  JS_SetPropertyStr(context, object, "parent", JS_NewInt32(context, getppid()));
  JS_SetPropertyStr(context, object, "user", JS_NewInt64(context, geteuid()));
  JS_SetPropertyStr(context, object, "args", argument_list(context));
  JS_SetPropertyStr(context, object, "environment", environment_of(context));
  return object;
}

JSValue js_output(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct octets octets = js_octets(context, arguments[1]);
  return js_failed(write_all(js_int(context, arguments[0]), octets.data, octets.length));
}

JSValue js_columns(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  int fd = js_int(context, arguments[0]);
  struct winsize size = {0};
  if (!isatty(fd)) return JS_UNDEFINED;
  ioctl(fd, TIOCGWINSZ, &size);
  return JS_NewInt32(context, size.ws_col);
}

JSValue js_exit(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  process_exit(js_int(context, arguments[0]));
}

JSValue js_collect(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  (void)arguments;
  JS_RunGC(JS_GetRuntime(context));
  return JS_UNDEFINED;
}

/* Waits only while the kernel has not gathered enough since it booted. */
JSValue js_random(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  int32_t wanted = js_int(context, arguments[0]);
  uint8_t octets[256];
  if (wanted < 0 || wanted > (int32_t)sizeof octets) return JS_ThrowRangeError(context, "too many octets at once");
  if (getrandom(octets, wanted, 0) != wanted) return js_failed(EIO);
  return js_bytes(context, octets, wanted);
}

JSValue js_text(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct octets octets = js_octets(context, arguments[0]);
  return JS_NewStringLen(context, (const char *)octets.data, octets.length);
}

JSValue js_utf8(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  size_t length;
  const char *text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  JSValue octets = js_bytes(context, text, length);
  JS_FreeCString(context, text);
  return octets;
}
