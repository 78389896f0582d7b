/* Sends forged IPv4 packets at a rate: flood SECONDS PER_SECOND PROTOCOL FROM TO HEX. HEX is what follows the IP header; the UDP
 * checksum may be left zero. Run in the namespace of whoever is to have sent them. */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 50

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **words) {
  static unsigned char packet[2048];
  if (count != 7) return 2;
  double seconds = atof(words[1]), rate = atof(words[2]);
  size_t length = strlen(words[6]) / 2;
  if (length > sizeof packet - sizeof(struct iphdr)) return 2;
  for (size_t i = 0; i < length; i++) sscanf(words[6] + 2 * i, "%2hhx", packet + sizeof(struct iphdr) + i);
  struct iphdr *ip = (struct iphdr *)packet;
  ip->version = 4;
  ip->ihl = 5;
  ip->ttl = 64;
  ip->protocol = (unsigned char)atoi(words[3]);
  ip->saddr = inet_addr(words[4]);
  ip->daddr = inet_addr(words[5]);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = ip->daddr};
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (fd < 0) return 1;
  struct iovec part = {packet, sizeof(struct iphdr) + length};
  struct mmsghdr messages[BATCH];
  for (int i = 0; i < BATCH; i++)
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1}};
  long sent = 0;
  for (double began = now(); now() - began < seconds;) {
    if ((double)sent > (now() - began) * rate) {
      nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
      continue;
    }
    int done = sendmmsg(fd, messages, BATCH, 0);
    if (done > 0) sent += done;
  }
  printf("%ld\n", sent);
  return 0;
}
