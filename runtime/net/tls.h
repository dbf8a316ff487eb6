/* net/tls.h - the certificate that the server shows to its clients, by GnuTLS.
 * libmicrohttpd asks for it at each handshake, so that another one can take its place while the
 * server runs. Belongs to the loop thread; a process has one server. */
#ifndef BLIP_NET_TLS_H
#define BLIP_NET_TLS_H

#include "base/error.h"
#include <microhttpd.h>

struct tls;

#define TLS_OPTIONS 2  // that tls_options() fills

/* Reads a certificate with those that vouch for it, and its private key, from PEM files.
 * STATUS_INVALID names the file that holds none, or says that the two do not belong together;
 * STATUS_NOT_FOUND, STATUS_DENIED, STATUS_FAILED, STATUS_NO_MEMORY. */
enum status tls_open(const char *cert_path, const char *key_path, struct tls **out,
                     struct error *err);

/* Shows this certificate from the next handshake on. It must live until the server is gone, for
 * handshakes under way may still read it. */
void tls_show(struct tls *t);

/* The options of libmicrohttpd that ask for the certificate, and for TLS 1.2 or 1.3. */
void tls_options(struct MHD_OptionItem options[TLS_OPTIONS]);

/* Puts one before another in a list, to be freed with it. */
void tls_keep(struct tls **list, struct tls *t);

void tls_free(struct tls *list);  // NULL is fine

#endif
