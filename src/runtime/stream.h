/* A stream socket. What it reads goes to whoever listens, at most one piece in a turn of the loop; what it is to write waits
 * in memory until the system takes it. Each direction ends by itself. TLS puts itself between a stream and its listener. */
#ifndef LIFELINE_STREAM_H
#define LIFELINE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

struct stream;

/* Who hears of a stream. Once `stream_destroy` was called, nothing but `closed` comes; it comes once, as the last. */
struct listener_calls {
  void (*opened)(void *listener);
  void (*read)(void *listener, const uint8_t *octets, size_t length);
  void (*ended)(void *listener);
  void (*closed)(void *listener, int error);
};

enum stream_state { STREAM_CONNECTING, STREAM_OPEN, STREAM_OVER };

struct stream {
  struct watch watch;
  int fd;
  enum stream_state state;
  bool read_ended, write_ended; /* the peer sends no more; we were told to send no more */
  bool shut;                    /* our direction has ended for the peer too */
  uint8_t *unsent;
  size_t unsent_length, unsent_room, unsent_start;
  struct post closing; /* holds a reference while it is posted */
  int error;
  const struct listener_calls *calls;
  void *listener;
  int references;
};

/* Takes a descriptor that does not wait; one that is connected if it is `open`, else one that connects. One reference is
 * the caller's, and one its own until it is over. NULL without memory: the descriptor is closed then. */
struct stream *stream_create(int fd, bool open, const struct listener_calls *calls, void *listener);

/* One that never comes to be, for this errno number, which is told in a turn to come. */
struct stream *stream_refused(int error, const struct listener_calls *calls, void *listener);

void stream_release(struct stream *stream);

/* Writes what the system takes at once, and keeps the rest. Nothing happens where our direction has ended. */
void stream_write(struct stream *stream, const uint8_t *octets, size_t length);

/* Octets that the system has not taken yet. */
size_t stream_pending(const struct stream *stream);

/* What is pending goes out, then our direction ends. */
void stream_finish(struct stream *stream);

/* Lets go of the connection at once, for this errno number or 0. */
void stream_destroy(struct stream *stream, int error);

#endif
