#include "pipes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

/* What a turn of the loop takes. */
#define CHUNK 65536

static uint8_t chunk[CHUNK];

void pipe_reader_close(struct pipe_reader *reader) {
  if (!reader->open) return;
  loop_forget(&reader->watch);
  close(reader->fd);
  reader->open = false;
}

static void on_readable(struct watch *watch, short events) {
  struct pipe_reader *reader = (struct pipe_reader *)watch;
  (void)events;
  ssize_t length = read(reader->fd, chunk, sizeof chunk);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) pipe_reader_close(reader);
  reader->read(reader->owner, chunk, length > 0 ? length : 0);
}

void pipe_reader_open(struct pipe_reader *reader, int fd, void (*read)(void *owner, const uint8_t *octets, size_t length), void *owner) {
  *reader = (struct pipe_reader){.fd = fd, .open = true, .read = read, .owner = owner};
  if (loop_watch(&reader->watch, fd, POLLIN, on_readable)) return;
  memory_refused();
  pipe_reader_close(reader);
}

bool pipe_reader_is_open(const struct pipe_reader *reader) {
  return reader->open;
}

static void on_writable(struct watch *watch, short events) {
  struct pipe_writer *writer = (struct pipe_writer *)watch;
  (void)events;
  ssize_t written = write(writer->fd, writer->octets + writer->written, writer->length - writer->written);
  if (written < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (written > 0) writer->written += written;
  /* That it does not read all is no error. */
  if (written < 0 || writer->written == writer->length) pipe_writer_close(writer);
}

void pipe_writer_open(struct pipe_writer *writer, int fd, const uint8_t *octets, size_t length) {
  *writer = (struct pipe_writer){.watch.place = NOT_WATCHED, .fd = fd, .open = true, .octets = malloc(length), .length = length};
  if (writer->octets == NULL || !loop_watch(&writer->watch, fd, POLLOUT, on_writable)) {
    memory_refused();
    pipe_writer_close(writer);
    return;
  }
  memcpy(writer->octets, octets, length);
}

void pipe_writer_close(struct pipe_writer *writer) {
  if (!writer->open) return;
  loop_forget(&writer->watch);
  close(writer->fd);
  free(writer->octets);
  writer->octets = NULL;
  writer->open = false;
}
