#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALKS_AT_ONCE 200 /* Redis does nothing else meanwhile: a fraction of a millisecond */

struct audit_moment_t {
    audit_moment_t *before;
    int64_t position[];
};

/* ---- life ---- */

static bool allocate(audit_t *audit, int partitions)
{
    size_t count = (size_t)partitions;
    audit->checks = calloc(count, sizeof *audit->checks);
    audit->wanted = calloc(count, sizeof *audit->wanted);
    audit->ends = calloc(count, sizeof *audit->ends);
    audit->starts = calloc(count, sizeof *audit->starts);
    audit->positions = calloc(count, sizeof *audit->positions);
    audit->partitions = calloc(count, sizeof *audit->partitions);
    return audit->checks && audit->wanted && audit->ends && audit->starts && audit->positions &&
           audit->partitions && audit_log_init(&audit->log, partitions) &&
           audit_fold_init(&audit->fold, partitions);
}

static bool choose(audit_t *audit)
{
    const audit_options_t *options = audit->options;
    audit->fold.chosen = options->talks_count > 0;
    for (int i = 0; i < options->talks_count; i++)
        if (!audit_fold_talk(&audit->fold, options->talks[i], strlen(options->talks[i])))
            return false;
    return true;
}

static bool look_at_ends(audit_t *audit, const int64_t *expected, audit_why_t *why)
{
    return audit_stream_ends(audit->stream, audit->fold.partitions, expected, audit->starts,
                             audit->ends, why);
}

static bool begin(audit_t *audit, audit_why_t *why)
{
    if (!look_at_ends(audit, NULL, why))
        return false;
    for (int p = 0; p < audit->fold.partitions; p++) {
        audit->checks[p].start = audit->fold.partition[p].next = audit->starts[p];
        audit->wanted[p] = audit->ends[p];
    }
    return true;
}

bool audit_open(audit_t *audit, const audit_options_t *options, audit_why_t *why)
{
    int partitions = 0;
    memset(audit, 0, sizeof *audit);
    audit->options = options;
    audit->store = audit_store_new(options->store, options->timeout_ms);
    if (!audit->store)
        return audit_no_memory(why);
    audit->stream = audit_stream_open(&options->stream, &partitions, why);
    if (!audit->stream)
        return false;
    if (!allocate(audit, partitions) || !choose(audit))
        return audit_no_memory(why);
    return begin(audit, why);
}

static void forget_moments(audit_t *audit)
{
    for (size_t i = 0; i < audit->fold.talks; i++)
        audit_fold_read_at(audit->fold.talk[i], NULL);
    while (audit->moments) {
        audit_moment_t *before = audit->moments->before;
        free(audit->moments);
        audit->moments = before;
    }
}

void audit_free(audit_t *audit)
{
    forget_moments(audit);
    audit_stream_close(audit->stream);
    audit_store_free(audit->store);
    audit_fold_free(&audit->fold);
    audit_log_free(&audit->log);
    free(audit->checks);
    free(audit->wanted);
    free(audit->ends);
    free(audit->starts);
    free(audit->positions);
    free(audit->partitions);
    free(audit->differing);
}

/* ---- the store, which must stay the same and go forwards alone ---- */

static bool is_of_topic(const audit_t *audit, const audit_log_t *log, audit_why_t *why)
{
    if (!log->present)
        return audit_fail(why,
                          "the store has no ratings:log: it was lost, and the service rebuilds "
                          "it when it runs");
    if (log->claim[0])
        return audit_fail(why, "the store is being rebuilt by the service: try again when it is");
    return strcmp(log->topic, audit->options->stream.topic) == 0 ||
           audit_fail(why, "the store holds the ratings of topic '%s', not of '%s'", log->topic,
                      audit->options->stream.topic);
}

/* The service takes up partitions that the topic is given; this audit would miss their events. */
static bool has_its_partitions(audit_t *audit, audit_why_t *why)
{
    int now = 0, then = audit->fold.partitions;
    if (!audit->log.beyond && audit->log.routed <= then)
        return true;
    return audit_stream_partitions(audit->stream, &now, why) &&
           (now <= then || audit_fail(why, "the topic was given partitions meanwhile: try again"));
}

