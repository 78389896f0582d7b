/* Threads that no signal interrupts: signals are for the main thread. */
#ifndef LIFELINE_THREAD_H
#define LIFELINE_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

/* Returns 0 or an errno number. */
static inline int thread_start_with(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  int error = pthread_create(thread, attributes, run, argument);
  pthread_sigmask(SIG_SETMASK, &previous, NULL);
  return error;
}

static inline int thread_start(pthread_t *thread, void *(*run)(void *), void *argument) {
  return thread_start_with(thread, NULL, run, argument);
}

#endif
