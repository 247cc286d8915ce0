#include "ctl_voter.h"

#include "../core/clock.h"
#include "../core/secret.h"
#include "ctl_command.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_NS 50000000L /* how often the store is asked whether it has applied the records */

/* ---- which voter ---- */

static bool voter_of_identity(ctl_voter_t *it, audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    const char *topic = options->stream.topic;
    ratings_secret_t secret;
    char reason[128];
    const char *problem = ratings_secret_source_problem(options->secret);
    if (problem)
        return audit_fail(why, "--secret: %s", problem);
    if (!ratings_secret_load(options->secret, &secret, reason, sizeof reason))
        return audit_fail(why, "the file of --secret: %s", reason);
    bool made = ratings_secret_voter(&secret, topic, options->words[0], &it->voter) &&
                ratings_secret_electorate(&secret, topic, &it->electorate);
    explicit_bzero(&secret, sizeof secret);
    return made || audit_no_memory(why);
}

/* No reason repeats the word: it may be somebody's name. */
static bool find_voter(ctl_voter_t *it, audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    const char *word = options->words[0];
    if (options->secret)
        return voter_of_identity(it, why);
    return ratings_voter_parse(word, strlen(word), &it->voter) ||
           audit_fail(why,
                      "%s takes the 32 digits of a voter, as explain shows them, or, with "
                      "--secret, an identity (see --help)",
                      it->command->name);
}

