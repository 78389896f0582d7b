#include "reactor.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "thread.h"

#define EVENTS_PER_TURN 16

static struct {
  bool running;
  pthread_t thread;
  int epoll, wake;
  /* Held while a descriptor is read: who takes it to remove one has waited for its reader. */
  pthread_mutex_t lock;
  struct watch *first;
  uint64_t last_token; /* 0 is the wake descriptor */
} reactor = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int start(void);
static void *react(void *unused);

static uint32_t awaited(const struct watch *watch) {
  return watch->events != 0 ? watch->events : EPOLLIN;
}

int reactor_add(struct watch *watch, int fd) {
  int error = start();
  if (error != 0) return error;
  pthread_mutex_lock(&reactor.lock);
  watch->fd = fd;
  watch->token = ++reactor.last_token;
  struct epoll_event event = {.events = awaited(watch), .data.u64 = watch->token};
  if (epoll_ctl(reactor.epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
    watch->next = reactor.first;
    reactor.first = watch;
  } else {
    error = errno;
    watch->token = 0;
  }
  pthread_mutex_unlock(&reactor.lock);
  return error;
}

static void forget(struct watch *watch) {
  struct watch **link = &reactor.first;
  while (*link != NULL && *link != watch) link = &(*link)->next;
  if (*link == watch) *link = watch->next;
  watch->token = 0;
  epoll_ctl(reactor.epoll, EPOLL_CTL_DEL, watch->fd, NULL);
}

void reactor_remove(struct watch *watch) {
  pthread_mutex_lock(&reactor.lock);
  if (watch->token != 0) forget(watch);
  pthread_mutex_unlock(&reactor.lock);
}

void reactor_pause(struct watch *watch) {
  epoll_ctl(reactor.epoll, EPOLL_CTL_DEL, watch->fd, NULL);
}

void reactor_resume(struct watch *watch) {
  struct epoll_event event = {.events = awaited(watch), .data.u64 = watch->token};
  if (watch->token != 0) epoll_ctl(reactor.epoll, EPOLL_CTL_ADD, watch->fd, &event);
}

void reactor_stop(void) {
  if (!reactor.running) return;
  reactor.running = false;
  eventfd_write(reactor.wake, 1);
  pthread_join(reactor.thread, NULL);
  close(reactor.epoll);
  close(reactor.wake);
}

static int start(void) {
  if (reactor.running) return 0;
  reactor.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (reactor.epoll < 0) return errno;
  reactor.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int error = reactor.wake < 0 ? errno : 0;
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};
  if (error == 0 && epoll_ctl(reactor.epoll, EPOLL_CTL_ADD, reactor.wake, &event) < 0) error = errno;
  if (error == 0) error = thread_start(&reactor.thread, react, NULL);
  if (error == 0) {
    reactor.running = true;
    return 0;
  }
  if (reactor.wake >= 0) close(reactor.wake);
  close(reactor.epoll);
  return error;
}

/* An event may be older than the removal of its descriptor: then none has its token any more. */
static void read_one(uint64_t token, uint8_t *buffer) {
  pthread_mutex_lock(&reactor.lock);
  struct watch *watch = reactor.first;
  while (watch != NULL && watch->token != token) watch = watch->next;
  if (watch != NULL && !watch->read(watch, buffer)) forget(watch);
  pthread_mutex_unlock(&reactor.lock);
}

static void *react(void *unused) {
  static uint8_t buffer[MAX_DATAGRAM];
  struct epoll_event events[EVENTS_PER_TURN];
  (void)unused;
  for (;;) {
    int count = epoll_wait(reactor.epoll, events, EVENTS_PER_TURN, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.u64 == 0) return NULL;
      read_one(events[i].data.u64, buffer);
    }
  }
}
