/* frame/sort.h - puts the rows of a frame in order. */
#ifndef BLIP_FRAME_SORT_H
#define BLIP_FRAME_SORT_H

#include "frame/frame.h"

struct frame_order {
    size_t column;
    bool descending;
};

/* Sorts rows by the first key, rows that tie by the next, and so on; stable. Texts compare by
 * byte; rows without a value come last either way. STATUS_NO_MEMORY leaves the frame as it was.
 */
enum status frame_sort(struct frame *f, const struct frame_order *keys, size_t count,
                       struct error *err);

#endif
