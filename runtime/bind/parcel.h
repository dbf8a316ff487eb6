/* bind/parcel.h - plain data on its way from one Lua state to another.
 * Nil, booleans, numbers, strings and tables of them are packed into bytes in the one state and
 * unpacked in the other, so that neither can raise an error through the other's frames.
 *
 *     nil n   false f   true t   integer i + 8 bytes   float d + 8 bytes
 *     string s + 8 bytes of size + bytes      table { key value key value ... }
 *
 * The bytes never leave the process. */
#ifndef BLIP_BIND_PARCEL_H
#define BLIP_BIND_PARCEL_H

#include "base/error.h"
#include <lua.h>
#include <stddef.h>

#define PARCEL_MAX_DEPTH 100  // tables inside tables

struct parcel {
    char *bytes;
    size_t size, capacity;
    size_t limit;  // bytes; 0 = none
};

void parcel_free(struct parcel *p);  // also makes it empty again

/* Appends the value at index. Never raises. STATUS_INVALID when it holds something that is no
 * plain data (a function, a userdata) or nests too deeply, STATUS_TOO_LARGE beyond the limit;
 * what was appended before stays. A NULL light userdata (JSON's null) travels as nil. */
enum status parcel_put(struct parcel *p, lua_State *L, int index, struct error *err);

/* Pushes every value of the parcel and returns how many. Raises only for want of memory. */
int parcel_take(const struct parcel *p, lua_State *L);

#endif
