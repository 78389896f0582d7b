#include "memory.h"

#include <malloc.h>
#include <stdlib.h>

/* What an allocation costs beside its octets, on the whole. */
#define OVERHEAD 8

static bool exhausted;

bool memory_exhausted(void) {
  return exhausted;
}

void memory_refused(void) {
  exhausted = true;
}

static size_t size_of(const void *block) {
  return malloc_usable_size((void *)block);
}

static void *allocate(JSMallocState *state, size_t size) {
  void *block = size > state->malloc_limit - state->malloc_size ? NULL : malloc(size);
  if (block == NULL) {
    exhausted = true;
    return NULL;
  }
  state->malloc_count++;
  state->malloc_size += size_of(block) + OVERHEAD;
  return block;
}

static void release(JSMallocState *state, void *block) {
  if (block == NULL) return;
  state->malloc_count--;
  state->malloc_size -= size_of(block) + OVERHEAD;
  free(block);
}

static void *resize(JSMallocState *state, void *block, size_t size) {
  if (block == NULL) return size == 0 ? NULL : allocate(state, size);
  if (size == 0) {
    release(state, block);
    return NULL;
  }
  size_t before = size_of(block);
  bool fits = size <= before || size - before <= state->malloc_limit - state->malloc_size;
  void *moved = fits ? realloc(block, size) : NULL;
  if (moved == NULL) {
    exhausted = true;
    return NULL;
  }
  state->malloc_size += size_of(moved) - before;
  return moved;
}

const JSMallocFunctions memory_functions = {allocate, release, resize, size_of};