/* Reads where the store stands, and some talks with it. */
static bool look(audit_t *audit, audit_talk_t *const *talks, size_t count, audit_why_t *why)
{
    char generation[sizeof audit->log.generation];
    memcpy(generation, audit->log.generation, sizeof generation);
    bool again = audit->log.present;
    if (!audit_store_read(audit->store, &audit->log, talks, count, why) ||
        !is_of_topic(audit, &audit->log, why))
        return false;
    if (again && strcmp(generation, audit->log.generation) != 0)
        return audit_fail(why, "the store was rebuilt meanwhile: try again");
    for (int p = 0; p < audit->fold.partitions; p++) {
        int64_t next = audit->fold.partition[p].next;
        if (audit->log.position[p] < next && next > audit->checks[p].start)
            return audit_fail(why, "the store went back to an older state meanwhile: try again");
    }
    return has_its_partitions(audit, why);
}

/* ---- the log ---- */

static bool ends_are_behind(const audit_t *audit)
{
    for (int p = 0; p < audit->fold.partitions; p++)
        if (audit->log.position[p] > audit->ends[p])
            return true;
    return false;
}

/* The store may have moved on since they were asked for. Those that are behind it after that are
 * for partition_problem. */
static bool look_further(audit_t *audit, audit_why_t *why)
{
    return !ends_are_behind(audit) || look_at_ends(audit, audit->log.position, why);
}

static bool fold_to_position(audit_t *audit, int partition, audit_why_t *why)
{
    int64_t position = audit->log.position[partition], end = audit->ends[partition];
    return audit_stream_fold(audit->stream, &audit->fold, partition,
                             position < end ? position : end, why);
}

static bool fold_on(audit_t *audit, audit_why_t *why)
{
    bool good = look_further(audit, why);
    for (int p = 0; p < audit->fold.partitions && good; p++)
        good = fold_to_position(audit, p, why);
    return good;
}

bool audit_follow(audit_t *audit, const int *partitions, int count, audit_why_t *why)
{
    bool good = look(audit, NULL, 0, why) && look_further(audit, why);
    for (int i = 0; i < count && good; i++)
        good = fold_to_position(audit, partitions[i], why);
    return good;
}

bool audit_finish(audit_t *audit, audit_why_t *why)
{
    bool good = true;
    for (int p = 0; p < audit->fold.partitions && good; p++)
        good = audit_stream_fold(audit->stream, &audit->fold, p, audit->wanted[p], why);
    return good;
}

/* ---- partitions ---- */

static audit_fit_e fit_mark(const char *text, const audit_mark_t *mark, const char *none)
{
    char expected[AUDIT_MARK_MAX + 1];
    if (!text[0])
        return AUDIT_ABSENT;
    (void)snprintf(expected, sizeof expected, "%" PRId64 ":%" PRId64 ":%" PRIu32, mark->offset,
                   mark->timestamp, mark->checksum);
    return strcmp(text, mark->offset < 0 ? none : expected) == 0 ? AUDIT_FITS : AUDIT_DIFFERS;
}

static audit_fit_e fit_time(const char *text, int64_t time)
{
    char expected[AUDIT_MARK_MAX + 1];
    if (!text[0])
        return AUDIT_ABSENT;
    (void)snprintf(expected, sizeof expected, "%" PRId64, time);
    return strcmp(text, expected) == 0 ? AUDIT_FITS : AUDIT_DIFFERS;
}

/* `first` and `time` may be absent: a store that was made by an older version has none. */
static const char *partition_problem(const audit_check_t *check, const audit_partition_t *folded)
{
    if (check->position > check->end)
        return "the log ends before the store's position: it was truncated or recreated";
    if (check->position > 0 && check->position < check->start)
        return "the log begins after the store's position: records were deleted";
    if (check->mark == AUDIT_ABSENT && folded->records > 0)
        return "the store does not say which record it applied last";
    if (check->mark == AUDIT_DIFFERS)
        return "the record that the store applied last is not the log's";
    if (check->first == AUDIT_DIFFERS)
        return "the record that the store applied first is not the log's";
    return check->time == AUDIT_DIFFERS ? "the store's time of the log is not the log's" : NULL;
}

/* When the fold stands where the store stood at the beginning of the round. */
static void check_partitions(audit_t *audit)
{
    const audit_log_t *log = &audit->log;
    audit->bad_partitions = 0;
    for (int p = 0; p < audit->fold.partitions; p++) {
        const audit_partition_t *folded = &audit->fold.partition[p];
        audit_check_t *check = &audit->checks[p];
        check->position = log->position[p];
        check->end = audit->ends[p];
        check->mark = fit_mark(log->mark[p], &folded->last, "");
        check->first = fit_mark(log->first[p], &folded->first, "empty");
        check->time = fit_time(log->time[p], folded->time);
        check->problem = partition_problem(check, folded);
        audit->bad_partitions += check->problem != NULL;
    }
    audit->problem = NULL;
    if (log->beyond || log->routed > audit->fold.partitions)
        audit->problem = "the store knows more partitions than the topic has: it was recreated";
    else if (log->routed < 1)
        audit->problem = "the store does not say by how many partitions talks are routed";
    else if (audit->fold.routed > 0 && log->routed != audit->fold.routed)
        audit->problem = "talks are routed by another number of partitions than the log says";
}

