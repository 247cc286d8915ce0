/* The report as one JSON document. */
#include "audit_json.h"

#include "../core/redis_url.h"
#include "audit_report.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *shown_url(const char *url)
{
    char *shown = ratings_redis_url_redact(url);
    json_t *string = shown ? json_string(shown) : NULL;
    free(shown);
    return string;
}

json_t *audit_json_counts(const ratings_histogram_t *histogram)
{
    const int64_t *count = histogram->count;
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "1", (json_int_t)count[0], "2",
                     (json_int_t)count[1], "3", (json_int_t)count[2], "4", (json_int_t)count[3],
                     "5", (json_int_t)count[4]);
}

static json_t *partition_row(const audit_t *audit, int p)
{
    const audit_check_t *check = &audit->checks[p];
    const audit_partition_t *folded = &audit->fold.partition[p];
    return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s?}",
                     "partition", p, "logStart", (json_int_t)check->start, "logEnd",
                     (json_int_t)check->end, "position", (json_int_t)check->checkpoint, "lag",
                     (json_int_t)audit_lag(check), "records", (json_int_t)folded->records,
                     "skipped", (json_int_t)folded->skipped, "duplicates",
                     (json_int_t)folded->duplicates, "repeated", (json_int_t)folded->repeated,
                     "barred", (json_int_t)folded->barred, "liveKeys",
                     (json_int_t)audit_keys_live(&folded->keys, folded->time), "mark",
                     audit_fit_word(check->last), "first", audit_fit_word(check->first), "time",
                     audit_fit_word(check->time), "problem", check->problem);
}

static json_t *checkpoints_of(const audit_talk_t *talk)
{
    const audit_tally_t *tally;
    json_t *array = json_array();
    SLIST_FOREACH(tally, &talk->tallies, link)
        (void)json_array_append_new(array, json_pack("{s:i, s:I}", "partition", tally->partition,
                                                     "position",
                                                     (json_int_t)talk->read_at[tally->partition]));
    return array;
}

static json_t *id_of_talk(const audit_talk_t *talk)
{
    char *id = audit_shown_id(talk);
    json_t *string = id ? json_string(id) : NULL;
    free(id);
    return string;
}

/* Adds a member to a row or document that could be made. */
static json_t *with_member(json_t *object, const char *name, json_t *value)
{
    if (object && json_object_set_new(object, name, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* Where talks are ranked. */
static json_t *with_scores(json_t *row, const audit_place_t *place,
                           const ratings_histogram_t *counts)
{
    double expected;
    if (!place->is_compared)
        return row;
    json_t *must =
        audit_place_expected(&place->prior, counts, &expected) ? json_real(expected) : json_null();
    json_t *has = place->has_score ? json_real(place->score) : json_null();
    return with_member(row, "score", json_pack("{s:o, s:o}", "expected", must, "found", has));
}

static json_t *difference_row(const audit_talk_t *talk)
{
    ratings_histogram_t expected = audit_fold_expected(talk);
    bool found = talk->found.what == AUDIT_FOUND_COUNTS;
    json_t *row = json_pack("{s:o, s:o, s:s, s:o, s:o}", "talk", id_of_talk(talk), "partitions",
                            checkpoints_of(talk), "problem", audit_talk_problem(talk), "expected",
                            audit_json_counts(&expected), "found",
                            found ? audit_json_counts(&talk->found.counts) : json_null());
    return with_scores(row, &talk->found.place, &expected);
}

/* A row that could not be made makes the array fail, so that nothing is left out silently. */
static bool add_row(json_t *array, json_t *row)
{
    return row && json_array_append_new(array, row) == 0;
}

static bool fill_rows(const audit_t *audit, json_t *partitions, json_t *differences, json_t *spread)
{
    bool good = true;
    for (int p = 0; p < audit->fold.partitions && good; p++)
        good = add_row(partitions, partition_row(audit, p));
    for (size_t i = 0; i < audit->differ && good; i++)
        good = add_row(differences, difference_row(audit->differing[i]));
    for (size_t i = 0; i < audit->compared && good; i++) {
        const audit_talk_t *talk = audit->fold.talk[i];
        if (audit_fold_is_spread(talk))
            good = add_row(spread, json_pack("{s:o, s:o}", "talk", id_of_talk(talk), "partitions",
                                             checkpoints_of(talk)));
    }
    return good;
}

static json_t *report_document(const audit_t *audit, json_t *partitions, json_t *differences,
                               json_t *spread)
{
    return json_pack("{s:b, s:s, s:s, s:o, s:s, s:s?, s:O, s:{s:I, s:I, s:I, s:I}, s:O, s:O, "
                     "s:{s:I, s:I}}",
                     "agree", audit_agrees(audit), "topic", audit->options->stream.topic, "brokers",
                     audit->options->stream.brokers, "store", shown_url(audit->options->store),
                     "generation", audit->state.generation, "problem", audit->problem, "partitions",
                     partitions, "talks", "log", (json_int_t)audit->in_log, "store",
                     (json_int_t)audit->in_store, "compared", (json_int_t)audit->compared, "differ",
                     (json_int_t)audit->differ, "differences", differences, "spread", spread,
                     "repair", "repaired", (json_int_t)audit->repaired, "failed",
                     (json_int_t)audit->gave_up);
}

static json_t *with_ranking(json_t *root, const audit_state_t *state)
{
    if (!state->ranking[0])
        return root;
    return with_member(
        root, "ranking",
        json_pack("{s:s, s:b}", "prior", state->ranking, "compared", !state->reranks));
}

bool audit_json_write(json_t *root, audit_failure_t *why)
{
    bool good = root && json_dumpf(root, stdout, JSON_PRESERVE_ORDER | JSON_INDENT(1)) == 0;
    json_decref(root);
    if (good)
        (void)putchar('\n');
    return good || audit_fail(why, "the report could not be made or written");
}

bool audit_report_json(const audit_t *audit, audit_failure_t *why)
{
    json_t *partitions = json_array(), *differences = json_array(), *spread = json_array();
    json_t *root = fill_rows(audit, partitions, differences, spread)
                       ? report_document(audit, partitions, differences, spread)
                       : NULL;
    json_decref(partitions);
    json_decref(differences);
    json_decref(spread);
    return audit_json_write(with_ranking(root, &audit->state), why);
}
