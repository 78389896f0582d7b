/* Says of each sequence number on stdin (a line "Ns ms") whether the data path takes the message: 1 or 0, a line each. */
#include <inttypes.h>
#include <stdio.h>

#include "sequence.h"

int main(void) {
  struct sequence sequence = {0};
  unsigned ns;
  int64_t now;
  while (scanf("%u %" SCNd64, &ns, &now) == 2) printf("%d\n", sequence_take(&sequence, (uint16_t)ns, now));
  return 0;
}
