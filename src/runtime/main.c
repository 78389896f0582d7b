/* lifeline as one executable: QuickJS, a loop, and the bytecode of src/main.ts. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "lookup.h"
#include "loop.h"
#include "modules.h"
#include "node-api.h"
#include "process.h"
#include "programs.h"
#include "replace.h"
#include "servers.h"
#include "signals.h"
#include "sockets.h"
#include "timers.h"

/* Octets that JavaScript may hold: many times what it needs, and few enough for a small router to live on. */
#define MEMORY_LIMIT (64u << 20)

extern const uint8_t program_bytecode[], program_bytecode_end[];

/* What is opened next must not become a standard stream. */
static bool open_standard_streams(void) {
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
  return true;
}

static int refuse(const char *what) {
  process_say("lifeline: it cannot start: ");
  process_say(what);
  process_say("\n");
  return 1;
}

int main(int count, char **arguments) {
  process_start(count, arguments);
  if (!open_standard_streams()) return refuse("there is no /dev/null");
  int error = loop_start();
  if (error != 0) return refuse(strerror(error));
  JSContext *context = engine_start(MEMORY_LIMIT);
  if (context == NULL) return refuse("no memory");
  signals_start(context);
  replace_start(context);
  lookup_start(context);
  if (!timers_start(context) || !sockets_start(context) || !servers_start(context) || !programs_start(context) ||
      !node_api_start(context) || !modules_add(context))
    return refuse("no memory");
  engine_run(context, program_bytecode, program_bytecode_end - program_bytecode);
  loop_run();
  node_api_end();
  timers_end(context);
  signals_end(context);
  engine_end(context);
  loop_end();
  return 0;
}
