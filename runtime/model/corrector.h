/* model/corrector.h - from a raw grade to a grade: what the recent past, noise, the context or
 * a drift explain is no anomaly. This stage, more than the forest, decides which points are
 * reported; `mode` says what spoke against one.
 * Source: the specification's chapter 5. */
#ifndef BLIP_MODEL_CORRECTOR_H
#define BLIP_MODEL_CORRECTOR_H

#include "model/forest.h"
#include "model/threshold.h"

enum correction {
    CORRECTION_NONE,
    CORRECTION_NOISE,               // the values differ from the mean by rounding only
    CORRECTION_ANOMALY_IN_SHINGLE,  // an anomaly that was reported still shows
    CORRECTION_CONDITIONAL,         // a tenth of the trees know the value in this context
    CORRECTION_FORECAST,            // the value is near the expected one
    CORRECTION_DRIFT,               // a run of anomalies has become the rule
    CORRECTION_ALERT_ONCE,          // its run was reported at its start
};

/* What the corrector remembers. Arrays lie behind the struct, in one piece. */
struct corrector {
    struct threshold threshold;
    double last_score;    // 0 for a shingle of one row
    double before_score;  // of the last scored point, with its threshold
    double before_threshold;
    bool has_before;
    uint32_t run;  // points of the present run of anomalies
    // the last anomaly
    bool has_anomaly, has_expected;
    uint64_t anomaly_at;  // bucket
    double anomaly_score;
    int32_t anomaly_index;       // relative
    float *anomaly_point;        // [dims]
    float *anomaly_expected;     // [dims], when has_expected
    double *shift_moved;         // [features] by the anomaly, in the feature's unit
    struct deviation *actual;    // [features] values of the run
    struct deviation *expected;  // [features] and what was expected of them
};

/* One point to judge. Arrays hold one number for each feature but for `point`. */
struct corrector_input {
    const struct forest *forest;
    const struct model_options *options;
    const float *point;  // [dims]
    const double *shift, *scale;
    const double *roughness;  // the usual step, in the feature's unit
    uint64_t bucket;          // counts rows, filled in ones too
};

struct corrector_answer {
    double score;  // 0: the forest is empty, nothing else is said
    double threshold;
    double grade;
    enum correction mode;
    int32_t index;  // <= 0: the row to blame; only with grade > 0, as what follows
    bool has_expected;
    float *expected;        // [dims] the point that would have been normal
    double *contribution;   // [features] shares of the row to blame, sum 1
    double *below, *above;  // [features] tolerance around the expected value, feature's unit
};

/* Memory for the arrays of a corrector. */
size_t corrector_size(size_t dims, size_t features);
void corrector_init(struct corrector *c, void *memory, size_t dims, size_t features);

/* Scores a point, decides, and learns the score. The arrays of *out must be there.
 * STATUS_NO_MEMORY leaves the corrector as it was. */
enum status corrector_judge(struct corrector *c, const struct corrector_input *in,
                            struct corrector_answer *out, struct error *err);

/* After the moments learned the point of an anomaly: how far the shift has moved. */
void corrector_note_shift(struct corrector *c, const struct model_options *o,
                          const double *before, const double *after);

void corrector_save(const struct corrector *c, const struct model_options *o, struct pack *out);
bool corrector_load(struct corrector *c, const struct model_options *o, struct unpack *in);

#endif
