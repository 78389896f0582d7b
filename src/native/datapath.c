#include "datapath.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pages.h"
#include "sequence.h"
#include "socket.h"
#include "thread.h"

struct datapath {
  /* Owned by the JS thread. */
  pthread_t thread;
  int wake;
  struct tun *tun;
  struct datagram *socket;

  pthread_mutex_t lock; /* guards what follows; the thread takes it once each turn */
  struct session wanted;
  bool changed, stop;

  /* Owned by the thread. */
  struct session session;
  struct counters counters;
  bool peer_numbers; /* the last data message had sequence numbers */
  struct sequence sequence;
  const uint8_t *held; /* a message that the full socket did not take; polling the TUN pauses for it */
  size_t held_length, held_octets;
  uint8_t up[L2TP_HEADROOM + MAX_DATAGRAM];
  uint8_t down[MAX_DATAGRAM];
};

static int borrow(struct datapath *path, struct tun *tun, struct datagram *socket);
static void give_back(struct datapath *path);
static void reclaim(void *borrower);
static void *carry(void *argument);

int datapath_start(struct tun *tun, struct datagram *socket, const struct session *session) {
  struct datapath *path = pages_map(sizeof *path);
  if (path == NULL) return ENOMEM;
  int error = borrow(path, tun, socket);
  if (error != 0) {
    pages_unmap(path, sizeof *path);
    return error;
  }
  datagram_number(socket, session->remote.tunnel, session->remote.session);
  pthread_mutex_init(&path->lock, NULL);
  path->session = *session;
  path->counters = tun_counters(tun);
  path->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  error = path->wake < 0 ? errno : thread_start(&path->thread, carry, path);
  if (error == 0) return 0;
  if (path->wake >= 0) close(path->wake);
  give_back(path);
  return error;
}

static int borrow(struct datapath *path, struct tun *tun, struct datagram *socket) {
  int error = channel_lend(&tun->channel, path, reclaim);
  if (error != 0) return error;
  error = channel_lend(&socket->channel, path, reclaim);
  if (error != 0) channel_give_back(&tun->channel);
  path->tun = tun;
  path->socket = socket;
  return error;
}

static void give_back(struct datapath *path) {
  channel_give_back(&path->tun->channel);
  channel_give_back(&path->socket->channel);
  pages_unmap(path, sizeof *path);
}

static void reclaim(void *borrower) {
  datapath_stop(borrower);
}

struct datapath *datapath_of(struct tun *tun) {
  return tun->channel.borrower;
}

void datapath_change(struct datapath *path, const struct session *session) {
  pthread_mutex_lock(&path->lock);
  path->wanted = *session;
  path->changed = true;
  pthread_mutex_unlock(&path->lock);
  eventfd_write(path->wake, 1);
}

void datapath_stop(struct datapath *path) {
  pthread_mutex_lock(&path->lock);
  path->stop = true;
  pthread_mutex_unlock(&path->lock);
  eventfd_write(path->wake, 1);
  pthread_join(path->thread, NULL);
  close(path->wake);
  give_back(path);
}

/* Publishes the counters and takes over what changed; false to end. */
static bool synchronize(struct datapath *path) {
  tun_publish(path->tun, &path->counters);
  pthread_mutex_lock(&path->lock);
  bool stop = path->stop;
  if (path->changed) path->session = path->wanted;
  path->changed = false;
  pthread_mutex_unlock(&path->lock);
  return !stop;
}

static bool is_open(const struct datapath *path, uint16_t protocol, const uint8_t *packet, size_t length) {
  unsigned version = length == 0 ? 0 : packet[0] >> 4;
  return protocol == PPP_IPV4 ? path->session.ipv4 && version == 4 : path->session.ipv6 && version == 6;
}

