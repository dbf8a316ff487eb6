/* bind/host.c - see host.h. */
#include "bind/host.h"

#include <stdlib.h>
#include <string.h>

void host_init(struct host *h) {
    *h = (struct host){0};
    pthread_mutex_init(&h->lock, NULL);
}

void host_free(struct host *h) {
    free(h->config);
    pthread_mutex_destroy(&h->lock);
}

enum status host_set_config(struct host *h, const char *config, struct error *err) {
    char *copy = strdup(config);
    if (!copy) return fail(err, STATUS_NO_MEMORY, "not enough memory for the configuration");
    pthread_mutex_lock(&h->lock);
    char *old = h->config;
    h->config = copy;
    pthread_mutex_unlock(&h->lock);
    free(old);
    return STATUS_OK;
}

char *host_config(struct host *h) {
    pthread_mutex_lock(&h->lock);
    char *copy = h->config ? strdup(h->config) : NULL;
    pthread_mutex_unlock(&h->lock);
    return copy;
}
