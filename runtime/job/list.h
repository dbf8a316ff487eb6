/* job/list.h - arrays that grow, of any type.
 *     LIST(item_list, struct item)      struct item_list { struct item *at; size_t count,
 * capacity; } struct item *added = item_list_add(&list);      a zeroed element, NULL when
 * memory runs out list->count = 0 empties a list and keeps its memory. */
#ifndef BLIP_JOB_LIST_H
#define BLIP_JOB_LIST_H

#include <stdlib.h>
#include <string.h>

#define LIST(name, type)                                                                       \
    struct name {                                                                              \
        type *at;                                                                              \
        size_t count, capacity;                                                                \
    };                                                                                         \
    static inline type *name##_add(struct name *list) {                                        \
        if (list->count == list->capacity) {                                                   \
            size_t capacity = list->capacity ? 2 * list->capacity : 16;                        \
            type *grown = realloc(list->at, capacity * sizeof *grown);                         \
            if (!grown) return NULL;                                                           \
            list->at = grown;                                                                  \
            list->capacity = capacity;                                                         \
        }                                                                                      \
        type *added = &list->at[list->count++];                                                \
        memset(added, 0, sizeof *added);                                                       \
        return added;                                                                          \
    }

#endif
