#include "channel.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static struct channel *open_channels;

static bool read_watched(struct watch *watch, uint8_t *buffer);
static void forget(struct channel *channel);
static void on_collected(napi_env env, void *data, void *hint);

struct channel *channel_create(enum channel_kind kind, size_t size, size_t capacity) {
  struct channel *channel = calloc(1, size);
  if (channel == NULL) return NULL;
  channel->kind = kind;
  channel->fd = -1;
  channel->watch.read = read_watched;
  if (!mailbox_create(&channel->mailbox, capacity, &channel->watch)) {
    free(channel);
    return NULL;
  }
  return channel;
}

napi_value channel_open(napi_env env, struct channel *channel, int fd, napi_value callback) {
  napi_value handle;
  if (napi_create_reference(env, callback, 1, &channel->mailbox.callback) != napi_ok) {
    close(fd);
    return channel_refuse(env, channel, EINVAL);
  }
  channel->fd = fd;
  channel->next_open = open_channels;
  if (open_channels != NULL) open_channels->previous_open = channel;
  open_channels = channel;
  mail_keep_alive(env, true);
  int error = reactor_add(&channel->watch, fd);
  if (error == 0 && napi_create_external(env, channel, on_collected, NULL, &handle) == napi_ok) return handle;
  channel_close(env, channel);
  return channel_refuse(env, channel, error != 0 ? error : ENOMEM);
}

napi_value channel_refuse(napi_env env, struct channel *channel, int error) {
  if (channel != NULL) forget(channel);
  return js_number(env, -error);
}

struct channel *channel_from(napi_env env, napi_value handle, enum channel_kind kind) {
  void *data = NULL;
  struct channel *channel = NULL;
  if (napi_get_value_external(env, handle, &data) == napi_ok) channel = data;
  if (channel != NULL && channel->kind == kind) return channel;
  napi_throw_type_error(env, NULL, "not a handle of this kind");
  return NULL;
}

void channel_close(napi_env env, struct channel *channel) {
  if (channel->fd < 0) return;
  if (channel->borrower != NULL) channel->reclaim(channel->borrower);
  reactor_remove(&channel->watch);
  napi_ref callback = channel->mailbox.callback;
  mail_close(&channel->mailbox);
  close(channel->fd);
  channel->fd = -1;
  if (channel->next_open != NULL) channel->next_open->previous_open = channel->previous_open;
  if (channel->previous_open != NULL) channel->previous_open->next_open = channel->next_open;
  if (open_channels == channel) open_channels = channel->next_open;
  if (env == NULL) return;
  napi_delete_reference(env, callback);
  mail_keep_alive(env, open_channels != NULL);
}

int channel_lend(struct channel *channel, void *borrower, void (*reclaim)(void *borrower)) {
  if (channel->fd < 0) return EBADF;
  if (channel->borrower != NULL) return EBUSY;
  reactor_remove(&channel->watch);
  channel->borrower = borrower;
  channel->reclaim = reclaim;
  return 0;
}

void channel_give_back(struct channel *channel) {
  channel->borrower = NULL;
  reactor_add(&channel->watch, channel->fd);
}

void channel_close_all(void) {
  while (open_channels != NULL) channel_close(NULL, open_channels);
}

napi_value js_close(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  void *data = NULL;
  if (napi_get_value_external(env, call.arguments[0], &data) != napi_ok) {
    napi_throw_type_error(env, NULL, "not a handle");
    return NULL;
  }
  channel_close(env, data);
  return NULL;
}

static bool read_watched(struct watch *watch, uint8_t *buffer) {
  struct channel *channel = (void *)((char *)watch - offsetof(struct channel, watch));
  return channel->read(channel, buffer);
}

static void forget(struct channel *channel) {
  mailbox_destroy(&channel->mailbox);
  free(channel);
}

/* The callback of an open channel keeps its handle reachable from JS, so this comes after close or at the very end. */
static void on_collected(napi_env env, void *data, void *hint) {
  (void)hint;
  (void)env;
  channel_close(NULL, data);
  forget(data);
}
