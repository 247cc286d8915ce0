#include "audit_fold.h"

#include "../core/routing_record.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare_talks(const void *a, const void *b)
{
    const audit_talk_t *left = a, *right = b;
    if (left->len != right->len)
        return left->len < right->len ? -1 : 1;
    return memcmp(left->id, right->id, left->len);
}

bool audit_fold_init(audit_fold_t *fold, int partitions)
{
    memset(fold, 0, sizeof *fold);
    fold->partition = calloc((size_t)partitions, sizeof *fold->partition);
    if (!fold->partition)
        return false;
    fold->partitions = partitions;
    for (int p = 0; p < partitions; p++) {
        fold->partition[p].first.offset = fold->partition[p].last.offset = -1;
        audit_tickets_init(&fold->partition[p].tickets);
    }
    return true;
}

static void free_talk(audit_fold_t *fold, audit_talk_t *talk)
{
    (void)tdelete(talk, &fold->tree, compare_talks);
    while (!SLIST_EMPTY(&talk->tallies)) {
        audit_tally_t *tally = SLIST_FIRST(&talk->tallies);
        SLIST_REMOVE_HEAD(&talk->tallies, link);
        audit_votes_free(&tally->votes);
        free(tally);
    }
    free(talk->found.votes);
    free(talk);
}

void audit_fold_free(audit_fold_t *fold)
{
    for (int p = 0; p < fold->partitions; p++) {
        audit_keys_free(&fold->partition[p].keys);
        audit_bars_free(&fold->partition[p].bars);
        audit_tickets_free(&fold->partition[p].tickets);
        ratings_dedup_window_free(fold->partition[p].dedup);
    }
    free(fold->partition);
    for (size_t i = 0; i < fold->talks; i++)
        free_talk(fold, fold->talk[i]);
    free(fold->talk);
}

/* ---- talks ---- */

static audit_talk_t *find_talk(const audit_fold_t *fold, const char *id, size_t len)
{
    const audit_talk_t wanted = {.id = id, .len = len};
    audit_talk_t *const *found = tfind(&wanted, &fold->tree, compare_talks);
    return found ? *found : NULL;
}

static bool make_talk_room(audit_fold_t *fold)
{
    size_t room = fold->room ? 2 * fold->room : 256;
    if (fold->talks < fold->room)
        return true;
    audit_talk_t **talk = realloc(fold->talk, room * sizeof(audit_talk_t *));
    if (!talk)
        return false;
    fold->talk = talk;
    fold->room = room;
    return true;
}

audit_talk_t *audit_fold_talk(audit_fold_t *fold, const char *id, size_t len)
{
    audit_talk_t *talk = find_talk(fold, id, len);
    if (talk || !make_talk_room(fold))
        return talk;
    talk = calloc(1, sizeof *talk + len + 1);
    if (!talk)
        return NULL;
    talk->id = memcpy(talk + 1, id, len);
    talk->len = len;
    if (!tsearch(talk, &fold->tree, compare_talks)) {
        free(talk);
        return NULL;
    }
    return fold->talk[fold->talks++] = talk;
}

static audit_tally_t *tally_of(audit_talk_t *talk, int partition)
{
    audit_tally_t *tally, *last = NULL;
    SLIST_FOREACH(tally, &talk->tallies, link) {
        if (tally->partition == partition)
            return tally;
        last = tally;
    }
    tally = calloc(1, sizeof *tally);
    if (!tally)
        return NULL;
    tally->partition = partition;
    if (last)
        SLIST_INSERT_AFTER(last, tally, link);
    else
        SLIST_INSERT_HEAD(&talk->tallies, tally, link);
    return tally;
}

bool audit_fold_is_spread(const audit_talk_t *talk)
{
    const audit_tally_t *first = SLIST_FIRST(&talk->tallies);
    return first && SLIST_NEXT(first, link);
}

/* ---- records ---- */

static void add_rating(ratings_histogram_t *side, int value, int count)
{
    if (value != RATINGS_VALUE_NONE)
        side->count[value - RATINGS_VALUE_MIN] += count;
}

