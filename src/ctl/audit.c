#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is read in one step, while Redis does nothing else: some milliseconds at most. */
#define TALKS_AT_ONCE 200
#define VOTES_AT_ONCE 5000 /* but those of one talk whole */

struct audit_snapshot_t {
    audit_snapshot_t *before;
    int64_t checkpoint[];
};

/* ---- opening and closing ---- */

static bool allocate_audit(audit_t *audit, int partitions)
{
    size_t count = (size_t)partitions;
    audit->checks = calloc(count, sizeof *audit->checks);
    audit->wanted = calloc(count, sizeof *audit->wanted);
    audit->ends = calloc(count, sizeof *audit->ends);
    audit->starts = calloc(count, sizeof *audit->starts);
    audit->checkpoints = calloc(count, sizeof *audit->checkpoints);
    audit->partitions = calloc(count, sizeof *audit->partitions);
    return audit->checks && audit->wanted && audit->ends && audit->starts && audit->checkpoints &&
           audit->partitions && audit_state_init(&audit->state, partitions) &&
           audit_fold_init(&audit->fold, partitions);
}

static bool choose_talks(audit_t *audit)
{
    const ctl_options_t *options = audit->options;
    audit->fold.chosen = options->talks_count > 0;
    for (int i = 0; i < options->talks_count; i++)
        if (!audit_fold_talk(&audit->fold, options->talks[i], strlen(options->talks[i])))
            return false;
    return true;
}

static bool ask_ends(audit_t *audit, const int64_t *expected, audit_failure_t *why)
{
    return audit_stream_ends(audit->stream, audit->fold.partitions, expected, audit->starts,
                             audit->ends, why);
}

static bool begin_at_log_start(audit_t *audit, audit_failure_t *why)
{
    if (!ask_ends(audit, NULL, why))
        return false;
    for (int p = 0; p < audit->fold.partitions; p++) {
        audit->checks[p].start = audit->fold.partition[p].next = audit->starts[p];
        audit->wanted[p] = audit->ends[p];
    }
    return true;
}

bool audit_open(audit_t *audit, const ctl_options_t *options, audit_failure_t *why)
{
    int partitions = 0;
    memset(audit, 0, sizeof *audit);
    audit->options = options;
    audit->store = audit_store_new(options->store, &options->store_tls, options->stream.timeout_ms);
    if (!audit->store)
        return audit_no_memory(why);
    audit->stream = audit_stream_open(&options->stream, &partitions, why);
    if (!audit->stream)
        return false;
    if (!allocate_audit(audit, partitions) || !choose_talks(audit))
        return audit_no_memory(why);
    return begin_at_log_start(audit, why);
}

static void forget_snapshots(audit_t *audit)
{
    for (size_t i = 0; i < audit->fold.talks; i++)
        audit_fold_read_at(audit->fold.talk[i], NULL);
    while (audit->snapshots) {
        audit_snapshot_t *before = audit->snapshots->before;
        free(audit->snapshots);
        audit->snapshots = before;
    }
}

void audit_free(audit_t *audit)
{
    forget_snapshots(audit);
    audit_stream_close(audit->stream);
    audit_store_free(audit->store);
    audit_fold_free(&audit->fold);
    audit_state_free(&audit->state);
    free(audit->checks);
    free(audit->wanted);
    free(audit->ends);
    free(audit->starts);
    free(audit->checkpoints);
    free(audit->partitions);
    free(audit->differing);
}

/* ---- the store, which must stay the same and go forwards alone ---- */

static bool is_of_topic(const audit_t *audit, const audit_state_t *state, audit_failure_t *why)
{
    if (!state->present)
        return audit_fail(why,
                          "the store has no ratings:log: it was lost, and the service rebuilds "
                          "it when it runs");
    if (state->claim[0])
        return audit_fail(why, "the store is being rebuilt by the service: try again when it is");
    return strcmp(state->topic, audit->options->stream.topic) == 0 ||
           audit_fail(why, "the store holds the ratings of topic '%s', not of '%s'", state->topic,
                      audit->options->stream.topic);
}

/* The service takes up partitions that the topic is given; this audit would miss their events. */
static bool has_its_partitions(audit_t *audit, audit_failure_t *why)
{
    int now = 0, then = audit->fold.partitions;
    if (!audit->state.beyond && audit->state.routing_partitions <= then)
        return true;
    return audit_stream_partitions(audit->stream, &now, why) &&
           (now <= then || audit_fail(why, "the topic was given partitions meanwhile: try again"));
}

