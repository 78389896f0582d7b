#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "signals.h"
#include "timers.h"

static struct {
  struct pollfd *descriptors;
  struct watch **watches; /* NULL: forgotten since the turn began */
  size_t count, room;
  bool holes;
  size_t holds;
  struct watch bell;
  int bell_fd;
  pthread_mutex_t lock; /* guards what follows */
  struct post *first, *last;
} loop = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_bell(struct watch *watch, short events) {
  eventfd_t rung;
  (void)watch;
  (void)events;
  eventfd_read(loop.bell_fd, &rung);
}

int loop_start(void) {
  loop.bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (loop.bell_fd < 0) return errno;
  return loop_watch(&loop.bell, loop.bell_fd, POLLIN, on_bell) ? 0 : ENOMEM;
}

void loop_end(void) {
  close(loop.bell_fd);
  free(loop.descriptors);
  free(loop.watches);
  loop.descriptors = NULL;
  loop.watches = NULL;
  loop.count = loop.room = 0;
}

static bool make_room(void) {
  if (loop.count < loop.room) return true;
  size_t room = loop.room == 0 ? 16 : 2 * loop.room;
  struct pollfd *descriptors = realloc(loop.descriptors, room * sizeof *descriptors);
  if (descriptors == NULL) return false;
  loop.descriptors = descriptors;
  struct watch **watches = realloc(loop.watches, room * sizeof *watches);
  if (watches == NULL) return false;
  loop.watches = watches;
  loop.room = room;
  return true;
}

bool loop_watch(struct watch *watch, int fd, short events, void (*ready)(struct watch *watch, short events)) {
  watch->place = NOT_WATCHED;
  if (!make_room()) return false;
  watch->place = loop.count++;
  watch->ready = ready;
  loop.descriptors[watch->place] = (struct pollfd){.fd = fd, .events = events};
  loop.watches[watch->place] = watch;
  return true;
}

void loop_expect(struct watch *watch, short events) {
  if (watch->place != NOT_WATCHED) loop.descriptors[watch->place].events = events;
}

/* Its place is closed up between turns, since one may go through all of them now. */
void loop_forget(struct watch *watch) {
  if (watch->place == NOT_WATCHED) return;
  loop.descriptors[watch->place].fd = -1;
  loop.watches[watch->place] = NULL;
  watch->place = NOT_WATCHED;
  loop.holes = true;
}

static void close_up(void) {
  size_t kept = 0;
  for (size_t i = 0; i < loop.count; i++) {
    if (loop.watches[i] == NULL) continue;
    loop.descriptors[kept] = loop.descriptors[i];
    loop.watches[kept] = loop.watches[i];
    loop.watches[kept]->place = kept;
    kept++;
  }
  loop.count = kept;
  loop.holes = false;
}

void loop_hold(void) {
  loop.holds++;
}

void loop_release(void) {
  loop.holds--;
}

void loop_post(struct post *post) {
  pthread_mutex_lock(&loop.lock);
  bool ring = loop.first == NULL;
  if (!post->posted) {
    post->posted = true;
    post->next = NULL;
    if (loop.first == NULL)
      loop.first = post;
    else
      loop.last->next = post;
    loop.last = post;
  }
  pthread_mutex_unlock(&loop.lock);
  if (ring) eventfd_write(loop.bell_fd, 1);
}

/* What is posted meanwhile waits for the next turn. */
static void run_posts(void) {
  pthread_mutex_lock(&loop.lock);
  struct post *post = loop.first;
  loop.first = loop.last = NULL;
  pthread_mutex_unlock(&loop.lock);
  while (post != NULL) {
    struct post *next = post->next;
    pthread_mutex_lock(&loop.lock);
    post->posted = false;
    pthread_mutex_unlock(&loop.lock);
    post->run(post);
    post = next;
  }
}

/* The signals' own mask holds while this waits, and only then. */
static void turn(void) {
  struct timespec patience;
  bool limited = timers_patience(&patience);
  if (loop.holes) close_up();
  size_t count = loop.count;
  int ready = ppoll(loop.descriptors, count, limited ? &patience : NULL, signals_mask());
  signals_run();
  for (size_t i = 0; i < count && ready > 0; i++) {
    short events = loop.descriptors[i].revents;
    if (events == 0) continue;
    ready--;
    struct watch *watch = loop.watches[i];
    if (watch != NULL) watch->ready(watch, events);
  }
  run_posts();
  timers_run();
}

void loop_run(void) {
  while (loop.holds > 0 || timers_pending()) turn();
}
