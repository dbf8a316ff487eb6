/* job/rule.h - what the users of a job know better: custom rules, filters, scheduled events.
 *
 *     rulebook
 *     ├ filters    "safe_hosts" = { "web-1", "test-*" }
 *     ├ rules      per detector: all scopes and all conditions hold ─▶ actions
 *     └ events     a time range ─▶ actions, on every detector
 *
 * A rulebook is only read while a bucket closes; between buckets whole parts of it are
 * replaced. Source: the Elastic contract, 9.1 to 9.3. */
#ifndef BLIP_JOB_RULE_H
#define BLIP_JOB_RULE_H

#include "base/error.h"
#include "base/text.h"
#include "job/analysis.h"

enum rule_action {  // bits
    RULE_SKIP_RESULT = 1,
    RULE_SKIP_MODEL_UPDATE = 2,
    RULE_FORCE_TIME_SHIFT = 4,
};

enum rule_quantity { RULE_ACTUAL, RULE_TYPICAL, RULE_DIFF_FROM_TYPICAL, RULE_TIME };
enum rule_operator { RULE_LT, RULE_LTE, RULE_GT, RULE_GTE };

struct rulebook;

/* A book without rules for the detectors of an analysis, which must outlive it.
 * rulebook_free() frees it. NULL when memory runs out. */
struct rulebook *rulebook_new(const struct analysis *a);
void rulebook_free(struct rulebook *b);

/* Puts an item on the filter of an id, which is made when there is none of it. An item may
 * begin or end with '*', which stands for any text. STATUS_NO_MEMORY. */
enum status rulebook_add_item(struct rulebook *b, const char *filter, const char *item,
                              struct error *err);

/* Appends a rule without scope and conditions to a detector.
 *   actions   bits of enum rule_action
 *   shift_s   of RULE_FORCE_TIME_SHIFT, seconds
 * STATUS_INVALID when there is no such detector, STATUS_NO_MEMORY. */
enum status rulebook_add_rule(struct rulebook *b, size_t detector, unsigned actions,
                              int64_t shift_s, struct error *err);

/* Narrows the rule that was added last: a condition, or a by, over or partition field whose
 * value must be on a filter (include) or must not be. A filter that does not exist is empty.
 * STATUS_INVALID when the detector has no such field, STATUS_NO_MEMORY. */
enum status rulebook_add_condition(struct rulebook *b, enum rule_quantity quantity,
                                   enum rule_operator operator_, double value,
                                   struct error *err);
enum status rulebook_add_scope(struct rulebook *b, const char *field, const char *filter,
                               bool include, struct error *err);

/* An event covers every bucket that its time range [start, end) touches. */
enum status rulebook_add_event(struct rulebook *b, const char *description, int64_t start_s,
                               int64_t end_s, unsigned actions, int64_t shift_s,
                               struct error *err);

/* The parts of a book. */
enum rulebook_part { RULEBOOK_FILTERS = 1, RULEBOOK_RULES = 2, RULEBOOK_EVENTS = 4 };

/* Moves the named parts (bits) of another book of the same analysis into this one; what was
 * there before is freed. The other book keeps nothing of them. */
void rulebook_move(struct rulebook *b, struct rulebook *from, unsigned parts);

/* What rules are asked about: one value of one series. */
struct rule_subject {
    size_t detector;
    struct text partition, by, over;
    int64_t time_s;          // start of the bucket
    double actual, typical;  // NaN = there is none: conditions on it do not hold
};

/* The actions of all rules and events that apply, as bits. */
unsigned rulebook_actions(const struct rulebook *b, const struct rule_subject *subject);

/* The rules of a detector that shift time: calls shift() for each that applies to the subject
 * with a key that names the rule, the same in every book that holds it. */
void rulebook_shifts(const struct rulebook *b, const struct rule_subject *subject,
                     void (*shift)(void *context, uint64_t key, int64_t shift_s),
                     void *context);

/* Whether the detector has any rule, whether any of them shifts time; events count for all. */
bool rulebook_concerns(const struct rulebook *b, size_t detector);
bool rulebook_has_shifts(const struct rulebook *b, size_t detector);

/* The descriptions of the events of a bucket: fills out [most] and returns how many. */
size_t rulebook_events(const struct rulebook *b, int64_t bucket_s, const char **out,
                       size_t most);

size_t rulebook_size(const struct rulebook *b);  // bytes

#endif
