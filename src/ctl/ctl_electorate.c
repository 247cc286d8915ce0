/* The command electorate: shows which electorate votes, as the store says, or begins a new one by a
 * record that is appended to the log (../core/electorate_record.h). */
#include "../core/clock.h"
#include "../core/number.h"
#include "../core/secret.h"
#include "audit_json.h"
#include "audit_store.h"
#include "ctl_append.h"
#include "ctl_ask.h"
#include "ctl_command.h"
#include "ctl_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ELECTORATE_POLL_NS 50000000L /* how often the store is asked whether it has the new one */

typedef struct {
    const ctl_options_t *options;
    audit_store_t *store;
    audit_state_t state;
    audit_electorate_t now;    /* as the store says */
    ratings_electorate_t next; /* of the secret; none: nothing is to be begun */
    int64_t end;               /* what the log reaches to with the record */
} ctl_electorate_t;

/* ---- the store ---- */

static bool read_colon_number(const char **text, int64_t min, int64_t *out)
{
    size_t len = strcspn(*text, ":");
    if ((*text)[len] != ':' || !ratings_parse_int(*text, len, min, INT64_MAX, out))
        return false;
    *text += len + 1;
    return true;
}

static bool read_now(ctl_electorate_t *it, audit_failure_t *why)
{
    const char *text = it->state.electorate;
    it->now = (audit_electorate_t){{""}, -1, -1};
    return !text[0] ||
           (read_colon_number(&text, 0, &it->now.offset) &&
            read_colon_number(&text, -1, &it->now.timestamp) &&
            ratings_electorate_parse(text, strlen(text), &it->now.it)) ||
           audit_fail(why, "the electorate in ratings:log is not what the service writes");
}

/* What a store says that is lost, or not whole, is no electorate of the log. */
static bool read_electorate_now(ctl_electorate_t *it, audit_failure_t *why)
{
    const audit_state_t *state = &it->state;
    const char *topic = it->options->stream.topic;
    if (!audit_store_read(it->store, &it->state, NULL, 0, why))
        return false;
    if (!state->generation[0] || state->claim[0] || state->behind)
        return audit_fail(why,
                          "the store was lost, or is being rebuilt: try again when the service "
                          "has rebuilt it");
    if (strcmp(state->topic, topic) != 0)
        return audit_fail(why, "the store holds the ratings of topic '%s', not of '%s'",
                          state->topic, topic);
    return read_now(it, why);
}

/* ---- beginning a new one ---- */

static bool name_next(ctl_electorate_t *it, audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    ratings_secret_t secret;
    char reason[128];
    const char *problem = options->secret ? ratings_secret_source_problem(options->secret)
                                          : "electorate new takes the new secret by it";
    if (problem)
        return audit_fail(why, "--secret: %s", problem);
    if (!ratings_secret_load(options->secret, &secret, reason, sizeof reason))
        return audit_fail(why, "the file of --secret: %s", reason);
    bool made = ratings_secret_electorate(&secret, options->stream.topic, &it->next);
    explicit_bzero(&secret, sizeof secret);
    return made || audit_no_memory(why);
}

static bool append_next(ctl_electorate_t *it, ctl_append_t *append, audit_failure_t *why)
{
    const ratings_electorate_record_t record = {it->next, it->now.it};
    size_t len;
    char *value = ratings_electorate_encode(&record, &len);
    if (!ctl_append_record(append, RATINGS_ELECTORATE_PARTITION, RATINGS_ELECTORATE_KEY,
                           RATINGS_ELECTORATE_TYPE, value, len, why) ||
        !ctl_append_wait(append, why))
        return false;
    it->end = ctl_append_ends(append)[RATINGS_ELECTORATE_PARTITION];
    return true;
}

static bool append_record(ctl_electorate_t *it, audit_failure_t *why)
{
    int partitions;
    audit_stream_t *stream = audit_stream_open(&it->options->stream, &partitions, why);
    ctl_append_t *append = stream ? ctl_append_open(&it->options->stream, partitions, why) : NULL;
    bool good = append && append_next(it, append, why);
    ctl_append_close(append);
    audit_stream_close(stream);
    return good;
}

static bool is_begun(const ctl_electorate_t *it)
{
    return ratings_electorate_equal(&it->now.it, &it->next);
}

/* Whether it counts, the service decides when it reads it: somebody else's may come first. */
static bool await_next(ctl_electorate_t *it, audit_failure_t *why)
{
    const struct timespec pause = {0, ELECTORATE_POLL_NS};
    int64_t until = ratings_monotonic() + (int64_t)it->options->stream.timeout_ms * 1000;
    do {
        if (!read_electorate_now(it, why))
            return false;
        if (is_begun(it) || it->state.checkpoint[RATINGS_ELECTORATE_PARTITION] >= it->end)
            return true;
        (void)nanosleep(&pause, NULL);
    } while (ratings_monotonic() < until);
    return audit_fail(why, "the record is in the log, and the service has not applied it: if it "
                           "runs, see its error log");
}

static bool begin_next(ctl_electorate_t *it, audit_failure_t *why)
{
    if (!name_next(it, why) || !read_electorate_now(it, why))
        return false;
    if (is_begun(it))
        return true;
    if (!ctl_ask(it->options,
                 "Everybody may vote again, and what was given before stays counted. Begin a new "
                 "electorate?",
                 why))
        return false;
    return append_record(it, why) && await_next(it, why) &&
           (is_begun(it) || audit_fail(why,
                                       "another electorate was begun at the same time, and "
                                       "came first: %s",
                                       it->now.it.name));
}

/* ---- the command ---- */

static bool report_electorate(const ctl_electorate_t *it, audit_failure_t *why)
{
    const audit_electorate_t *now = &it->now;
    char when[CTL_TIME_SIZE];
    bool stands = now->it.name[0] != '\0', has_time = ctl_time_print(now->timestamp, when);
    if (it->options->json)
        return audit_json_electorate(now, has_time ? when : NULL, why);
    if (stands)
        (void)printf("electorate %s, since offset %" PRId64 " of partition %d, %s\n", now->it.name,
                     now->offset, RATINGS_ELECTORATE_PARTITION,
                     has_time ? when : "at no known time");
    else
        (void)printf("no electorate: the log has no voters\n");
    return true;
}

ctl_exit_e ctl_electorate(ctl_options_t *options, audit_failure_t *why)
{
    ctl_electorate_t it = {.options = options};
    const char *word = options->words_count > 0 ? options->words[0] : NULL;
    if (word && strcmp(word, "new") != 0) {
        audit_fail(why, "electorate takes new, or no word (see --help)");
        return CTL_EXIT_FAILED;
    }
    it.store = audit_store_new(options->store, &options->store_tls, options->stream.timeout_ms);
    bool good = (it.store && audit_state_init(&it.state, 1)) || audit_no_memory(why);
    good = good && (word ? begin_next(&it, why) : read_electorate_now(&it, why)) &&
           report_electorate(&it, why);
    ctl_exit_e code = !good               ? CTL_EXIT_FAILED
                      : it.now.it.name[0] ? CTL_EXIT_GOOD
                                          : CTL_EXIT_DIFFERS;
    audit_store_free(it.store);
    audit_state_free(&it.state);
    return code;
}
