/* job/tally.h - what one series gathered in one bucket.
 * A tally is one cache line: the record path touches it once per row. Lists and sets (samples,
 * distinct values, times) lie beside it in the bucket. */
#ifndef BLIP_JOB_TALLY_H
#define BLIP_JOB_TALLY_H

#include <stdint.h>

#define TALLY_NONE UINT32_MAX

struct tally {
    double count;     // measurements; for counts the records, weighed by the summary count
    double mean;      // of the values; lat_long: of the latitudes
    double m2;        // sum of squared differences from the mean
    double sum;       // of the values; lat_long: mean longitude
    double min, max;  // +inf and -inf when no value came
    double time_s;    // mean time of the measurements, seconds since 1970
    uint32_t list;    // samples, times or distinct values: see gather.h; TALLY_NONE
    uint32_t slices;  // first influencer slice; TALLY_NONE
};

_Static_assert(sizeof(struct tally) == 64, "a tally is one cache line");

/* One or several measurements that were taken together. */
struct sample {
    double time_s;  // mean time, seconds since 1970
    double count;   // measurements; times: events
    double value[2];
};

#endif