static bool count_vote(audit_tally_t *tally, const ratings_event_t *event, bool later)
{
    ratings_histogram_t *side = later ? &tally->later : &tally->counted;
    audit_vote_t *vote = audit_votes_of(&tally->votes, &event->voter);
    if (!vote)
        return false;
    add_rating(side, vote->now, -1);
    vote->now = event->rating.value;
    if (!later)
        vote->counted = vote->now;
    add_rating(side, vote->now, 1);
    return true;
}

static bool count_event(audit_talk_t *talk, const audit_record_t *record,
                        const ratings_event_t *event)
{
    audit_tally_t *tally = tally_of(talk, record->partition);
    if (!tally)
        return false;
    bool later = talk->read_at && record->offset >= talk->read_at[record->partition];
    if (event->has_voter)
        return count_vote(tally, event, later);
    add_rating(later ? &tally->later : &tally->counted, event->rating.value, 1);
    tally->anonymous += !later;
    tally->anonymous_later += later;
    return true;
}

const char *audit_verdict_word(audit_verdict_e verdict)
{
    static const char *const words[] = {
        [AUDIT_VERDICT_COUNTED] = "counted",   [AUDIT_VERDICT_DUPLICATE] = "duplicate",
        [AUDIT_VERDICT_BARRED] = "barred",     [AUDIT_VERDICT_REPEATED] = "repeated",
        [AUDIT_VERDICT_CONFLICT] = "conflict",
    };
    return words[verdict];
}

/* A voter's keys are not those of others: no key has a line feed. */
typedef struct {
    char text[RATINGS_KEY_MAX + 1 + RATINGS_VOTER_TEXT_SIZE];
} key_name_t;

static key_name_t name_of_key(const ratings_event_t *event)
{
    key_name_t name;
    char *end = stpcpy(name.text, event->key.text);
    if (event->has_voter) {
        *end++ = '\n';
        ratings_voter_print(&event->voter, end);
    }
    return name;
}

static const audit_verdict_e verdict_of_key[] = {
    [RATINGS_VERDICT_COUNTED] = AUDIT_VERDICT_COUNTED,
    [RATINGS_VERDICT_REPEATED] = AUDIT_VERDICT_REPEATED,
    [RATINGS_VERDICT_CONFLICT] = AUDIT_VERDICT_CONFLICT,
};

static bool judge_key(audit_partition_t *partition, const audit_talk_t *talk, audit_seen_t *seen)
{
    const audit_record_t *record = seen->record;
    const ratings_event_t *event = seen->event;
    if (!event->key.text[0] || !record->append_time)
        return true;
    key_name_t name = name_of_key(event);
    ratings_use_t *use = audit_keys_use(&partition->keys, talk, name.text, partition->time);
    if (!use)
        return false;
    seen->verdict = verdict_of_key[ratings_key_resolve(use, &event->key, event->rating.value,
                                                       record->offset, partition->time)];
    seen->counted_at = use->offset;
    return true;
}

static bool judge_voter(const audit_partition_t *partition, audit_seen_t *seen)
{
    const ratings_event_t *event = seen->event;
    if (!event->has_voter || event->rating.value == RATINGS_VALUE_NONE)
        return false;
    const audit_bar_t *bar = audit_bars_find(&partition->bars, &event->voter);
    if (!bar)
        return false;
    seen->verdict = AUDIT_VERDICT_BARRED;
    seen->counted_at = bar->offset;
    return true;
}

static bool observe(const audit_fold_t *fold, const audit_seen_t *seen)
{
    return !fold->observe || fold->observe(fold->observer, seen);
}

static bool fold_event(audit_fold_t *fold, audit_seen_t *seen)
{
    audit_partition_t *partition = &fold->partition[seen->record->partition];
    const char *id = seen->event->rating.talk_id;
    audit_talk_t *talk =
        fold->chosen ? find_talk(fold, id, strlen(id)) : audit_fold_talk(fold, id, strlen(id));
    if (!talk)
        return fold->chosen;
    if (judge_voter(partition, seen)) {
        partition->barred++;
        return observe(fold, seen);
    }
    if (!judge_key(partition, talk, seen))
        return false;
    partition->repeated += seen->verdict != AUDIT_VERDICT_COUNTED;
    return (seen->verdict != AUDIT_VERDICT_COUNTED ||
            count_event(talk, seen->record, seen->event)) &&
           observe(fold, seen);
}

