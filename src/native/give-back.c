#include "give-back.h"

#include <stdio.h>
#include <sys/mman.h>

/* glibc keeps what was freed; musl has no such function and gives it back by itself. */
extern int malloc_trim(size_t pad) __attribute__((weak));

/* Pages of code that are mapped from a file and cannot be written are never dirty: they come back from the page cache. */
static void drop_code(void) {
  char line[512];
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL) return;
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end, inode;
    char permissions[5];
    if (sscanf(line, "%lx-%lx %4s %*s %*s %lu", &start, &end, permissions, &inode) != 4) continue;
    if (inode != 0 && strcmp(permissions, "r-xp") == 0) madvise((void *)start, end - start, MADV_DONTNEED);
  }
  fclose(maps);
}

napi_value js_give_back(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  if (malloc_trim != NULL) malloc_trim(0);
  drop_code();
  return NULL;
}
