/* tests/fuzz/model_fuzz.c - loads bytes as a model. The checksum is made right first, so that
 * what stands behind it is tried: a model that loads must score, save and load again the same.
 */
#include "model/model.h"
#include "model/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 40
#define LARGEST (1u << 20)  // of a saved model that is tried

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void push_rows(struct model *m) {
    size_t features = model_options(m)->features;
    double arrays[5][MODEL_MAX_FEATURES], values[MODEL_MAX_FEATURES];
    uint8_t imputed[MODEL_MAX_FEATURES];
    struct verdict v = {.expected = arrays[0],
                        .lower = arrays[1],
                        .upper = arrays[2],
                        .contribution = arrays[3],
                        .past = arrays[4],
                        .imputed = imputed};
    for (int row = 0; row < ROWS; row++) {
        for (size_t i = 0; i < features; i++)
            values[i] = row % 11 == 10 ? NAN : (double)((row * 7 + (int)i) % 5 - 2) * 1e3;
        struct error err;
        if (model_push(m, row * 60000, values, &v, &err) != STATUS_OK) return;
        if (v.scored && !(v.grade >= 0 && v.grade <= 1)) abort();
    }
}

static uint8_t *save(const struct model *m, size_t *size) {
    struct error err;
    (void)model_save(m, NULL, 0, size, &err);
    uint8_t *bytes = malloc(*size);
    if (!bytes || model_save(m, bytes, *size, size, &err) != STATUS_OK) abort();
    return bytes;
}

static void check_round_trip(const struct model *m) {
    size_t size, again_size;
    uint8_t *bytes = save(m, &size);
    struct model *again;
    struct error err;
    if (model_load(bytes, size, &again, &err) != STATUS_OK) abort();
    uint8_t *again_bytes = save(again, &again_size);
    if (size != again_size || memcmp(bytes, again_bytes, size) != 0) abort();
    model_free(again);
    free(again_bytes);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < sizeof(uint64_t) || size > LARGEST) return 0;
    uint8_t *bytes = malloc(size);
    if (!bytes) return 0;
    memcpy(bytes, data, size);
    uint64_t checksum = pack_checksum(bytes, size - sizeof checksum);
    memcpy(bytes + size - sizeof checksum, &checksum, sizeof checksum);
    struct model *m;
    struct error err;
    if (model_load(bytes, size, &m, &err) == STATUS_OK) {
        check_round_trip(m);
        push_rows(m);
        check_round_trip(m);
        model_free(m);
    }
    free(bytes);
    return 0;
}
