/* job/judge.c - models learn a bucket and give the probability of its values, on all threads.
 * A group belongs to one thread and has a model of its own, so the order in which threads come
 * does not show in the results. */
#include "job/close.h"
#include "model/chance.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#define GROUPS_A_TURN 256           // a thread takes at a time
#define GROUPS_WORTH_A_THREAD 2000  // fewer are done sooner than a thread starts
#define THREADS_MOST 64

struct judging {
    struct job *job;
    atomic_size_t next;  // first group that nobody has taken
};

// --- rules ----------------------------------------------------------------------------------

struct rule_subject job_subject(const struct job *job, const struct job_item *item) {
    const struct gather_cell *cell = gather_cell(job->gather, item->detector, item->cell);
    const struct series *series = job_series(job, item);
    return (struct rule_subject){
        .detector = item->detector,
        .partition = job_text(job, cell->partition),
        .by = job_text(job, cell->by),
        .over = job_text(job, cell->over),
        .time_s = job->bucket_s,
        .actual = item->valued ? item->value[0] : NAN,
        .typical = series && series_knows(series) ? job_typical(job, item).at[0] : NAN,
    };
}

// What rules say before the model learns the value.
void job_apply_rules(struct job *job, struct job_item *item) {
    if (!rulebook_concerns(job->rules, item->detector)) return;
    struct rule_subject subject = job_subject(job, item);
    unsigned actions = rulebook_actions(job->rules, &subject);
    item->unlearned = actions & RULE_SKIP_MODEL_UPDATE;
    item->muted = actions & RULE_SKIP_RESULT;
}

// --- learning -------------------------------------------------------------------------------

#define UNLEARNED_WEIGHT 0.005  // chapter 3: what skip_model_update leaves

static char *copy_news(const struct decomposition_news *news) {
    struct bytes texts = {0};
    for (size_t i = 0; i < news->texts; i++)
        bytes_append(&texts, news->text[i], strlen(news->text[i]) + 1);
    bytes_append_char(&texts, '\0');
    if (bytes_ok(&texts)) return texts.data;
    bytes_free(&texts);
    return NULL;
}

static void learn(struct job *job, struct job_group *g, struct series *series,
                  struct decomposition_news *news) {
    // In a population a rule is about one person: the others are learned as ever.
    const struct job_item *first = &job->items.at[g->first_item];
    struct series_bucket bucket = {
        .start_s = job->bucket_s,
        .samples = job->samples.at + g->first_sample,
        .count = g->samples,
        .weight = g->items == 1 && first->unlearned ? UNLEARNED_WEIGHT : 1,
        .ageless = job->ageless,
    };
    if (g->samples == 0) return;
    if (job->analysis->detectors[g->detector].over)
        bucket.count = population_merge(job->samples.at + g->first_sample, g->samples,
                                        job->analysis->bucket_span_s);
    series_learn(series, &bucket, news);
    if (news->texts > 0) g->news = copy_news(news);
}

static void weigh_samples(struct job *job, struct job_group *g) {
    if (g->items == 1 || g->samples != g->items) return;
    for (size_t i = 0; i < g->items; i++)
        if (job->items.at[g->first_item + i].unlearned)
            job->samples.at[g->first_sample + i].weight *= UNLEARNED_WEIGHT;
}

// --- asking ---------------------------------------------------------------------------------

static bool completes(const struct job *job, const struct feature *f) {
    return job->interim && !f->sampled && job->completeness < 1;
}

static struct series_question question(const struct job *job, const struct job_item *item) {
    const struct feature *f = job_feature(job, item);
    return (struct series_question){
        .start_s = job->bucket_s,
        .time_s = item->time_s,
        .value = item->value[0] - f->offset,
        .count_scale = item->count_scale,
        .completeness = completes(job, f) ? job->completeness : 1,
        .weight = item->unlearned ? UNLEARNED_WEIGHT : 1,
        .interim = job->interim,
    };
}

static void ask(struct job *job, struct job_item *item, struct series *series) {
    struct series_question q = question(job, item);
    series_score(series, &q, &item->verdict);
    item->p = item->verdict.probability;
    job_mute(job, item);
}

void job_mute(const struct job *job, struct job_item *item) {
    if (item->p < CHANCE_SIGNIFICANT && rulebook_concerns(job->rules, item->detector)) {
        struct rule_subject subject = job_subject(job, item);
        item->muted = rulebook_actions(job->rules, &subject) & RULE_SKIP_RESULT;
    }
    if (gather_frequent(job->gather, item->detector, item->cell)) item->muted = true;
}

static void judge_group(struct job *job, struct job_group *g, struct decomposition_news *news) {
    struct series *series = watch_find(&job->watches[g->detector], g->feature, g->model);
    struct kind *kind = watch_kind(&job->watches[g->detector], g->feature, g->model);
    if (kind) job_judge_kind(job, g, kind);
    if (!series) return;
    size_t before = series_bytes(series);
    struct job_item *items = job->items.at + g->first_item;
    for (size_t i = 0; i < g->items; i++)
        job_apply_rules(job, &items[i]);
    weigh_samples(job, g);
    if (!job->interim) learn(job, g, series, news);
    for (size_t i = 0; i < g->items; i++)
        if (items[i].valued) ask(job, &items[i], series);
    g->grown_bytes = (int64_t)series_bytes(series) - (int64_t)before;
}

// --- threads --------------------------------------------------------------------------------

static void *judge_groups(void *context) {
    struct judging *j = context;
    struct job *job = j->job;
    struct decomposition_news news;
    for (;;) {
        size_t first = atomic_fetch_add(&j->next, GROUPS_A_TURN);
        if (first >= job->groups.count) return NULL;
        size_t end = first + GROUPS_A_TURN;
        if (end > job->groups.count) end = job->groups.count;
        for (size_t i = first; i < end; i++)
            judge_group(job, &job->groups.at[i], &news);
    }
}

static size_t extra_threads(const struct job *job) {
    size_t worth = job->groups.count / GROUPS_WORTH_A_THREAD;
    size_t most = job->options.threads > 1 ? job->options.threads - 1 : 0;
    if (most > THREADS_MOST) most = THREADS_MOST;
    return worth < most ? worth : most;
}

static void judge_all(struct job *job) {
    struct judging j = {.job = job};
    pthread_t threads[THREADS_MOST];
    size_t extra = extra_threads(job), started = 0;
    while (started < extra && pthread_create(&threads[started], NULL, judge_groups, &j) == 0)
        started++;
    judge_groups(&j);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

// Models are made or brought back here, before threads start; an interim bucket makes none.
static enum status make_models(struct job *job, struct error *err) {
    for (size_t d = 0; d < job->analysis->detector_count; d++) {
        enum status status =
            watch_reserve(&job->watches[d], gather_models(job->gather, d), err);
        if (status != STATUS_OK) return status;
    }
    for (size_t i = 0; i < job->groups.count; i++) {
        const struct job_group *g = &job->groups.at[i];
        enum status status = job_unspill(job, g, err);
        if (status != STATUS_OK) return status;
        if (!job->interim && !watch_make(&job->watches[g->detector], g->feature, g->model))
            return fail(err, STATUS_NO_MEMORY, "no memory for a model");
    }
    return STATUS_OK;
}

enum status job_judge(struct job *job, struct error *err) {
    enum status status = make_models(job, err);
    if (status != STATUS_OK) return status;
    judge_all(job);
    for (size_t i = 0; i < job->groups.count; i++) {
        const struct job_group *g = &job->groups.at[i];
        job->watches[g->detector].bytes += (size_t)g->grown_bytes;
    }
    return job_judge_rarity(job, err);
}
