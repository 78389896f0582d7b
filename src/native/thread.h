/* Threads that no signal interrupts: signals are for node. */
#ifndef LIFELINE_THREAD_H
#define LIFELINE_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

/* Returns 0 or an errno number. */
static inline int thread_start(pthread_t *thread, void *(*run)(void *), void *argument) {
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  int error = pthread_create(thread, NULL, run, argument);
  pthread_sigmask(SIG_SETMASK, &previous, NULL);
  return error;
}

#endif
