#include "mail.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "pages.h"

#define ERROR_INTERVAL_MS 200

/* Mail that keeps coming must not starve the rest of the event loop, nor one mailbox another. */
#define MESSAGES_PER_TURN 64
#define MESSAGES_PER_VISIT 16

/* Errors of one mailbox, whatever they are. */
#define ERRORS_PER_SECOND 5
#define ERRORS_AT_ONCE 5

/* How a message lies in a mailbox; its octets follow, padded to a multiple of 8. */
struct entry {
  uint32_t length;
  int32_t error;
  uint32_t number;
  uint32_t host_length;
  uint8_t host[16];
};

static struct {
  napi_threadsafe_function doorbell;
  napi_ref later, go_on; /* JS thread: setImmediate, and the function that goes on with the mail */
  pthread_mutex_t lock; /* guards all mailboxes and what follows */
  struct mailbox *first, *last;
  struct mailbox *delivering; /* JS thread: whose messages JS has at hand, until it is closed */
  bool rung;
} office = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_bell(napi_env env, napi_value unused, void *context, void *data);
static napi_value js_go_on(napi_env env, napi_callback_info info);
static bool append(struct mailbox *mailbox, const struct entry *entry, const void *bytes);

static size_t padded(size_t length) {
  return (length + 7) & ~(size_t)7;
}

bool mailbox_create(struct mailbox *mailbox, size_t capacity, struct watch *source) {
  mailbox->source = source;
  mailbox->capacity = capacity;
  mailbox->filling = pages_map(capacity);
  mailbox->draining = pages_map(capacity);
  mailbox->errors = (struct rate){.per_second = ERRORS_PER_SECOND, .burst = ERRORS_AT_ONCE};
  if (mailbox->filling != NULL && mailbox->draining != NULL) return true;
  mailbox_destroy(mailbox);
  return false;
}

void mailbox_destroy(struct mailbox *mailbox) {
  pages_unmap(mailbox->filling, mailbox->capacity);
  pages_unmap(mailbox->draining, mailbox->capacity);
  *mailbox = (struct mailbox){0};
}

napi_status mail_start(napi_env env) {
  napi_value name;
  napi_status status = napi_create_string_utf8(env, "lifeline", NAPI_AUTO_LENGTH, &name);
  if (status != napi_ok) return status;
  napi_value global, later, go_on;
  office.rung = false;
  status = napi_get_global(env, &global);
  if (status == napi_ok) status = napi_get_named_property(env, global, "setImmediate", &later);
  if (status == napi_ok) status = napi_create_reference(env, later, 1, &office.later);
  if (status == napi_ok) status = napi_create_function(env, "goOn", NAPI_AUTO_LENGTH, js_go_on, NULL, &go_on);
  if (status == napi_ok) status = napi_create_reference(env, go_on, 1, &office.go_on);
  if (status != napi_ok) return status;
  status = napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, on_bell, &office.doorbell);
  if (status != napi_ok) return status;
  return napi_unref_threadsafe_function(env, office.doorbell);
}

void mail_keep_alive(napi_env env, bool keep) {
  if (keep)
    napi_ref_threadsafe_function(env, office.doorbell);
  else
    napi_unref_threadsafe_function(env, office.doorbell);
}

static void set_host(struct entry *entry, const union address *from) {
  size_t count;
  if (from == NULL) return;
  const uint8_t *host = address_octets(from, &count);
  entry->host_length = count;
  memcpy(entry->host, host, count);
}

bool mail_post(struct mailbox *mailbox, const void *bytes, size_t length, const union address *from, uint32_t number) {
  struct entry entry = {.length = length, .number = number};
  struct rate *rate = &mailbox->rate;
  if (rate->per_second > 0 && !rate_take(rate, mail_now_us())) return false;
  set_host(&entry, from);
  return append(mailbox, &entry, bytes);
}

void mail_post_error(struct mailbox *mailbox, int error) {
  int64_t now = mail_now_us() / 1000;
  pthread_mutex_lock(&office.lock);
  bool again = mailbox->last_error == error && now - mailbox->last_error_at < ERROR_INTERVAL_MS;
  again = again || !rate_take(&mailbox->errors, now * 1000);
  if (!again) {
    mailbox->last_error = error;
    mailbox->last_error_at = now;
  }
  pthread_mutex_unlock(&office.lock);
  if (!again) append(mailbox, &(struct entry){.error = error}, NULL);
}

void mail_post_icmp_error(struct mailbox *mailbox, const struct mail_error *error) {
  struct entry entry = {.error = error->error, .length = error->quote_length};
  pthread_mutex_lock(&office.lock);
  bool told = rate_take(&mailbox->errors, mail_now_us());
  pthread_mutex_unlock(&office.lock);
  if (!told) return;
  set_host(&entry, error->offender);
  append(mailbox, &entry, error->quote);
}

void mail_post_loss(struct mailbox *mailbox) {
  append(mailbox, &(struct entry){.error = ENOBUFS}, NULL);
}

bool mail_has_room(struct mailbox *mailbox) {
  pthread_mutex_lock(&office.lock);
  bool room = mailbox->capacity - mailbox->used >= 2 * sizeof(struct entry) + MAX_DATAGRAM;
  if (!room) {
    mailbox->full = true;
    reactor_pause(mailbox->source);
  }
  pthread_mutex_unlock(&office.lock);
  return room;
}

void mail_close(struct mailbox *mailbox) {
  pthread_mutex_lock(&office.lock);
  struct mailbox **link = &office.first;
  struct mailbox *previous = NULL;
  while (*link != NULL && *link != mailbox) {
    previous = *link;
    link = &previous->next;
  }
  if (*link == mailbox) {
    *link = mailbox->next;
    if (office.last == mailbox) office.last = previous;
  }
  if (office.delivering == mailbox) office.delivering = NULL;
  mailbox_destroy(mailbox);
  pthread_mutex_unlock(&office.lock);
}

