#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Only errors are posted here, but a channel is read only while a whole datagram would fit (mail_has_room). */
#define MAILBOX_OCTETS (128 * 1024)
#define QUEUE_PACKETS 1000

#ifndef IFF_NO_CARRIER /* since Linux 6.2; ignored before */
#define IFF_NO_CARRIER 0x0040
#endif

static bool discard_packets(struct channel *channel, uint8_t *buffer);
static void lengthen_queue(const char *name);

/* Opens the device, which it makes if there is none; its carrier is off. Negative errno on failure. */
static int open_device(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_NO_CARRIER};
  int off = 0;
  memcpy(request.ifr_name, name, strlen(name) + 1);
  if (ioctl(fd, TUNSETIFF, &request) == 0 && ioctl(fd, TUNSETCARRIER, &off) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0)
    return fd;
  int error = errno;
  close(fd);
  return -error;
}

napi_value js_open_tun(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  char name[IFNAMSIZ];
  if (!get_string(env, call.arguments[0], name, sizeof name) || name[0] == 0) return js_number(env, -EINVAL);
  struct channel *channel = channel_create(CHANNEL_TUN, sizeof(struct tun), MAILBOX_OCTETS);
  if (channel == NULL) return js_number(env, -ENOMEM);
  channel->read = discard_packets;
  pthread_mutex_init(&((struct tun *)channel)->lock, NULL);
  int fd = open_device(name);
  if (fd < 0) return channel_refuse(env, channel, -fd);
  lengthen_queue(name);
  return channel_open(env, channel, fd, call.arguments[1]);
}

napi_value js_set_carrier(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct channel *channel = channel_from(env, call.arguments[0], CHANNEL_TUN);
  int on = get_bool(env, call.arguments[1]);
  if (channel == NULL) return NULL;
  return js_number(env, ioctl(channel->fd, TUNSETCARRIER, &on) < 0 ? -errno : 0);
}

napi_value js_unpersist(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct channel *channel = channel_from(env, call.arguments[0], CHANNEL_TUN);
  if (channel == NULL) return NULL;
  return js_number(env, ioctl(channel->fd, TUNSETPERSIST, 0) < 0 ? -errno : 0);
}

napi_value js_counters(napi_env env, napi_callback_info info) {
  struct call call = read_call(env, info);
  struct tun *tun = (struct tun *)channel_from(env, call.arguments[0], CHANNEL_TUN);
  napi_value result;
  if (tun == NULL) return NULL;
  struct counters counters = tun_counters(tun);
  napi_create_object(env, &result);
  set_property(env, result, "rxPackets", js_number(env, counters.rx_packets));
  set_property(env, result, "rxOctets", js_number(env, counters.rx_octets));
  set_property(env, result, "rxDropped", js_number(env, counters.rx_dropped));
  set_property(env, result, "txPackets", js_number(env, counters.tx_packets));
  set_property(env, result, "txOctets", js_number(env, counters.tx_octets));
  set_property(env, result, "txDropped", js_number(env, counters.tx_dropped));
  set_property(env, result, "received", js_number(env, counters.received));
  return result;
}

struct counters tun_counters(struct tun *tun) {
  pthread_mutex_lock(&tun->lock);
  struct counters counters = tun->counters;
  pthread_mutex_unlock(&tun->lock);
  return counters;
}

void tun_publish(struct tun *tun, const struct counters *counters) {
  pthread_mutex_lock(&tun->lock);
  tun->counters = *counters;
  pthread_mutex_unlock(&tun->lock);
}

ssize_t tun_read(struct tun *tun, uint8_t *buffer, size_t size) {
  ssize_t length = read(tun->channel.fd, buffer, size);
  if (length >= 0) return length;
  if (errno == EAGAIN || errno == EINTR) return 0;
  mail_post_error(&tun->channel.mailbox, errno);
  return -1;
}

/* While nobody carries the packets they go nowhere; a later session must not get them late. */
static bool discard_packets(struct channel *channel, uint8_t *buffer) {
  struct tun *tun = (struct tun *)channel;
  struct counters counters = tun_counters(tun);
  ssize_t length = 0;
  for (int i = 0; i < READS_PER_TURN; i++) {
    length = tun_read(tun, buffer, MAX_DATAGRAM);
    if (length <= 0) break;
    counters.tx_dropped++;
  }
  tun_publish(tun, &counters);
  return length >= 0;
}

/* A longer queue that somebody chose stays. */
static void lengthen_queue(const char *name) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {0};
  if (fd < 0) return;
  memcpy(request.ifr_name, name, strlen(name) + 1);
  if (ioctl(fd, SIOCGIFTXQLEN, &request) == 0 && request.ifr_qlen < QUEUE_PACKETS) {
    request.ifr_qlen = QUEUE_PACKETS;
    ioctl(fd, SIOCSIFTXQLEN, &request);
  }
  close(fd);
}
