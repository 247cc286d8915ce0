#include "audit_report.h"

#include "../core/redis_url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 20 /* talks that differ; all of them are counted, and --json has them all */

const char *audit_fit_word(audit_fit_e fit)
{
    static const char *const words[] = {"fits", "differs", "absent"};
    return words[fit];
}

char *audit_shown_id(const audit_talk_t *talk)
{
    char *text = malloc(4 * talk->len + 1), *at = text;
    if (!text)
        return NULL;
    if (!ratings_talk_id_problem(talk->id, talk->len))
        return memcpy(text, talk->id, talk->len + 1);
    for (size_t i = 0; i < talk->len; i++) {
        unsigned char c = (unsigned char)talk->id[i];
        bool plain = c >= ' ' && c <= '~' && c != '\\';
        at += plain ? sprintf(at, "%c", c) : sprintf(at, "\\x%02X", c);
    }
    *at = '\0';
    return text;
}

void audit_report_sources(const audit_t *audit)
{
    char *store = ratings_redis_url_redact(audit->options->store);
    (void)printf("log    topic %s at %s\nstore  %s, generation %s\n\n",
                 audit->options->stream.topic, audit->options->stream.brokers, store ? store : "?",
                 audit->state.generation[0] ? audit->state.generation : "unknown");
    free(store);
}

static void show_partitions(const audit_t *audit)
{
    (void)printf("%9s %12s %12s %12s %10s %12s %9s %10s %9s %9s  %-8s%-8s%s\n", "partition",
                 "log start", "log end", "checkpoint", "lag", "records", "skipped", "duplicates",
                 "repeated", "live keys", "mark", "first", "time");
    for (int p = 0; p < audit->fold.partitions; p++) {
        const audit_check_t *check = &audit->checks[p];
        const audit_partition_t *folded = &audit->fold.partition[p];
        (void)printf("%9d %12" PRId64 " %12" PRId64 " %12" PRId64 " %10" PRId64 " %12" PRId64
                     " %9" PRId64 " %10" PRId64 " %9" PRId64 " %9zu  %-8s%-8s%s\n",
                     p, check->start, check->end, check->checkpoint, audit_lag(check),
                     folded->records, folded->skipped, folded->duplicates, folded->repeated,
                     audit_keys_live(&folded->keys, folded->time), audit_fit_word(check->last),
                     audit_fit_word(check->first), audit_fit_word(check->time));
    }
}

void audit_report_problems(const audit_t *audit)
{
    for (int p = 0; p < audit->fold.partitions; p++)
        if (audit->checks[p].problem)
            (void)printf("partition %d: %s\n", p, audit->checks[p].problem);
    if (audit->problem)
        (void)printf("ratings:log: %s\n", audit->problem);
}

/* ---- talks ---- */

void audit_report_counts(const char *name, const ratings_histogram_t *counts)
{
    (void)printf("    %-9s", name);
    for (int v = 0; v < RATINGS_VALUES; v++)
        (void)printf("  %d: %" PRId64, v + RATINGS_VALUE_MIN, counts->count[v]);
    (void)printf("\n");
}

static void show_checkpoints(const audit_talk_t *talk)
{
    const char *before = " (";
    const audit_tally_t *tally;
    SLIST_FOREACH(tally, &talk->tallies, link) {
        (void)printf("%spartition %d at %" PRId64, before, tally->partition,
                     talk->read_at[tally->partition]);
        before = ", ";
    }
    (void)printf("%s", SLIST_EMPTY(&talk->tallies) ? "" : ")");
}

static bool show_talk(const audit_talk_t *talk, const char *what)
{
    char *id = audit_shown_id(talk);
    if (!id)
        return false;
    (void)printf("talk %s", id);
    show_checkpoints(talk);
    (void)printf(": %s\n", what);
    free(id);
    return true;
}

/* Of a talk whose place alone is wrong. */
static void show_scores(const audit_place_t *place, const ratings_histogram_t *counts)
{
    double expected;
    if (!audit_place_problem(place, counts))
        return;
    if (audit_place_expected(&place->prior, counts, &expected))
        (void)printf("    score      expected %.17g", expected);
    else
        (void)printf("    score      expected none");
    if (place->has_score)
        (void)printf(", found %.17g\n", place->score);
    else
        (void)printf(", found none\n");
}

static bool show_differing(const audit_t *audit)
{
    bool good = true;
    for (size_t i = 0; i < audit->differ && i < SHOWN_MAX && good; i++) {
        const audit_talk_t *talk = audit->differing[i];
        ratings_histogram_t expected = audit_fold_expected(talk);
        good = show_talk(talk, audit_talk_problem(talk));
        audit_report_counts("expected", &expected);
        if (talk->found.what == AUDIT_FOUND_COUNTS)
            audit_report_counts("found", &talk->found.counts);
        show_scores(&talk->found.place, &expected);
    }
    if (audit->differ > SHOWN_MAX)
        (void)printf("... and %zu more\n", audit->differ - SHOWN_MAX);
    return good;
}

static bool show_spread(const audit_t *audit)
{
    size_t shown = 0;
    bool good = true;
    for (size_t i = 0; i < audit->compared && shown < SHOWN_MAX && good; i++) {
        const audit_talk_t *talk = audit->fold.talk[i];
        if (!audit_fold_is_spread(talk))
            continue;
        good = show_talk(talk, "it has events in more than one partition, which are added up");
        shown++;
    }
    if (audit->spread > shown)
        (void)printf("... and %zu more\n", audit->spread - shown);
    return good;
}

static void show_ranking(const audit_t *audit)
{
    if (audit->state.ranking[0])
        (void)printf("ranking: by the prior %s%s\n", audit->state.ranking,
                     audit->state.reranks ? ", which is being made: not compared" : "");
}

/* ---- the end ---- */

static void show_repair(const audit_t *audit)
{
    if (audit->unrepairable)
        (void)printf("nothing was repaired, as the store as a whole does not fit the log: use "
                     "ratingsctl rebuild\n");
    else if (audit->options->repair)
        (void)printf("repaired: %zu talks\n", audit->repaired);
    if (audit->gave_up)
        (void)printf("not repaired: %zu talks, as the store moved on each time\n", audit->gave_up);
}

static void show_verdict(const audit_t *audit)
{
    int64_t lag = 0;
    for (int p = 0; p < audit->fold.partitions; p++)
        lag += audit_lag(&audit->checks[p]);
    if (!audit_agrees(audit))
        (void)printf("DIFFER: %zu talks and %d partitions%s\n", audit->differ,
                     audit->bad_partitions, audit->problem ? ", and ratings:log" : "");
    else if (lag > 0)
        (void)printf("agree, with a lag: the store has not applied the last %" PRId64
                     " offsets of the log\n",
                     lag);
    else
        (void)printf("agree\n");
}

bool audit_report_text(const audit_t *audit, audit_failure_t *why)
{
    audit_report_sources(audit);
    show_partitions(audit);
    audit_report_problems(audit);
    (void)printf("\ntalks: %zu in the log, %zu in the store, %zu compared, %zu differ\n",
                 audit->in_log, audit->in_store, audit->compared, audit->differ);
    show_ranking(audit);
    if (!show_differing(audit) || !show_spread(audit))
        return audit_no_memory(why);
    show_repair(audit);
    show_verdict(audit);
    return true;
}
