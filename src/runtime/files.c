#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

const char *files_path(JSContext *context, JSValueConst value) {
  size_t length;
  const char *path = JS_ToCStringLen(context, &length, value);
  if (path == NULL || strlen(path) == length) return path;
  JS_FreeCString(context, path);
  JS_ThrowTypeError(context, "a path with a zero octet");
  return NULL;
}

/* Opens without waiting for the other end of a pipe. A negative errno number where it cannot be; zero, which no file gets,
 * with an exception pending. */
static int open_path(JSContext *context, JSValueConst value, int flags) {
  const char *path = files_path(context, value);
  if (path == NULL) return 0;
  int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fd = -errno;
  JS_FreeCString(context, path);
  return fd;
}

/* Reads at most `most` octets; *error is 0 or an errno number. */
static uint8_t *read_up_to(int fd, size_t most, size_t *length, int *error) {
  uint8_t *octets = NULL;
  size_t room = 0;
  *length = 0;
  *error = 0;
  while (*length < most) {
    if (*length == room) {
      room = room == 0 ? 4096 : 2 * room;
      if (room > most) room = most;
      uint8_t *grown = realloc(octets, room);
      if (grown == NULL) {
        *error = ENOMEM;
        break;
      }
      octets = grown;
    }
    ssize_t got = read(fd, octets + *length, room - *length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) *error = errno;
    if (got <= 0) break;
    *length += got;
  }
  return octets;
}

JSValue js_read_file(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  double most;
  if (JS_ToFloat64(context, &most, arguments[1]) < 0) return JS_EXCEPTION;
  int fd = open_path(context, arguments[0], O_RDONLY);
  if (fd <= 0) return fd < 0 ? js_failed(-fd) : JS_EXCEPTION;
  size_t length;
  int error;
  uint8_t *octets = read_up_to(fd, most < SSIZE_MAX ? (size_t)most : SSIZE_MAX, &length, &error);
  close(fd);
  JSValue result = error != 0 ? js_failed(error) : js_bytes(context, octets, length);
  free(octets);
  return result;
}

static const char *kind_of(mode_t mode) {
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "folder";
  if (S_ISLNK(mode)) return "link";
  return S_ISSOCK(mode) ? "socket" : "other";
}

JSValue js_look(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *path = files_path(context, arguments[0]);
  if (path == NULL) return JS_EXCEPTION;
  struct stat found;
  int result = JS_ToBool(context, arguments[1]) ? lstat(path, &found) : stat(path, &found);
  int error = errno;
  JS_FreeCString(context, path);
  if (result < 0) return js_failed(error);
  const double numbers[] = {found.st_size, found.st_dev, found.st_ino, found.st_uid, found.st_gid, found.st_mode & 07777};
  JSValue facts = JS_NewArray(context);
  JS_SetPropertyUint32(context, facts, 0, JS_NewString(context, kind_of(found.st_mode)));
  for (uint32_t i = 0; i < COUNT_OF(numbers); i++)
    JS_SetPropertyUint32(context, facts, i + 1, JS_NewFloat64(context, numbers[i]));
  return facts;
}

JSValue js_list(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *path = files_path(context, arguments[0]);
  if (path == NULL) return JS_EXCEPTION;
  DIR *folder = opendir(path);
  int error = errno;
  JS_FreeCString(context, path);
  if (folder == NULL) return js_failed(error);
  JSValue names = JS_NewArray(context);
  uint32_t length = 0;
  struct dirent *entry;
  while (errno = 0, (entry = readdir(folder)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    JS_SetPropertyUint32(context, names, length++, JS_NewString(context, entry->d_name));
  }
  error = errno;
  closedir(folder);
  if (error == 0) return names;
  JS_FreeValue(context, names);
  return js_failed(error);
}

JSValue js_target(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *path = files_path(context, arguments[0]);
  if (path == NULL) return JS_EXCEPTION;
  char target[PATH_MAX];
  ssize_t length = readlink(path, target, sizeof target);
  JSValue result = length < 0 ? js_failed(errno) : JS_NewStringLen(context, target, length);
  JS_FreeCString(context, path);
  return result;
}

JSValue js_real(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *path = files_path(context, arguments[0]);
  if (path == NULL) return JS_EXCEPTION;
  char real[PATH_MAX];
  JSValue result = realpath(path, real) == NULL ? js_failed(errno) : JS_NewString(context, real);
  JS_FreeCString(context, path);
  return result;
}

JSValue js_try_open(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  int fd = open_path(context, arguments[0], O_RDWR);
  if (fd <= 0) return fd < 0 ? js_failed(-fd) : JS_EXCEPTION;
  close(fd);
  return js_failed(0);
}

JSValue js_write_file(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  int fd = open_path(context, arguments[0], O_WRONLY);
  if (fd <= 0) return fd < 0 ? js_failed(-fd) : JS_EXCEPTION;
  struct octets octets = js_octets(context, arguments[1]);
  ssize_t written = write(fd, octets.data, octets.length);
  JSValue result = written < 0 ? js_failed(errno) : js_failed((size_t)written < octets.length ? EIO : 0);
  close(fd);
  return result;
}

JSValue js_rename(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *from = files_path(context, arguments[0]), *to = files_path(context, arguments[1]);
  JSValue result = from == NULL || to == NULL ? JS_EXCEPTION : js_outcome(rename(from, to));
  JS_FreeCString(context, from);
  JS_FreeCString(context, to);
  return result;
}

JSValue js_remove(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *path = files_path(context, arguments[0]);
  if (path == NULL) return JS_EXCEPTION;
  JSValue result = js_outcome(unlink(path));
  JS_FreeCString(context, path);
  return result;
}

JSValue js_make_folder(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *path = files_path(context, arguments[0]);
  if (path == NULL) return JS_EXCEPTION;
  JSValue result = js_outcome(mkdir(path, js_int(context, arguments[1])));
  JS_FreeCString(context, path);
  return result;
}