static void receive(struct datapath *path, size_t length, const union address *from) {
  struct counters *counters = &path->counters;
  const uint8_t *bytes = path->down;
  struct l2tp_message message;
  struct ppp_packet packet;
  bool valid = l2tp_parse(&message, bytes, length);
  if (valid && message.control) {
    if (!datagram_wanted(path->socket, bytes, length, from) || !mail_post(&path->socket->channel.mailbox, bytes, length, from, address_port(from))) counters->rx_dropped++;
    return;
  }
  valid = valid && address_equal(from, &path->session.peer) &&
          message.ids.tunnel == path->session.local.tunnel && message.ids.session == path->session.local.session;
  if (valid) counters->received++;
  if (!valid || !ppp_parse(&packet, message.frame, message.length)) {
    counters->rx_dropped++;
    return;
  }

  path->peer_numbers = message.numbered;
  bool current = !message.numbered || sequence_take(&path->sequence, message.ns, mail_now_us() / 1000);
  if (packet.protocol != PPP_IPV4 && packet.protocol != PPP_IPV6) {
    /* PPP negotiates with identifiers of its own: even a late packet is for JS to judge. */
    if (!mail_post(&path->socket->channel.mailbox, bytes, length, from, address_port(from))) counters->rx_dropped++;
    return;
  }
  bool carried = current && is_open(path, packet.protocol, packet.payload, packet.length) &&
                 write(path->tun->channel.fd, packet.payload, packet.length) >= 0;
  if (carried) {
    counters->rx_packets++;
    counters->rx_octets += packet.length;
  } else {
    counters->rx_dropped++;
  }
}

static void download(struct datapath *path) {
  for (int i = 0; i < READS_PER_TURN; i++) {
    union address from;
    ssize_t length = datagram_read(path->socket, path->down, &from);
    if (length < 0) return;
    receive(path, length, &from);
  }
}

/* Sends the held message; false if the socket is still full. */
static bool flush_held(struct datapath *path) {
  struct counters *counters = &path->counters;
  const union address *to = path->socket->connected ? NULL : &path->session.peer;
  int error = socket_send(path->socket->channel.fd, path->held, path->held_length, to);
  if (error == EAGAIN) return false;
  path->held = NULL;
  if (error == 0) {
    counters->tx_packets++;
    counters->tx_octets += path->held_octets;
  } else {
    counters->tx_dropped++;
    /* A full queue of the uplink is congestion, not an error; a refusal is told by the error queue. */
    if (error != ENOBUFS && error != ECONNREFUSED) mail_post_error(&path->socket->channel.mailbox, error);
  }
  return true;
}

/* Holds the packet with its header in front of it; false if it must not be sent. */
static bool hold(struct datapath *path, uint8_t *packet, size_t length) {
  const struct session *session = &path->session;
  uint16_t protocol = packet[0] >> 4 == 4 ? PPP_IPV4 : PPP_IPV6;
  if (length > session->mtu || !is_open(path, protocol, packet, length)) return false;
  /* RFC 2661 section 5.4: who is sent sequence numbers sends them too. */
  bool numbered = session->sequencing || path->peer_numbers;
  int32_t ns = numbered ? (uint16_t)atomic_fetch_add(&path->socket->next_ns, 1) : -1;
  size_t header = l2tp_write_header(packet, session->remote, protocol, ns);
  path->held = packet - header;
  path->held_length = header + length;
  path->held_octets = length;
  return true;
}

/* False if the device is gone. */
static bool upload(struct datapath *path) {
  uint8_t *packet = path->up + L2TP_HEADROOM;
  for (int i = 0; i < READS_PER_TURN; i++) {
    ssize_t length = tun_read(path->tun, packet, MAX_DATAGRAM);
    if (length <= 0) return length == 0;
    if (!hold(path, packet, length))
      path->counters.tx_dropped++;
    else if (!flush_held(path))
      return true;
  }
  return true;
}

static void *carry(void *argument) {
  struct datapath *path = argument;
  bool gone = false;
  while (synchronize(path)) {
    bool sending = path->held == NULL && !gone;
    struct pollfd wake = {.fd = path->wake, .events = POLLIN};
    struct pollfd tun = {.fd = sending ? path->tun->channel.fd : -1, .events = POLLIN};
    struct pollfd udp = {.fd = path->socket->channel.fd, .events = POLLIN | (path->held != NULL ? POLLOUT : 0)};
    struct pollfd polled[] = {wake, tun, udp};
    if (poll(polled, 3, -1) < 0) continue;
    if (polled[0].revents != 0) {
      eventfd_t unused;
      eventfd_read(path->wake, &unused);
      continue; /* what changed holds for the packets that are waiting */
    }
    if (polled[2].revents & POLLERR) socket_drain_errors(&path->socket->channel);
    if (polled[2].revents & (POLLIN | POLLERR)) download(path);
    if (path->held != NULL && polled[2].revents & POLLOUT) flush_held(path);
    if (polled[1].revents != 0) gone = !upload(path);
  }
  if (path->held != NULL) {
    path->counters.tx_dropped++;
    tun_publish(path->tun, &path->counters);
  }
  return NULL;
}
