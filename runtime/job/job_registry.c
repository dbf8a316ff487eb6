/* job/job_registry.c - see job_registry.h. */
#include "job/job_registry.h"

#include "base/shelf.h"

static struct shelf shelf = SHELF("models");

enum status job_registry_borrow(const char *key, struct job **out, struct error *err) {
    void *thing;
    enum status status = shelf_borrow(&shelf, key, &thing, err);
    *out = thing;
    return status;
}

enum status job_registry_give_back(const char *key, struct job *job, struct error *err) {
    return shelf_give_back(&shelf, key, job, err);
}

void job_registry_drop(const char *key) { job_free(shelf_drop(&shelf, key)); }
