/* model/model_registry.c - see model_registry.h. */
#include "model/model_registry.h"

#include "base/shelf.h"

static struct shelf shelf = SHELF("models");

enum status model_registry_borrow(const char *key, struct model_set **out, struct error *err) {
    void *thing;
    enum status status = shelf_borrow(&shelf, key, &thing, err);
    *out = thing;
    return status;
}

enum status model_registry_give_back(const char *key, struct model_set *set,
                                     struct error *err) {
    return shelf_give_back(&shelf, key, set, err);
}

void model_registry_drop(const char *key) { model_set_free(shelf_drop(&shelf, key)); }

static void add_size(void *context, void *thing) {
    *(size_t *)context += model_set_size_bytes(thing);
}

size_t model_registry_size_bytes(void) {
    size_t size = 0;
    shelf_each(&shelf, add_size, &size);
    return size;
}
