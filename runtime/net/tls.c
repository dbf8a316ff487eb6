/* net/tls.c - see tls.h. */
#include "net/tls.h"

#include "base/bytes.h"
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CERTIFICATES 16  // in one file
#define LARGEST_FILE 1048576  // bytes
#define KEY_ID_SIZE 64        // at most
#define VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls {
    struct tls *next;  // an older one
    gnutls_pcert_st chain[MOST_CERTIFICATES];
    unsigned count;
    gnutls_privkey_t key;
};

static struct tls *shown;  // read and written on the loop thread

// --- reading ---------------------------------------------------------------------------------

static enum status why(const char *what, const char *path, struct error *err) {
    enum status status = errno == ENOENT   ? STATUS_NOT_FOUND
                         : errno == EACCES ? STATUS_DENIED
                                           : STATUS_FAILED;
    return fail(err, status, "%s: %s: %s", what, path, strerror(errno));
}

static enum status read_file(const char *what, const char *path, struct bytes *out,
                             struct error *err) {
    FILE *file = fopen(path, "rbe");
    char *room = bytes_reserve(out, LARGEST_FILE);
    if (!file) return why(what, path, err);
    size_t size = room ? fread(room, 1, LARGEST_FILE, file) : 0;
    bool failed = ferror(file) != 0;
    if (failed) why(what, path, err);
    fclose(file);
    out->size = size;
    if (failed) return err->status;
    return room ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "not enough memory for %s", path);
}

static gnutls_datum_t datum_of(const struct bytes *b) {
    return (gnutls_datum_t){.data = (unsigned char *)b->data, .size = (unsigned)b->size};
}

static enum status read_chain(struct tls *t, const char *path, struct error *err) {
    struct bytes text = {0};
    enum status status = read_file("tls_cert", path, &text, err);
    gnutls_datum_t datum = datum_of(&text);
    unsigned count = MOST_CERTIFICATES;
    if (status == STATUS_OK) {
        int problem =
            gnutls_pcert_list_import_x509_raw(t->chain, &count, &datum, GNUTLS_X509_FMT_PEM, 0);
        if (problem == GNUTLS_E_SUCCESS)
            t->count = count;
        else
            status = fail(err, STATUS_INVALID, "tls_cert: %s holds no certificate (%s)", path,
                          gnutls_strerror(problem));
    }
    bytes_free(&text);
    return status;
}

static enum status read_key(struct tls *t, const char *path, struct error *err) {
    struct bytes text = {0};
    enum status status = read_file("tls_key", path, &text, err);
    gnutls_datum_t datum = datum_of(&text);
    int problem = GNUTLS_E_SUCCESS;
    if (status == STATUS_OK) problem = gnutls_privkey_init(&t->key);
    if (status == STATUS_OK && problem == GNUTLS_E_SUCCESS)
        problem = gnutls_privkey_import_x509_raw(t->key, &datum, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (problem != GNUTLS_E_SUCCESS)
        status = fail(err, STATUS_INVALID, "tls_key: %s holds no private key (%s)", path,
                      gnutls_strerror(problem));
    bytes_free(&text);
    return status;
}

// --- do they belong together? ----------------------------------------------------------------

// Fills id with what tells a public key from others, and returns its size; 0 when that fails.
static size_t key_id(gnutls_pubkey_t key, unsigned char id[KEY_ID_SIZE]) {
    size_t size = KEY_ID_SIZE;
    bool ok = gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, &size) == 0;
    return ok ? size : 0;
}

static bool is_pair(const struct tls *t) {
    unsigned char certified[KEY_ID_SIZE], own[KEY_ID_SIZE];
    gnutls_pubkey_t key;
    if (gnutls_pubkey_init(&key) != GNUTLS_E_SUCCESS) return false;
    size_t own_size = 0;
    if (gnutls_pubkey_import_privkey(key, t->key, 0, 0) == GNUTLS_E_SUCCESS)
        own_size = key_id(key, own);
    gnutls_pubkey_deinit(key);
    size_t size = key_id(t->chain[0].pubkey, certified);
    return size > 0 && size == own_size && memcmp(certified, own, size) == 0;
}

enum status tls_open(const char *cert_path, const char *key_path, struct tls **out,
                     struct error *err) {
    struct tls *t = calloc(1, sizeof *t);
    if (!t) return fail(err, STATUS_NO_MEMORY, "not enough memory for a certificate");
    enum status status = read_chain(t, cert_path, err);
    if (status == STATUS_OK) status = read_key(t, key_path, err);
    if (status == STATUS_OK && !is_pair(t))
        status =
            fail(err, STATUS_INVALID, "tls_key: %s is not the key of %s", key_path, cert_path);
    if (status == STATUS_OK)
        *out = t;
    else
        tls_free(t);
    return status;
}

// --- showing ---------------------------------------------------------------------------------

// libmicrohttpd hands this to GnuTLS, which calls it at each handshake.
static int choose(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
                  const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                  gnutls_pcert_st **chain, unsigned int *chain_length, gnutls_privkey_t *key) {
    (void)session, (void)authorities, (void)count, (void)algorithms, (void)algorithm_count;
    *chain = shown->chain;
    *chain_length = shown->count;
    *key = shown->key;
    return 0;
}

void tls_show(struct tls *t) { shown = t; }

void tls_options(struct MHD_OptionItem options[TLS_OPTIONS]) {
    options[0] =
        (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)choose};
    options[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, VERSIONS};
}

void tls_keep(struct tls **list, struct tls *t) {
    t->next = *list;
    *list = t;
}

void tls_free(struct tls *list) {
    while (list) {
        struct tls *t = list;
        list = t->next;
        for (unsigned i = 0; i < t->count; i++)
            gnutls_pcert_deinit(&t->chain[i]);
        if (t->key) gnutls_privkey_deinit(t->key);
        free(t);
    }
}
