#include "work.h"

#include "../native/thread.h"

#define MOST_AT_ONCE 4

/* Stack of a thread: getaddrinfo of musl has the answers of resolvers there. */
#define STACK (128 << 10)

/* Main thread. */
static struct {
  int at_work;
  struct work *first, *last;
} waiting;

static void *run(void *argument) {
  struct work *work = argument;
  work->perform(work);
  loop_post(&work->post);
  return NULL;
}

static void start(struct work *work) {
  pthread_t thread;
  pthread_attr_t attributes;
  waiting.at_work++;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK);
  if (thread_start_with(&thread, &attributes, run, work) != 0) run(work);
  pthread_attr_destroy(&attributes);
}

static void on_done(struct post *post) {
  struct work *work = (struct work *)post;
  waiting.at_work--;
  struct work *next = waiting.first;
  if (next != NULL) {
    waiting.first = next->next;
    start(next);
  }
  loop_release();
  work->done(work);
}

void work_begin(struct work *work) {
  work->post = (struct post){.run = on_done};
  work->next = NULL;
  loop_hold();
  if (waiting.at_work < MOST_AT_ONCE) {
    start(work);
  } else if (waiting.first == NULL) {
    waiting.first = waiting.last = work;
  } else {
    waiting.last->next = work;
    waiting.last = work;
  }
}