/* ---- talks ---- */

/* Where the store stood just now; that of before when it has not moved. */
static const int64_t *moment(audit_t *audit)
{
    size_t size = (size_t)audit->fold.partitions * sizeof *audit->log.position;
    if (audit->moments && memcmp(audit->moments->position, audit->log.position, size) == 0)
        return audit->moments->position;
    audit_moment_t *now = malloc(sizeof *now + size);
    if (!now)
        return NULL;
    now->before = audit->moments;
    memcpy(now->position, audit->log.position, size);
    audit->moments = now;
    return now->position;
}

static bool read_talks(audit_t *audit, audit_why_t *why)
{
    size_t all = audit->fold.talks, count;
    for (size_t i = 0; i < all; i += count) {
        audit_talk_t **talks = audit->fold.talk + i;
        count = all - i < TALKS_AT_ONCE ? all - i : TALKS_AT_ONCE;
        if (!look(audit, talks, count, why))
            return false;
        const int64_t *positions = moment(audit);
        if (!positions)
            return audit_no_memory(why);
        for (size_t t = 0; t < count; t++)
            audit_fold_read_at(talks[t], positions);
    }
    audit->compared = all;
    return true;
}

static bool is_empty(const ratings_histogram_t *histogram)
{
    int64_t total = 0;
    return ratings_histogram_total(histogram, &total) && total == 0;
}

const char *audit_talk_problem(const audit_talk_t *talk)
{
    ratings_histogram_t expected = audit_fold_expected(talk);
    switch (talk->found.what) {
    case AUDIT_FOUND_NOTHING:
        return is_empty(&expected) ? NULL : "its key is missing";
    case AUDIT_FOUND_OTHER_TYPE:
        return "its key is no hash";
    case AUDIT_FOUND_OTHER_FIELDS:
        return "its key has fields that the service does not write";
    case AUDIT_FOUND_NO_COUNT:
        return "a count is no number";
    case AUDIT_FOUND_COUNTS:
        break;
    }
    if (is_empty(&expected))
        return "the log has no rating of it";
    return memcmp(&expected, &talk->found.counts, sizeof expected) ? "its counts differ" : NULL;
}

static int by_id(const void *a, const void *b)
{
    const audit_talk_t *const *left = a, *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

/* Of the talks that were read: one that came up in the log since is for the next audit. */
static bool compare_talks(audit_t *audit, audit_why_t *why)
{
    free(audit->differing);
    audit->differ = audit->in_log = audit->in_store = audit->spread = 0;
    audit->differing = calloc(audit->compared + 1, sizeof *audit->differing);
    if (!audit->differing)
        return audit_no_memory(why);
    for (size_t i = 0; i < audit->compared; i++) {
        audit_talk_t *talk = audit->fold.talk[i];
        ratings_histogram_t expected = audit_fold_expected(talk);
        audit->in_log += !is_empty(&expected);
        audit->in_store += talk->found.what != AUDIT_FOUND_NOTHING;
        audit->spread += talk->tallies && talk->tallies->next;
        if (audit_talk_problem(talk))
            audit->differing[audit->differ++] = talk;
    }
    qsort(audit->differing, audit->differ, sizeof *audit->differing, by_id);
    return true;
}

/* The log is long and the store's connection would be idle meanwhile. */
bool audit_round(audit_t *audit, audit_why_t *why)
{
    forget_moments(audit);
    if (!look(audit, NULL, 0, why) || !look_at_ends(audit, audit->log.position, why))
        return false;
    audit_store_rest(audit->store);
    if (!fold_on(audit, why))
        return false;
    check_partitions(audit);
    return (audit->fold.chosen || audit_store_scan(audit->store, &audit->fold, why)) &&
           read_talks(audit, why) && fold_on(audit, why) && compare_talks(audit, why);
}

/* ---- what has come out ---- */

bool audit_agrees(const audit_t *audit)
{
    return audit->differ == 0 && audit->bad_partitions == 0 && !audit->problem;
}

int64_t audit_lag(const audit_check_t *check)
{
    int64_t from = check->position > check->start ? check->position : check->start;
    return check->end > from ? check->end - from : 0;
}
