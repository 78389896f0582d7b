#include "replace.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "files.h"
#include "work.h"

struct replacement {
  struct work work;
  char *path, *temporary;
  uint8_t *octets;
  size_t length;
  int error;
  JSValue done;
};

static JSContext *js;

void replace_start(JSContext *context) {
  js = context;
}

/* Returns 0 or an errno number. */
static int store(const char *path, const uint8_t *octets, size_t length) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  int error = 0;
  while (length > 0 && error == 0) {
    ssize_t written = write(fd, octets, length);
    if (written < 0) {
      error = errno == EINTR ? 0 : errno;
    } else {
      octets += written;
      length -= written;
    }
  }
  if (error == 0 && fsync(fd) < 0) error = errno;
  if (close(fd) < 0 && error == 0) error = errno;
  return error;
}

/* Makes the rename itself last; a file system that cannot do that is no reason to fail. */
static int store_folder(char *path) {
  int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = fsync(fd) < 0 && errno != EINVAL ? errno : 0;
  close(fd);
  return error;
}

static void perform(struct work *work) {
  struct replacement *replacement = (struct replacement *)work;
  replacement->error = store(replacement->temporary, replacement->octets, replacement->length);
  if (replacement->error == 0 && rename(replacement->temporary, replacement->path) < 0) replacement->error = errno;
  if (replacement->error == 0) replacement->error = store_folder(replacement->path);
}

static void forget(struct replacement *replacement) {
  free(replacement->path);
  free(replacement->temporary);
  free(replacement->octets);
  free(replacement);
}

static void on_done(struct work *work) {
  struct replacement *replacement = (struct replacement *)work;
  JSValue outcome = js_failed(replacement->error);
  JSValue done = replacement->done;
  forget(replacement);
  engine_call(js, done, 1, &outcome);
  JS_FreeValue(js, done);
}

JSValue js_replace(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct octets octets = js_octets(context, arguments[1]);
  struct replacement *replacement = calloc(1, sizeof *replacement);
  const char *path = replacement == NULL ? NULL : files_path(context, arguments[0]);
  if (path != NULL) {
    replacement->path = strdup(path);
    if (asprintf(&replacement->temporary, "%s.new", path) < 0) replacement->temporary = NULL;
    replacement->octets = malloc(octets.length + 1);
    JS_FreeCString(context, path);
  }
  if (path == NULL || replacement->path == NULL || replacement->temporary == NULL || replacement->octets == NULL) {
    if (replacement != NULL) forget(replacement);
    return JS_ThrowOutOfMemory(context);
  }
  if (octets.length > 0) memcpy(replacement->octets, octets.data, octets.length);
  replacement->length = octets.length;
  replacement->done = JS_DupValue(context, arguments[2]);
  replacement->work = (struct work){.perform = perform, .done = on_done};
  work_begin(&replacement->work);
  return JS_UNDEFINED;
}
