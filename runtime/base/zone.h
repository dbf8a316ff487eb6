/* base/zone.h - time zones by name: "Europe/Berlin", "CET", "UTC", "GMT+8", "PDT".
 * The rules come from the system's database (TZif files of RFC 8536 in $TZDIR or
 * /usr/share/zoneinfo), each read once per process. Behind a file's last change of the clocks
 * (2037 in Debian's) its last offset stays. Any thread may ask. */
#ifndef BLIP_BASE_ZONE_H
#define BLIP_BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The seconds that a zone's wall clock was ahead of UTC when it showed a time (seconds since
 * 1970 as if the clock were UTC's). Of two offsets that were possible the earlier one in force;
 * where the clock jumped over the time, the one before the jump, as java.time has it. False
 * when there is no zone of that name. */
bool zone_offset_s(const char *name, size_t size, int64_t wall_s, int *offset_s);

#endif
