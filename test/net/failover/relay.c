/*
 * relay A B DELAY-MS [RATE-KBIT QUEUE-MS]: carries packets between two TUN devices that it makes, as a distant link would.
 * Each direction has DELAY-MS of its own and, with a rate, a queue of at most QUEUE-MS; what does not fit is dropped.
 * Says `ready` once the devices stand. For kernels without netem.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000LL
#define LARGEST 65535
#define MOST_PACKETS 65536

struct packet {
  int64_t due;
  size_t length;
  uint8_t bytes[];
};

struct direction {
  int from, to;
  struct packet *queue[MOST_PACKETS];
  unsigned first, count;
  int64_t idle_at; /* when the last octet will have left the sender */
};

static int64_t delay, longest_queue;
static int64_t rate; /* bits per second; 0: no limit */

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 * MILLISECOND + time.tv_nsec;
}

static int open_tun(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) {
    perror(name);
    exit(1);
  }
  return fd;
}

static void take(struct direction *way, const uint8_t *bytes, size_t length) {
  int64_t arrived = now();
  int64_t starts = way->idle_at > arrived ? way->idle_at : arrived;
  if (way->count == MOST_PACKETS || (rate > 0 && starts - arrived > longest_queue)) return;
  struct packet *packet = malloc(sizeof *packet + length);
  if (packet == NULL) return;
  way->idle_at = rate > 0 ? starts + (int64_t)length * 8 * 1000 * MILLISECOND / rate : arrived;
  packet->due = way->idle_at + delay;
  packet->length = length;
  memcpy(packet->bytes, bytes, length);
  way->queue[(way->first + way->count++) % MOST_PACKETS] = packet;
}

static void deliver(struct direction *way) {
  while (way->count > 0 && way->queue[way->first]->due <= now()) {
    struct packet *packet = way->queue[way->first];
    /* A device that is down refuses it: lost, as on any line. */
    if (write(way->to, packet->bytes, packet->length) < 0 && errno == EAGAIN) return;
    free(packet);
    way->first = (way->first + 1) % MOST_PACKETS;
    way->count--;
  }
}

static void read_all(struct direction *way) {
  static uint8_t bytes[LARGEST];
  for (;;) {
    ssize_t length = read(way->from, bytes, sizeof bytes);
    if (length > 0)
      take(way, bytes, (size_t)length);
    else if (errno == EINTR)
      continue;
    else if (errno == EAGAIN)
      return;
    else
      exit(1);
  }
}

int main(int argc, char **argv) {
  static struct direction ways[2];
  if (argc != 4 && argc != 6) return 2;
  delay = atol(argv[3]) * MILLISECOND;
  rate = argc == 6 ? atol(argv[4]) * 1000 : 0;
  longest_queue = argc == 6 ? atol(argv[5]) * MILLISECOND : 0;
  ways[0].from = ways[1].to = open_tun(argv[1]);
  ways[1].from = ways[0].to = open_tun(argv[2]);
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct pollfd polled[2];
    int64_t next = -1;
    for (int i = 0; i < 2; i++) {
      polled[i] = (struct pollfd){.fd = ways[i].from, .events = POLLIN};
      deliver(&ways[i]);
      if (ways[i].count > 0) {
        int64_t due = ways[i].queue[ways[i].first]->due;
        if (next < 0 || due < next) next = due;
      }
    }
    int64_t left = next < 0 ? 0 : next - now();
    if (left < 0) left = 0;
    struct timespec wait = {left / (1000 * MILLISECOND), left % (1000 * MILLISECOND)};
    if (ppoll(polled, 2, next < 0 ? NULL : &wait, NULL) < 0 && errno != EINTR) return 1;
    for (int i = 0; i < 2; i++)
      if (polled[i].revents != 0) read_all(&ways[i]);
  }
}