/* Every record is checked, whether it is an event or not, and of whatever talk: else what is a
 * duplicate would depend on the talks that were chosen. */
static bool check_duplicate(audit_partition_t *partition, const audit_record_t *record,
                            bool *is_duplicate, int64_t *counted_at)
{
    bool counts;
    *is_duplicate = false;
    *counted_at = -1;
    if (record->ticket.life) {
        bool good = audit_tickets_note(&partition->tickets, &record->ticket, record->offset,
                                       &counts, counted_at);
        *is_duplicate = !counts;
        return good;
    }
    if (!ratings_identity_is_known(&record->identity))
        return true;
    if (!partition->dedup && !(partition->dedup = ratings_dedup_window_new()))
        return false;
    ratings_dedup_e seen =
        ratings_dedup_window_check_and_add(partition->dedup, &record->identity, record->offset);
    *is_duplicate = seen == RATINGS_DEDUP_DUPLICATE;
    return seen != RATINGS_DEDUP_NO_MEMORY;
}

static audit_fingerprint_t fingerprint_of(const audit_record_t *record)
{
    return (audit_fingerprint_t){
        record->offset, record->timestamp,
        ratings_event_checksum(record->key, record->key_len, record->value, record->value_len)};
}

/* Whether it is a record that says how talks are routed: the first one does. */
static bool read_routing(audit_fold_t *fold, const audit_record_t *record)
{
    int said = record->partition == 0
                   ? ratings_routing_decode(record->key, record->key_len, record->value,
                                            record->value_len, INT32_MAX)
                   : 0;
    if (fold->routing_partitions == 0)
        fold->routing_partitions = said;
    return said > 0;
}

/* Whether it is a record that begins an electorate. It does if it follows the one that stands. */
static bool read_electorate_change(audit_fold_t *fold, const audit_record_t *record,
                                   bool is_duplicate)
{
    audit_electorate_t *now = &fold->electorate;
    ratings_electorate_record_t said;
    if (record->partition != RATINGS_ELECTORATE_PARTITION ||
        !ratings_electorate_decode(record->key, record->key_len, record->value, record->value_len,
                                   &said))
        return false;
    bool is_first = !now->it.name[0];
    bool is_next = strcmp(now->it.name, said.follows.name) == 0;
    bool is_same = strcmp(now->it.name, said.begins.name) == 0;
    if (!is_duplicate && (is_first || is_next || is_same))
        *now = (audit_electorate_t){said.begins, record->offset, record->timestamp};
    return true;
}

/* A record that is no event. One that repeats another says nothing. */
static bool fold_no_event(audit_fold_t *fold, const audit_record_t *record, bool is_duplicate)
{
    audit_partition_t *partition = &fold->partition[record->partition];
    ratings_bar_t bar;
    if (read_routing(fold, record) || read_electorate_change(fold, record, is_duplicate))
        return true;
    if (ratings_bar_decode(record->key, record->key_len, record->value, record->value_len, &bar))
        return is_duplicate || audit_bars_note(&partition->bars, &bar, record->offset);
    partition->skipped++;
    return true;
}

bool audit_fold_record(audit_fold_t *fold, const audit_record_t *record)
{
    audit_partition_t *partition = &fold->partition[record->partition];
    ratings_event_t event;
    bool is_duplicate;
    int64_t counted_at;
    partition->next = record->offset + 1;
    partition->last = fingerprint_of(record);
    if (partition->records++ == 0)
        partition->first = partition->last;
    if (record->append_time)
        partition->time = ratings_log_time(partition->time, record->timestamp);
    if (!check_duplicate(partition, record, &is_duplicate, &counted_at))
        return false;
    if (ratings_event_decode(record->key, record->key_len, record->value, record->value_len,
                             &event))
        return fold_no_event(fold, record, is_duplicate);
    audit_seen_t seen = {
        record, &event, is_duplicate ? AUDIT_VERDICT_DUPLICATE : AUDIT_VERDICT_COUNTED, counted_at};
    partition->duplicates += is_duplicate;
    if (is_duplicate)
        return observe(fold, &seen);
    return fold_event(fold, &seen);
}

