#include "interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>

/* False for other kinds of addresses. */
static bool text_of(const struct sockaddr *address, char *text, size_t size) {
  if (address == NULL) return false;
  if (address->sa_family == AF_INET)
    return inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text, size) != NULL;
  const struct sockaddr_ll *link = (const void *)address;
  if (address->sa_family != AF_PACKET || link->sll_halen != 6) return false;
  const uint8_t *octets = link->sll_addr;
  snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", octets[0], octets[1], octets[2], octets[3], octets[4], octets[5]);
  return true;
}

JSValue js_interfaces(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  (void)arguments;
  struct ifaddrs *list;
  if (getifaddrs(&list) < 0) return js_failed(errno);
  JSValue rows = JS_NewArray(context);
  uint32_t length = 0;
  for (struct ifaddrs *each = list; each != NULL; each = each->ifa_next) {
    char text[INET_ADDRSTRLEN > 18 ? INET_ADDRSTRLEN : 18];
    if ((each->ifa_flags & (IFF_UP | IFF_RUNNING)) != (IFF_UP | IFF_RUNNING)) continue;
    if (!text_of(each->ifa_addr, text, sizeof text)) continue;
    JSValue row = JS_NewArray(context);
    JS_SetPropertyUint32(context, row, 0, JS_NewString(context, each->ifa_name));
    JS_SetPropertyUint32(context, row, 1, JS_NewString(context, text));
    JS_SetPropertyUint32(context, rows, length++, row);
  }
  freeifaddrs(list);
  return rows;
}
