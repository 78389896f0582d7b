#include "sequence.h"

static void begin(struct sequence *sequence, uint16_t ns) {
  sequence->known = true;
  sequence->newest = ns;
  sequence->seen = 1;
}

/* False for what came before, or is too old to tell. */
static bool note(struct sequence *sequence, uint16_t ns) {
  uint16_t ahead = (uint16_t)(ns - sequence->newest);
  if (ahead > 0 && ahead < 0x8000) {
    sequence->seen = ahead < SEQUENCE_WINDOW ? sequence->seen << ahead | 1 : 1;
    sequence->newest = ns;
    return true;
  }
  uint16_t behind = (uint16_t)(sequence->newest - ns);
  if (behind >= SEQUENCE_WINDOW) return false;
  uint64_t bit = (uint64_t)1 << behind;
  if (sequence->seen & bit) return false;
  sequence->seen |= bit;
  return true;
}

/* Refused, but not as one that the network has doubled or held up. */
static bool is_new_start(const struct sequence *sequence, uint16_t ns, int64_t now_ms) {
  if (now_ms - sequence->taken_at >= SEQUENCE_PATIENCE_MS) return true;
  uint16_t step = (uint16_t)(ns - sequence->doubtful);
  return sequence->doubted && step > 0 && step < SEQUENCE_WINDOW;
}

bool sequence_take(struct sequence *sequence, uint16_t ns, int64_t now_ms) {
  bool taken = sequence->known && note(sequence, ns);
  if (!taken && (!sequence->known || is_new_start(sequence, ns, now_ms))) {
    begin(sequence, ns);
    taken = true;
  }
  sequence->doubted = !taken;
  sequence->doubtful = ns;
  if (taken) sequence->taken_at = now_ms;
  return taken;
}
