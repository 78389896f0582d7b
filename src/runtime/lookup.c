#include "lookup.h"

#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine.h"
#include "work.h"

struct lookup {
  struct work work;
  char *host;
  int result; /* of getaddrinfo(3) */
  struct addrinfo *found;
  JSValue done;
};

static JSContext *js;

void lookup_start(JSContext *context) {
  js = context;
}

static void perform(struct work *work) {
  struct lookup *lookup = (struct lookup *)work;
  const struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
  lookup->result = getaddrinfo(lookup->host, NULL, &hints, &lookup->found);
}

static const char *code_of(int result) {
  switch (result) {
    case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    case EAI_NODATA:
#endif
      return "ENOTFOUND";
    case EAI_AGAIN:
      return "EAI_AGAIN";
    case EAI_MEMORY:
      return "ENOMEM";
    default:
      return "EAI_FAIL";
  }
}

static JSValue addresses_of(const struct addrinfo *found) {
  JSValue addresses = JS_NewArray(js);
  uint32_t length = 0;
  for (; found != NULL; found = found->ai_next) {
    char host[NI_MAXHOST];
    if (getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST) == 0)
      JS_SetPropertyUint32(js, addresses, length++, JS_NewString(js, host));
  }
  return addresses;
}

static void on_done(struct work *work) {
  struct lookup *lookup = (struct lookup *)work;
  JSValue outcome = lookup->result == 0 ? addresses_of(lookup->found) : JS_NewString(js, code_of(lookup->result));
  JSValue done = lookup->done;
  if (lookup->result == 0) freeaddrinfo(lookup->found);
  free(lookup->host);
  free(lookup);
  engine_call(js, done, 1, &outcome);
  JS_FreeValue(js, done);
}

JSValue js_lookup(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  const char *host = JS_ToCString(context, arguments[0]);
  if (host == NULL) return JS_EXCEPTION;
  struct lookup *lookup = calloc(1, sizeof *lookup);
  if (lookup != NULL) lookup->host = strdup(host);
  JS_FreeCString(context, host);
  if (lookup == NULL || lookup->host == NULL) {
    free(lookup);
    return JS_ThrowOutOfMemory(context);
  }
  lookup->done = JS_DupValue(context, arguments[1]);
  lookup->work = (struct work){.perform = perform, .done = on_done};
  work_begin(&lookup->work);
  return JS_UNDEFINED;
}
