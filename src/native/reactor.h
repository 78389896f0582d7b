/* The reactor is one thread that reads every channel which no data path reads. */
#ifndef LIFELINE_REACTOR_H
#define LIFELINE_REACTOR_H

#include "channel.h"

/* JS thread. Starts the reactor if need be. Returns 0 or an errno number. */
int reactor_add(struct channel *channel);

/* JS thread. When it returns, the reactor does not touch the channel any more. */
void reactor_remove(struct channel *channel);

/* Stop and go on polling; the caller holds the lock of the mail. */
void reactor_pause(struct channel *channel);
void reactor_resume(struct channel *channel);

/* When the environment ends; after all channels are closed. */
void reactor_stop(void);

#endif
