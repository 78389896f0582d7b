/* How many messages of one sender reach JS: a bucket that fills with time. */
#ifndef LIFELINE_RATE_H
#define LIFELINE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
  uint32_t per_second, burst;
  int64_t spent_us; /* the bucket is as full as the time since then: each message moves it by its share of a second */
};

/* Takes one message out of the bucket; false if it is empty. `now_us`: monotonic. */
static inline bool rate_take(struct rate *rate, int64_t now_us) {
  int64_t share = 1000000 / rate->per_second;
  int64_t full = now_us - share * rate->burst;
  if (rate->spent_us < full) rate->spent_us = full;
  if (rate->spent_us + share > now_us) return false;
  rate->spent_us += share;
  return true;
}

#endif
