/* model/profile.h - what is usual at this time of day, on weekdays and on weekends.
 *
 *     48 cells of half an hour x { weekday, weekend }, each a slowly moving mean
 *
 * The residual of a value is its signed distance to the span of the cells from an hour before
 * to an hour after: 0 inside. This tolerance keeps clock changes silent. A cell that was never
 * visited borrows from the other kind of day. Source: ensemble specification, section 5. */
#ifndef BLIP_MODEL_PROFILE_H
#define BLIP_MODEL_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#define PROFILE_CELLS 48  // a day
#define PROFILE_KINDS 2   // weekday, weekend

/* Held by value; all zero at first. */
struct profile {
    double usual[PROFILE_KINDS][PROFILE_CELLS];
    double visits[PROFILE_KINDS][PROFILE_CELLS];
    double spread;  // running mean of the distance to the own cell; 0 = not known yet
};

/* A cell's place. */
struct profile_cell {
    size_t kind, slot;
};

/* The cell of a time, in UTC; Saturday and Sunday are the weekend. */
struct profile_cell profile_cell_at(int64_t time_ms);

/* The residual of a value; nothing is learnt. */
double profile_residual(const struct profile *p, struct profile_cell cell, double value);

/* Moves the cell towards the value.
 *   rows  pushed before this one */
void profile_learn(struct profile *p, struct profile_cell cell, double value, uint64_t rows);

#endif