/* The caller holds the lock. */
static void list(struct mailbox *mailbox) {
  if (mailbox->listed) return;
  mailbox->listed = true;
  mailbox->next = NULL;
  if (office.first == NULL)
    office.first = mailbox;
  else
    office.last->next = mailbox;
  office.last = mailbox;
}

static bool append(struct mailbox *mailbox, const struct entry *entry, const void *bytes) {
  size_t needed = sizeof *entry + padded(entry->length);
  pthread_mutex_lock(&office.lock);
  bool fits = mailbox->capacity - mailbox->used >= needed;
  bool ring = false;
  if (fits) {
    uint8_t *place = mailbox->filling + mailbox->used;
    memcpy(place, entry, sizeof *entry);
    if (entry->length > 0) memcpy(place + sizeof *entry, bytes, entry->length);
    mailbox->used += needed;
    list(mailbox);
    ring = !office.rung;
    office.rung = true;
  }
  pthread_mutex_unlock(&office.lock);
  if (ring) napi_call_threadsafe_function(office.doorbell, NULL, napi_tsfn_nonblocking);
  return fits;
}

/* The first mailbox that has mail for JS to read in its draining buffer; NULL if none has. */
static struct mailbox *take(void) {
  pthread_mutex_lock(&office.lock);
  struct mailbox *mailbox = office.delivering = office.first;
  if (mailbox == NULL) {
    office.rung = false;
  } else {
    office.first = mailbox->next;
    if (office.first == NULL) office.last = NULL;
    mailbox->listed = false;
    if (mailbox->drained == mailbox->to_drain) {
      uint8_t *filled = mailbox->filling;
      mailbox->filling = mailbox->draining;
      mailbox->draining = filled;
      mailbox->drained = 0;
      mailbox->to_drain = mailbox->used;
      mailbox->used = 0;
      if (mailbox->full) {
        mailbox->full = false;
        reactor_resume(mailbox->source);
      }
    }
  }
  pthread_mutex_unlock(&office.lock);
  return mailbox;
}

/* What is left of the mail at hand waits behind that of the others. JS may have closed its mailbox meanwhile. */
static void put_back(void) {
  pthread_mutex_lock(&office.lock);
  struct mailbox *mailbox = office.delivering;
  office.delivering = NULL;
  if (mailbox != NULL && (mailbox->drained < mailbox->to_drain || mailbox->used > 0)) list(mailbox);
  pthread_mutex_unlock(&office.lock);
}

static napi_value octets_to_js(napi_env env, const uint8_t *octets, size_t length) {
  napi_value buffer, array = NULL;
  void *data = NULL;
  if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok) return NULL;
  if (length > 0) memcpy(data, octets, length);
  napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array);
  return array;
}

static napi_value entry_to_js(napi_env env, const struct entry *entry) {
  napi_value object;
  napi_create_object(env, &object);
  if (entry->error != 0) {
    set_property(env, object, "error", js_number(env, entry->error));
    if (entry->host_length == 0) return object;
  }
  const uint8_t *bytes = (const uint8_t *)entry + sizeof *entry;
  set_property(env, object, "bytes", octets_to_js(env, bytes, entry->length));
  set_property(env, object, "host", octets_to_js(env, entry->host, entry->host_length));
  set_property(env, object, "number", js_number(env, entry->number));
  return object;
}

/* Hands at most `most` messages to JS; how many. */
static uint32_t hand_over(napi_env env, struct mailbox *mailbox, uint32_t most) {
  napi_value batch, callback, undefined;
  uint32_t count = 0;
  napi_create_array(env, &batch);
  while (mailbox->drained < mailbox->to_drain && count < most) {
    const struct entry *entry = (const struct entry *)(mailbox->draining + mailbox->drained);
    napi_set_element(env, batch, count++, entry_to_js(env, entry));
    mailbox->drained += sizeof *entry + padded(entry->length);
  }
  napi_get_undefined(env, &undefined);
  napi_get_reference_value(env, mailbox->callback, &callback);
  if (napi_call_function(env, undefined, callback, 1, &batch, NULL) == napi_pending_exception) {
    napi_value exception;
    napi_get_and_clear_last_exception(env, &exception);
    napi_fatal_exception(env, exception);
  }
  return count;
}

/* The doorbell would ring again before this turn of the event loop ends; an immediate comes after timers and sockets. */
static void go_on_later(napi_env env) {
  napi_value undefined, later, go_on;
  napi_get_undefined(env, &undefined);
  napi_get_reference_value(env, office.later, &later);
  napi_get_reference_value(env, office.go_on, &go_on);
  napi_call_function(env, undefined, later, 1, &go_on, NULL);
}

static void deliver(napi_env env) {
  for (uint32_t left = MESSAGES_PER_TURN; left > 0;) {
    struct mailbox *mailbox = take();
    if (mailbox == NULL) return;
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    left -= hand_over(env, mailbox, left < MESSAGES_PER_VISIT ? left : MESSAGES_PER_VISIT);
    napi_close_handle_scope(env, scope);
    put_back();
  }
  go_on_later(env);
}

static void on_bell(napi_env env, napi_value unused, void *context, void *data) {
  (void)unused;
  (void)context;
  (void)data;
  if (env != NULL) deliver(env);
}

static napi_value js_go_on(napi_env env, napi_callback_info info) {
  (void)info;
  deliver(env);
  return NULL;
}

int64_t mail_now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
