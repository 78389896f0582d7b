/* The network devices of this system. */
#ifndef LIFELINE_INTERFACES_H
#define LIFELINE_INTERFACES_H

#include "js.h"

/* JS: interfaces(): [name, hardware address or IPv4 address][] of devices that are up and running | outcome */
JSValue js_interfaces(JS_ARGUMENTS);

#endif
