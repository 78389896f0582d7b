/* Our ends of the pipes to and from a child process. */
#ifndef LIFELINE_PIPES_H
#define LIFELINE_PIPES_H

#include "js.h"
#include "loop.h"

struct pipe_reader {
  struct watch watch;
  int fd;
  bool open;
  /* With no octets: it has ended. */
  void (*read)(void *owner, const uint8_t *octets, size_t length);
  void *owner;
};

struct pipe_writer {
  struct watch watch;
  int fd;
  bool open;
  uint8_t *octets;
  size_t length, written;
};

/* Takes the descriptor, which does not wait. */
void pipe_reader_open(struct pipe_reader *reader, int fd, void (*read)(void *owner, const uint8_t *octets, size_t length), void *owner);

bool pipe_reader_is_open(const struct pipe_reader *reader);

/* Nothing is told any more. May be repeated. */
void pipe_reader_close(struct pipe_reader *reader);

/* Writes a copy of these octets as fast as they are read, then closes. */
void pipe_writer_open(struct pipe_writer *writer, int fd, const uint8_t *octets, size_t length);

/* May be repeated. */
void pipe_writer_close(struct pipe_writer *writer);

#endif
