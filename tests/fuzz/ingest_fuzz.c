/* tests/fuzz/ingest_fuzz.c - any bytes as a _bulk body: read, parsed by a mapping, written.
 * The first byte chooses how the body is read; the store lives in memory and is emptied when it
 * has grown. */
#include "store/ingest.h"
#include "store/store.h"
#include "store/table.h"

#include <stdlib.h>

static struct store *store;
static struct connection *connection;

static void must(enum status status) {
    if (status != STATUS_OK) abort();
}

static void create_index(void) {
    static const char mapping[] =
        "{\"properties\":{\"l\":{\"type\":\"long\"},\"s\":{\"type\":\"short\"},"
        "\"d\":{\"type\":\"date\",\"format\":\"yyyy-MM-dd HH:mm:ss||epoch_millis\"},"
        "\"b\":{\"type\":\"boolean\"},\"f\":{\"type\":\"double\"},\"ip\":{\"type\":\"ip\"},"
        "\"k\":{\"type\":\"keyword\",\"ignore_above\":4},\"g\":{\"type\":\"geo_point\"},"
        "\"n\":{\"type\":\"nested\",\"properties\":{\"x\":{\"type\":\"long\"}}},"
        "\"o\":{\"type\":\"object\",\"enabled\":false},\"q\":{\"dynamic\":\"strict\"}}}";
    const struct table_info info = {"fuzz", "u", "{}", "{}", 0};
    must(table_create(connection, &info, mapping, NULL));
}

static void start(void) {
    if (store) return;
    must(store_open(&(struct store_options){.threads = 1}, &store, NULL));
    must(connection_open(store, &connection, NULL));
    create_index();
}

// Field names pile up over thousands of inputs: starts the index afresh now and then.
static void renew(void) {
    static unsigned inputs;
    if (++inputs % 512) return;
    must(table_drop(connection, "fuzz", NULL));
    create_index();
}

static void run(struct bulk *b) {
    struct error err;
    struct bytes items = {0};
    for (size_t i = 0; i < b->target_count; i++)
        b->targets[i].table = table_find(store, "fuzz", 4);
    must(ingest_bulk(connection, connection_reader(connection), b, &err));
    bulk_write_items(b, false, &items);
    bytes_free(&items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    start();
    if (size == 0) return 0;
    const char *body = (const char *)data + 1;
    struct bulk *b = NULL;
    struct bulk_refusal refusal;
    struct error err;
    enum status status = data[0] & 1 ? bulk_read_documents(body, size - 1, "fuzz", &b, &err)
                                     : bulk_read(connection_reader(connection), body, size - 1,
                                                 "fuzz", &b, &refusal, &err);
    if (status != STATUS_OK && status != STATUS_INVALID) abort();
    if (status == STATUS_OK) run(b);
    bulk_free(b);
    renew();
    return 0;
}
