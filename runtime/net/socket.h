/* net/socket.h - a plain blocking TCP client: for specs and command-line tools, never on the
 * loop thread. */
#ifndef BLIP_NET_SOCKET_H
#define BLIP_NET_SOCKET_H

#include "base/bytes.h"
#include "base/error.h"
#include <stddef.h>

/* Connects to a host's port and fills *fd; close() closes it.
 *   timeout_ms  for connecting, and later for each read and write
 * STATUS_INVALID for a name that does not exist, STATUS_FAILED with the system's reason. */
enum status socket_connect(const char *host, const char *port, int timeout_ms, int *fd,
                           struct error *err);

/* Sends all of it. STATUS_FAILED. */
enum status socket_send(int fd, const void *data, size_t size, struct error *err);

/* Appends what has come, at most `size` bytes, and waits when nothing has. Appends nothing when
 * the other side has closed. STATUS_BUSY after the timeout, STATUS_FAILED, STATUS_NO_MEMORY. */
enum status socket_receive(int fd, size_t size, struct bytes *out, struct error *err);

#endif
