/* net/listener.h - a listening socket. */
#ifndef BLIP_NET_LISTENER_H
#define BLIP_NET_LISTENER_H

#include "base/error.h"
#include <stddef.h>

#define LISTENER_ADDRESS_SIZE 80

/* Listens at a host's port and fills *fd, and address [LISTENER_ADDRESS_SIZE] with
 * "127.0.0.1:9200" or "[::1]:9200". STATUS_INVALID when the host or port is none, STATUS_BUSY
 * when it is in use, STATUS_DENIED, STATUS_FAILED. Clients that come before a server takes the
 * socket over wait. */
enum status listener_open(const char *host, const char *port, int *fd, char *address,
                          struct error *err);

#endif