/* ---- counts ---- */

static void add_counts(ratings_histogram_t *sum, const ratings_histogram_t *more)
{
    for (int v = 0; v < RATINGS_VALUES; v++)
        sum->count[v] += more->count[v];
}

void audit_fold_read_at(audit_talk_t *talk, const int64_t *checkpoints)
{
    audit_vote_t *vote;
    audit_tally_t *tally;
    SLIST_FOREACH(tally, &talk->tallies, link) {
        add_counts(&tally->counted, &tally->later);
        tally->later = (ratings_histogram_t){{0}};
        tally->anonymous += tally->anonymous_later;
        tally->anonymous_later = 0;
        SLIST_FOREACH(vote, &tally->votes.all, link)
            vote->counted = vote->now;
    }
    talk->read_at = checkpoints;
}

ratings_histogram_t audit_fold_expected(const audit_talk_t *talk)
{
    ratings_histogram_t sum = {{0}};
    const audit_tally_t *tally;
    SLIST_FOREACH(tally, &talk->tallies, link)
        add_counts(&sum, &tally->counted);
    return sum;
}

ratings_histogram_t audit_fold_now(const audit_talk_t *talk)
{
    ratings_histogram_t sum = audit_fold_expected(talk);
    const audit_tally_t *tally;
    SLIST_FOREACH(tally, &talk->tallies, link)
        add_counts(&sum, &tally->later);
    return sum;
}

/* ---- voters ---- */

bool audit_fold_has_voters(const audit_talk_t *talk)
{
    const audit_tally_t *tally;
    SLIST_FOREACH(tally, &talk->tallies, link)
        if (!SLIST_EMPTY(&tally->votes.all))
            return true;
    return false;
}

int64_t audit_fold_expected_anonymous(const audit_talk_t *talk)
{
    const audit_tally_t *tally;
    int64_t sum = 0;
    SLIST_FOREACH(tally, &talk->tallies, link)
        sum += tally->anonymous;
    return sum;
}

int64_t audit_fold_anonymous_now(const audit_talk_t *talk)
{
    const audit_tally_t *tally;
    int64_t sum = audit_fold_expected_anonymous(talk);
    SLIST_FOREACH(tally, &talk->tallies, link)
        sum += tally->anonymous_later;
    return audit_fold_has_voters(talk) ? sum : -1;
}

void audit_fold_field(unsigned char field[RATINGS_VOTER_SIZE], const ratings_voter_t *voter,
                      int partition)
{
    memcpy(field, voter->hash, RATINGS_VOTER_SIZE);
    field[RATINGS_VOTER_SIZE - 2] ^= (unsigned char)(partition >> 8);
    field[RATINGS_VOTER_SIZE - 1] ^= (unsigned char)partition;
}

static int64_t count_expected_votes(const audit_talk_t *talk)
{
    const audit_tally_t *tally;
    const audit_vote_t *vote;
    int64_t count = 0;
    SLIST_FOREACH(tally, &talk->tallies, link)
        SLIST_FOREACH(vote, &tally->votes.all, link)
            count += vote->counted != RATINGS_VALUE_NONE;
    return count;
}

static bool is_expected(const audit_talk_t *talk, const audit_found_vote_t *found)
{
    const audit_tally_t *tally;
    SLIST_FOREACH(tally, &talk->tallies, link) {
        ratings_voter_t as_stored, voter;
        memcpy(as_stored.hash, found->field, sizeof as_stored.hash);
        audit_fold_field(voter.hash, &as_stored, tally->partition); /* xor undoes itself */
        const audit_vote_t *vote = audit_votes_find(&tally->votes, &voter);
        if (vote && vote->counted == found->value)
            return true;
    }
    return false;
}

/* Fields of a hash are all different: as many as expected, each of them expected, are all. */
bool audit_fold_votes_agree(const audit_talk_t *talk)
{
    if (talk->found.vote_count != count_expected_votes(talk))
        return false;
    for (int64_t i = 0; i < talk->found.vote_count; i++)
        if (!is_expected(talk, &talk->found.votes[i]))
            return false;
    return true;
}
