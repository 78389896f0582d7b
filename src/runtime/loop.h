/* The loop that everything else of this program hangs on: it waits for descriptors, signals, timers and what other threads
 * post, and calls whoever waits for them. A turn does only what was due when it began, so that nobody keeps another waiting
 * for longer than one piece of work. All but `loop_post` is for the main thread. */
#ifndef LIFELINE_LOOP_H
#define LIFELINE_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* A descriptor that somebody waits for; lives in what its owner has of it. */
struct watch {
  size_t place; /* among those of the loop; NOT_WATCHED: in none */
  void (*ready)(struct watch *watch, short events);
};

#define NOT_WATCHED ((size_t)-1)

/* Something to be run by the loop, at the request of another thread; lives in what its owner has of it. */
struct post {
  void (*run)(struct post *post);
  struct post *next;
  bool posted;
};

/* Returns 0 or an errno number. */
int loop_start(void);

/* Waits until nothing holds the loop any more. */
void loop_run(void);

void loop_end(void);

/* Waits for `events` (poll(2)) of a descriptor; errors and hang-ups are told whatever is waited for. False without memory. */
bool loop_watch(struct watch *watch, int fd, short events, void (*ready)(struct watch *watch, short events));

/* Waits for other events. */
void loop_expect(struct watch *watch, short events);

/* Does nothing where it is not watched. */
void loop_forget(struct watch *watch);

/* Each hold keeps the loop running until its release. */
void loop_hold(void);
void loop_release(void);

/* Any thread: runs it in a turn to come, once however often it was posted before that. */
void loop_post(struct post *post);

#endif
