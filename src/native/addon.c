/* The functions that src/host/native.ts declares. They return handles, values, or negative errno numbers. */
#include "channel.h"
#include "datagram.h"
#include "errno-name.h"
#include "give-back.h"
#include "icmp.h"
#include "listener.h"
#include "netlink.h"
#include "notify.h"
#include "reactor.h"
#include "session.h"
#include "tcp.h"
#include "tun.h"

/* Counts up with each change of these functions, so that a bundle never runs with another one's addon. */
#define INTERFACE 7

static const struct {
  const char *name;
  napi_callback run;
} functions[] = {
    {"openDatagram", js_open_datagram},
    {"connect", js_connect},
    {"send", js_send},
    {"expect", js_expect},
    {"local", js_local},
    {"openIcmp", js_open_icmp},
    {"sendIcmp", js_send_icmp},
    {"openTcp", js_open_tcp},
    {"openNetlink", js_open_netlink},
    {"sendNetlink", js_send_netlink},
    {"openTun", js_open_tun},
    {"setCarrier", js_set_carrier},
    {"unpersist", js_unpersist},
    {"attach", js_attach},
    {"update", js_update},
    {"detach", js_detach},
    {"counters", js_counters},
    {"close", js_close},
    {"giveBack", js_give_back},
    {"notify", js_notify},
    {"listener", js_listener},
    {"errnoName", js_errno_name},
};

static bool started;

/* Hooks run in reverse order: this one before that of the thread-safe function, so that no thread calls a dead one. */
static void on_environment_end(void *unused) {
  (void)unused;
  channel_close_all();
  reactor_stop();
  started = false;
}

NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  if (started) {
    napi_throw_error(env, NULL, "the addon is for one environment of a process");
    return NULL;
  }
  if (mail_start(env) != napi_ok || napi_add_env_cleanup_hook(env, on_environment_end, NULL) != napi_ok) return NULL;
  started = true;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].run, NULL, &function);
    set_property(env, exports, functions[i].name, function);
  }
  set_property(env, exports, "interface", js_number(env, INTERFACE));
  return exports;
}