static bool is_same_voter(const ratings_voter_t *a, const ratings_voter_t *b)
{
    return memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

/* Sees each event of the log. */
static bool count_own_event(void *self, const audit_seen_t *seen)
{
    ctl_voter_t *it = self;
    it->events += seen->event->has_voter && is_same_voter(&seen->event->voter, &it->voter);
    return true;
}

/* ---- opening ---- */

/* Whoever mistypes an address shall not change another log's numbers. */
static bool check_store_of_topic(ctl_voter_t *it, audit_failure_t *why)
{
    const char *topic = it->options->stream.topic;
    return audit_store_read(it->store, &it->state, NULL, 0, why) &&
           (!it->state.topic[0] || strcmp(it->state.topic, topic) == 0 ||
            audit_fail(why, "the store holds the ratings of topic '%s', not of '%s'",
                       it->state.topic, topic));
}

static bool open_voter(ctl_voter_t *it, audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    if (!ctl_log_open(&it->log, options, why))
        return false;
    int partitions = it->log.fold.partitions;
    it->log.fold.observe = count_own_event;
    it->log.fold.observer = it;
    it->changed = calloc((size_t)partitions, sizeof *it->changed);
    it->store = audit_store_new(options->store, &options->store_tls, options->stream.timeout_ms);
    if (!it->changed || !it->store || !audit_state_init(&it->state, partitions))
        return audit_no_memory(why);
    if (!check_store_of_topic(it, why))
        return false;
    audit_store_disconnect(it->store); /* the log may be long */
    it->append = ctl_append_open(&options->stream, partitions, why);
    return it->append != NULL;
}

static void close_voter(ctl_voter_t *it)
{
    ctl_append_close(it->append);
    audit_store_free(it->store);
    audit_state_free(&it->state);
    free(it->changed);
    free(it->standing);
    ctl_log_close(&it->log);
}

/* ---- appending ---- */

static bool append_bar(ctl_voter_t *it, int partition, audit_failure_t *why)
{
    const ratings_bar_t bar = {it->voter, it->command->bars};
    size_t len;
    char *value = ratings_bar_encode(&bar, it->options->reason, &len);
    return ctl_append_record(it->append, partition, RATINGS_BAR_KEY, ratings_bar_type(&bar), value,
                             len, why);
}

static bool is_barred_in(const ctl_voter_t *it, int partition)
{
    return audit_bars_find(&it->log.fold.partition[partition].bars, &it->voter) != NULL;
}

/* In each partition where the log does not say so yet. */
static bool change_bars(ctl_voter_t *it, audit_failure_t *why)
{
    bool good = true;
    for (int p = 0; p < it->log.fold.partitions && good; p++) {
        it->changed[p] = it->command->changes_bar && is_barred_in(it, p) != it->command->bars;
        it->changes += it->changed[p];
        if (it->changed[p] && !it->options->dry_run)
            good = append_bar(it, p, why);
    }
    return good && ctl_append_wait(it->append, why);
}

static bool append_withdrawal(ctl_voter_t *it, const ctl_standing_t *standing, audit_failure_t *why)
{
    ratings_event_t event = {
        .rating.value = RATINGS_VALUE_NONE, .has_voter = true, .voter = it->voter};
    size_t len;
    memcpy(event.rating.talk_id, standing->talk, strlen(standing->talk) + 1);
    char *value = ratings_event_encode(&event, &len);
    return ctl_append_record(it->append, standing->partition, standing->talk,
                             ratings_event_type(&event), value, len, why);
}

static int by_talk_and_partition(const void *a, const void *b)
{
    const ctl_standing_t *left = a, *right = b;
    int order = strcmp(left->talk, right->talk);
    return order ? order
                 : (left->partition > right->partition) - (left->partition < right->partition);
}

/* Where the fold is now. False: memory ran out. */
static bool find_standing(ctl_voter_t *it)
{
    const audit_fold_t *fold = &it->log.fold;
    const audit_tally_t *tally;
    size_t room = 1;
    for (size_t i = 0; i < fold->talks; i++)
        SLIST_FOREACH(tally, &fold->talk[i]->tallies, link)
            room++;
    it->standing = calloc(room, sizeof *it->standing);
    if (!it->standing)
        return false;
    for (size_t i = 0; i < fold->talks; i++)
        SLIST_FOREACH(tally, &fold->talk[i]->tallies, link) {
            const audit_vote_t *vote = audit_votes_find(&tally->votes, &it->voter);
            if (vote && vote->now != RATINGS_VALUE_NONE)
                it->standing[it->standings++] =
                    (ctl_standing_t){fold->talk[i]->id, tally->partition, vote->now};
        }
    qsort(it->standing, it->standings, sizeof *it->standing, by_talk_and_partition);
    return true;
}

static bool withdraw_standing(ctl_voter_t *it, audit_failure_t *why)
{
    bool good = true;
    if (!it->command->withdraws)
        return true;
    if (!find_standing(it))
        return audit_no_memory(why);
    for (size_t i = 0; i < it->standings && good && !it->options->dry_run; i++)
        good = append_withdrawal(it, &it->standing[i], why);
    return good && ctl_append_wait(it->append, why);
}

static bool follow_log(ctl_voter_t *it, audit_failure_t *why)
{
    return it->options->dry_run || ctl_log_follow(&it->log, ctl_append_ends(it->append), why);
}

/* Under a secret that was never the log's an identity has the hash of nobody: whoever bars that, or
 * erases it, would take it for done. */
static bool check_electorate(const ctl_voter_t *it, audit_failure_t *why)
{
    const ratings_electorate_t *votes = &it->log.fold.electorate.it;
    return it->events > 0 || !it->electorate.name[0] || !votes->name[0] ||
           ratings_electorate_equal(&it->electorate, votes) ||
           audit_fail(why, "the secret is not that of the electorate which votes, and the log has "
                           "no event of this voter");
}

/* The ratings that stand are looked for behind the bars: one that came before these still counts,
 * one that came after does not. */
static bool change_log(ctl_voter_t *it, audit_failure_t *why)
{
    return ctl_log_fold(&it->log, why) && check_electorate(it, why) && change_bars(it, why) &&
           follow_log(it, why) && withdraw_standing(it, why) && follow_log(it, why);
}

/* ---- until the service has applied it ---- */

static bool has_applied(const ctl_voter_t *it)
{
    const audit_state_t *state = &it->state;
    if (!state->generation[0] || state->claim[0] || state->behind)
        return false;
    for (int p = 0; p < state->partitions; p++)
        if (state->checkpoint[p] <= it->log.fold.partition[p].last.offset)
            return false;
    return true;
}

/* All that was read, as an earlier try may have appended some of it. */
static bool await_applied(ctl_voter_t *it, audit_failure_t *why)
{
    const struct timespec pause = {0, POLL_NS};
    int64_t until = ratings_monotonic() + (int64_t)it->options->stream.timeout_ms * 1000;
    audit_failure_t reason;
    do {
        if (!audit_store_read(it->store, &it->state, NULL, 0, &reason))
            return audit_fail(why,
                              "it is in the log, and whether the service has applied it is "
                              "not known: %s",
                              reason.text);
        it->is_applied = has_applied(it);
        if (!it->is_applied)
            (void)nanosleep(&pause, NULL);
    } while (!it->is_applied && ratings_monotonic() < until);
    return true;
}

/* ---- the commands ---- */

static bool report_voter(ctl_voter_t *it, audit_failure_t *why)
{
    for (int p = 0; p < it->log.fold.partitions; p++)
        it->barred += is_barred_in(it, p);
    if (it->options->json)
        return ctl_voter_json(it, why);
    ctl_voter_text(it);
    return true;
}

static ctl_exit_e run_voter_command(const ctl_voter_command_t *command, ctl_options_t *options,
                                    audit_failure_t *why)
{
    ctl_voter_t it = {.command = command, .options = options};
    bool good = find_voter(&it, why) && open_voter(&it, why) && change_log(&it, why) &&
                (options->dry_run || await_applied(&it, why)) && report_voter(&it, why);
    ctl_exit_e code = !good                               ? CTL_EXIT_FAILED
                      : options->dry_run || it.is_applied ? CTL_EXIT_GOOD
                                                          : CTL_EXIT_DIFFERS;
    close_voter(&it);
    return code;
}

ctl_exit_e ctl_bar(ctl_options_t *options, audit_failure_t *why)
{
    static const ctl_voter_command_t command = {"bar", true, true, true};
    if (options->reason)
        return run_voter_command(&command, options, why);
    audit_fail(why, "bar takes --reason TEXT, which the log keeps (see --help)");
    return CTL_EXIT_FAILED;
}

ctl_exit_e ctl_unbar(ctl_options_t *options, audit_failure_t *why)
{
    static const ctl_voter_command_t command = {"unbar", true, false, false};
    return run_voter_command(&command, options, why);
}

ctl_exit_e ctl_erase(ctl_options_t *options, audit_failure_t *why)
{
    static const ctl_voter_command_t command = {"erase", false, false, true};
    return run_voter_command(&command, options, why);
}