/* Reads what ratings:log says, and some talks with it. */
static bool read_store(audit_t *audit, audit_talk_t *const *talks, size_t count,
                       audit_failure_t *why)
{
    char generation[sizeof audit->state.generation];
    memcpy(generation, audit->state.generation, sizeof generation);
    bool again = audit->state.present;
    if (!audit_store_read(audit->store, &audit->state, talks, count, why) ||
        !is_of_topic(audit, &audit->state, why))
        return false;
    if (again && strcmp(generation, audit->state.generation) != 0)
        return audit_fail(why, "the store was rebuilt meanwhile: try again");
    for (int p = 0; p < audit->fold.partitions; p++) {
        int64_t next = audit->fold.partition[p].next;
        if (audit->state.checkpoint[p] < next && next > audit->checks[p].start)
            return audit_fail(why, "the store went back to an older state meanwhile: try again");
    }
    return has_its_partitions(audit, why);
}

/* ---- the log ---- */

static bool ends_are_behind(const audit_t *audit)
{
    for (int p = 0; p < audit->fold.partitions; p++)
        if (audit->state.checkpoint[p] > audit->ends[p])
            return true;
    return false;
}

/* The store may have moved on since the ends were asked for. Those that are behind it after that
 * are for audit_check_partitions. */
static bool refresh_ends(audit_t *audit, audit_failure_t *why)
{
    return !ends_are_behind(audit) || ask_ends(audit, audit->state.checkpoint, why);
}

static bool fold_to_checkpoint(audit_t *audit, int partition, audit_failure_t *why)
{
    int64_t checkpoint = audit->state.checkpoint[partition], end = audit->ends[partition];
    return audit_stream_fold(audit->stream, &audit->fold, partition,
                             checkpoint < end ? checkpoint : end, why);
}

static int64_t offsets_to_checkpoints(const audit_t *audit)
{
    int64_t offsets = 0;
    for (int p = 0; p < audit->fold.partitions; p++) {
        int64_t next = audit->fold.partition[p].next, checkpoint = audit->state.checkpoint[p];
        offsets += checkpoint > next ? checkpoint - next : 0;
    }
    return offsets;
}

static bool fold_on(audit_t *audit, audit_failure_t *why)
{
    bool good = refresh_ends(audit, why);
    audit_stream_progress_begin(audit->stream, offsets_to_checkpoints(audit));
    for (int p = 0; p < audit->fold.partitions && good; p++)
        good = fold_to_checkpoint(audit, p, why);
    audit_stream_progress_end(audit->stream);
    return good;
}

bool audit_follow(audit_t *audit, const int *partitions, int count, audit_failure_t *why)
{
    bool good = read_store(audit, NULL, 0, why) && refresh_ends(audit, why);
    for (int i = 0; i < count && good; i++)
        good = fold_to_checkpoint(audit, partitions[i], why);
    return good;
}

bool audit_finish(audit_t *audit, audit_failure_t *why)
{
    bool good = true;
    for (int p = 0; p < audit->fold.partitions && good; p++)
        good = audit_stream_fold(audit->stream, &audit->fold, p, audit->wanted[p], why);
    return good;
}

/* ---- talks ---- */

/* The checkpoints just read, kept: those of before when they are the same. */
static const int64_t *keep_checkpoints(audit_t *audit)
{
    size_t size = (size_t)audit->fold.partitions * sizeof *audit->state.checkpoint;
    if (audit->snapshots &&
        memcmp(audit->snapshots->checkpoint, audit->state.checkpoint, size) == 0)
        return audit->snapshots->checkpoint;
    audit_snapshot_t *now = malloc(sizeof *now + size);
    if (!now)
        return NULL;
    now->before = audit->snapshots;
    memcpy(now->checkpoint, audit->state.checkpoint, size);
    audit->snapshots = now;
    return now->checkpoint;
}

static size_t votes_of(const audit_talk_t *talk)
{
    const audit_tally_t *tally;
    const audit_vote_t *vote;
    size_t count = 0;
    SLIST_FOREACH(tally, &talk->tallies, link)
        SLIST_FOREACH(vote, &tally->votes.all, link)
            count++;
    return count;
}

