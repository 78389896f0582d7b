/* Memory in whole pages. Not malloc, which hands out pages that were used before: of these only what is touched takes memory. */
#ifndef LIFELINE_PAGES_H
#define LIFELINE_PAGES_H

#include <stddef.h>
#include <sys/mman.h>

/* Zeroed; NULL without memory. */
static inline void *pages_map(size_t octets) {
  void *pages = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

static inline void pages_unmap(void *pages, size_t octets) {
  if (pages != NULL) munmap(pages, octets);
}

#endif
