/* job/list.h - arrays that grow, of any type.
 *     LIST(item_list, struct item)                 // declares struct item_list
 *     struct item_list list = {0};
 *     struct item *added = item_list_add(&list);   // zeroed; NULL when memory runs out
 * Elements are list.at[0 .. list.count). `list.count = 0` empties a list and keeps its memory;
 * free(list.at) frees it. */
#ifndef BLIP_JOB_LIST_H
#define BLIP_JOB_LIST_H

#include <stdlib.h>
#include <string.h>

// NOLINTBEGIN(bugprone-macro-parentheses): a type in a declaration takes none
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
// NOLINTEND(bugprone-macro-parentheses)

#endif
