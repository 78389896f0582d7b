#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"

/* What a turn of the loop takes of one stream. */
#define CHUNK 65536

/* A buffer that grew beyond this is not kept for the next time. */
#define KEPT 16384

static uint8_t chunk[CHUNK];

static void on_closing(struct post *post) {
  struct stream *stream = (struct stream *)((char *)post - offsetof(struct stream, closing));
  loop_release();
  stream->calls->closed(stream->listener, stream->error);
  stream_release(stream);
}

void stream_release(struct stream *stream) {
  if (--stream->references > 0) return;
  free(stream->unsent);
  free(stream);
}

void stream_destroy(struct stream *stream, int error) {
  if (stream->state == STREAM_OVER) return;
  stream->state = STREAM_OVER;
  stream->error = error;
  loop_forget(&stream->watch);
  if (stream->fd >= 0) close(stream->fd);
  stream->fd = -1;
  stream->unsent_length = stream->unsent_start = 0;
  stream->closing.run = on_closing;
  loop_post(&stream->closing);
}

static void expect(struct stream *stream) {
  bool writes = stream->state == STREAM_CONNECTING || stream->unsent_length > 0;
  bool reads = stream->state == STREAM_OPEN && !stream->read_ended;
  loop_expect(&stream->watch, (reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

/* Ends our direction when it is time to, and the stream when both have ended. */
static void check_ends(struct stream *stream) {
  if (stream->state != STREAM_OPEN) return;
  if (stream->write_ended && stream->unsent_length == 0 && !stream->shut) {
    stream->shut = true;
    shutdown(stream->fd, SHUT_WR);
  }
  if (stream->shut && stream->read_ended) stream_destroy(stream, 0);
}

/* How many octets the system took; of those that cannot be taken ever, the error ends the stream. */
static size_t send_some(struct stream *stream, const uint8_t *octets, size_t length) {
  size_t sent = 0;
  while (sent < length) {
    ssize_t taken = send(stream->fd, octets + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0) {
      if (errno != EAGAIN) stream_destroy(stream, errno);
      break;
    }
    sent += taken;
  }
  return sent;
}

static void send_unsent(struct stream *stream) {
  size_t sent = send_some(stream, stream->unsent + stream->unsent_start, stream->unsent_length);
  if (stream->state == STREAM_OVER) return;
  stream->unsent_start += sent;
  stream->unsent_length -= sent;
  if (stream->unsent_length > 0) return;
  stream->unsent_start = 0;
  if (stream->unsent_room > KEPT) {
    free(stream->unsent);
    stream->unsent = NULL;
    stream->unsent_room = 0;
  }
}

/* Keeps octets until the system takes them. False without memory. */
static bool keep(struct stream *stream, const uint8_t *octets, size_t length) {
  if (stream->unsent_start > 0) memmove(stream->unsent, stream->unsent + stream->unsent_start, stream->unsent_length);
  stream->unsent_start = 0;
  if (length > stream->unsent_room - stream->unsent_length) {
    size_t room = 2 * stream->unsent_room;
    if (room < stream->unsent_length + length) room = stream->unsent_length + length;
    uint8_t *grown = realloc(stream->unsent, room);
    if (grown == NULL) return false;
    stream->unsent = grown;
    stream->unsent_room = room;
  }
  memcpy(stream->unsent + stream->unsent_length, octets, length);
  stream->unsent_length += length;
  return true;
}

void stream_write(struct stream *stream, const uint8_t *octets, size_t length) {
  if (stream->state == STREAM_OVER || stream->write_ended || length == 0) return;
  size_t sent = 0;
  if (stream->state == STREAM_OPEN && stream->unsent_length == 0) sent = send_some(stream, octets, length);
  if (stream->state == STREAM_OVER || sent == length) return;
  if (!keep(stream, octets + sent, length - sent)) {
    memory_refused();
    stream_destroy(stream, ENOMEM);
    return;
  }
  expect(stream);
}

size_t stream_pending(const struct stream *stream) {
  return stream->unsent_length;
}

void stream_finish(struct stream *stream) {
  stream->write_ended = true;
  check_ends(stream);
}

static void on_connected(struct stream *stream) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
  if (error != 0) {
    stream_destroy(stream, error);
    return;
  }
  stream->state = STREAM_OPEN;
  stream->calls->opened(stream->listener);
}

static void read_some(struct stream *stream) {
  ssize_t length = recv(stream->fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (length < 0) {
    if (errno != EAGAIN && errno != EINTR) stream_destroy(stream, errno);
  } else if (length > 0) {
    stream->calls->read(stream->listener, chunk, length);
  } else {
    stream->read_ended = true;
    stream->calls->ended(stream->listener);
  }
}

/* Whoever listens may let go of the stream at any time. */
static void on_ready(struct watch *watch, short events) {
  struct stream *stream = (struct stream *)watch;
  stream->references++;
  if (stream->state == STREAM_CONNECTING) on_connected(stream);
  if (stream->state == STREAM_OPEN && (events & (POLLOUT | POLLERR | POLLHUP)) && stream->unsent_length > 0) send_unsent(stream);
  if (stream->state == STREAM_OPEN && (events & (POLLIN | POLLERR | POLLHUP)) && !stream->read_ended) read_some(stream);
  check_ends(stream);
  /* The peer is gone altogether. That would be told again and again; only a write can show more. */
  if (stream->read_ended && (events & (POLLERR | POLLHUP)) && stream->unsent_length == 0) loop_forget(&stream->watch);
  if (stream->state != STREAM_OVER) expect(stream);
  stream_release(stream);
}

static struct stream *create(int fd, const struct listener_calls *calls, void *listener) {
  struct stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) return NULL;
  stream->watch.place = NOT_WATCHED;
  stream->fd = fd;
  stream->calls = calls;
  stream->listener = listener;
  stream->references = 2;
  return stream;
}

struct stream *stream_create(int fd, bool open, const struct listener_calls *calls, void *listener) {
  struct stream *stream = create(fd, calls, listener);
  if (stream == NULL || !loop_watch(&stream->watch, fd, open ? POLLIN : POLLOUT, on_ready)) {
    free(stream);
    close(fd);
    return NULL;
  }
  stream->state = open ? STREAM_OPEN : STREAM_CONNECTING;
  loop_hold();
  return stream;
}

struct stream *stream_refused(int error, const struct listener_calls *calls, void *listener) {
  struct stream *stream = create(-1, calls, listener);
  if (stream == NULL) return NULL;
  loop_hold();
  stream_destroy(stream, error);
  return stream;
}
