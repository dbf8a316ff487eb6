/* frame/fill.h - rows for what a scan did not see: intervals without documents.
 *
 *     time  rows  load            time  rows  load
 *     t0    3     0.5             t0    3     0.5
 *     t2    1     0.7      ->     t1    0     (no value)
 *                                 t2    1     0.7 */
#ifndef BLIP_FRAME_FILL_H
#define BLIP_FRAME_FILL_H

#include "frame/frame.h"

/* What added rows have in a DOUBLE column; in the others they have no value. */
struct fill_value {
    const char *column;
    double value;
};

struct fill {
    int64_t from, to, step;     // intervals start at from, from + step, ... below to
    const char *const *entity;  // [entity_count] TEXT columns; none = one series
    size_t entity_count;
    const char *const *known;   // [known_count] keys (key.h) of entities seen before `from`
    const size_t *known_sizes;  // [known_count]
    size_t known_count;
    const struct fill_value *values;  // [value_count]
    size_t value_count;
};

/* Adds a row for each interval that has none: of the one series; or of each entity, from the
 * first interval on in which it was seen. The frame is in order of time before and after; added
 * rows have a time, their category values, and rows = 0 when there is such a column.
 *   *added  how many
 * STATUS_INVALID when the column "time" (INT) or a category column or one with a value is
 * absent. */
enum status frame_fill(struct frame *f, const struct fill *fill, size_t *added,
                       struct error *err);

#endif
