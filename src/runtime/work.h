/* Work that the system makes wait for, done by a thread of its own: the loop goes on meanwhile. */
#ifndef LIFELINE_WORK_H
#define LIFELINE_WORK_H

#include "loop.h"

struct work {
  struct post post;
  void (*perform)(struct work *work); /* in the thread: touches nothing but what belongs to the work */
  void (*done)(struct work *work);    /* in the loop, after that; the work is its own again */
  struct work *next;
};

/* Begins, or waits until one of those at work is done where they are many. Keeps the loop running. Where no thread can be
 * had it is performed at once, and done in a turn to come. */
void work_begin(struct work *work);

#endif