/* How many talks, from the first of these on, are read in the next step. */
static size_t talks_at_once(audit_talk_t *const *talks, size_t left)
{
    size_t count = 1, votes = votes_of(talks[0]);
    for (; count < left && count < TALKS_AT_ONCE; count++) {
        votes += votes_of(talks[count]);
        if (votes > VOTES_AT_ONCE)
            break;
    }
    return count;
}

static bool read_talks(audit_t *audit, audit_failure_t *why)
{
    size_t all = audit->fold.talks, count;
    for (size_t i = 0; i < all; i += count) {
        audit_talk_t **talks = audit->fold.talk + i;
        count = talks_at_once(talks, all - i);
        if (!read_store(audit, talks, count, why))
            return false;
        const int64_t *checkpoints = keep_checkpoints(audit);
        if (!checkpoints)
            return audit_no_memory(why);
        for (size_t t = 0; t < count; t++)
            audit_fold_read_at(talks[t], checkpoints);
    }
    audit->compared = all;
    return true;
}

static bool is_empty(const ratings_histogram_t *histogram)
{
    int64_t total = 0;
    return ratings_histogram_total(histogram, &total) && total == 0;
}

/* A talk says how many ratings are anonymous from its first voter on. */
static const char *problem_of_voters(const audit_talk_t *talk)
{
    if (talk->found.vote_count < 0)
        return "the key of its voters is not what the service writes";
    if (!audit_fold_votes_agree(talk))
        return "its voters' ratings differ";
    return (talk->found.anonymous >= 0 || talk->found.vote_count > 0) &&
                   talk->found.anonymous != audit_fold_expected_anonymous(talk)
               ? "its number of anonymous ratings differs"
               : NULL;
}

static const char *problem_of_the_rest(const audit_talk_t *talk,
                                       const ratings_histogram_t *expected)
{
    const char *problem = problem_of_voters(talk);
    return problem ? problem : audit_place_problem(&talk->found.place, expected);
}

const char *audit_talk_problem(const audit_talk_t *talk)
{
    ratings_histogram_t expected = audit_fold_expected(talk);
    switch (talk->found.what) {
    case AUDIT_FOUND_NOTHING:
        return is_empty(&expected) ? problem_of_the_rest(talk, &expected) : "its key is missing";
    case AUDIT_FOUND_OTHER_TYPE:
        return "its key is no hash";
    case AUDIT_FOUND_OTHER_FIELDS:
        return "its key has fields that the service does not write";
    case AUDIT_FOUND_NO_COUNT:
        return "a count is no number";
    case AUDIT_FOUND_COUNTS:
        break;
    }
    if (is_empty(&expected) && !audit_fold_has_voters(talk))
        return "the log has no rating of it";
    return memcmp(&expected, &talk->found.counts, sizeof expected)
               ? "its counts differ"
               : problem_of_the_rest(talk, &expected);
}

static int by_id(const void *a, const void *b)
{
    const audit_talk_t *const *left = a, *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

/* Of the talks that were read: one that came up in the log since is for the next audit. */
static bool compare_read_talks(audit_t *audit, audit_failure_t *why)
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
        audit->spread += audit_fold_is_spread(talk);
        if (audit_talk_problem(talk))
            audit->differing[audit->differ++] = talk;
    }
    qsort(audit->differing, audit->differ, sizeof *audit->differing, by_id);
    return true;
}

static bool scan_store(audit_t *audit, audit_failure_t *why)
{
    return audit_store_scan(audit->store, &audit->fold, why) &&
           (!audit->state.ranking[0] || audit_store_scan_ranked(audit->store, &audit->fold, why));
}

/* The log is long and the store's connection would be idle meanwhile. */
bool audit_round(audit_t *audit, audit_failure_t *why)
{
    forget_snapshots(audit);
    if (!read_store(audit, NULL, 0, why) || !ask_ends(audit, audit->state.checkpoint, why))
        return false;
    audit_store_disconnect(audit->store);
    if (!fold_on(audit, why))
        return false;
    audit_check_partitions(audit);
    return (audit->fold.chosen || scan_store(audit, why)) && read_talks(audit, why) &&
           fold_on(audit, why) && compare_read_talks(audit, why);
}

/* ---- results ---- */

bool audit_agrees(const audit_t *audit)
{
    return audit->differ == 0 && audit->bad_partitions == 0 && !audit->problem;
}

int64_t audit_lag(const audit_check_t *check)
{
    int64_t from = check->checkpoint > check->start ? check->checkpoint : check->start;
    return check->end > from ? check->end - from : 0;
}
