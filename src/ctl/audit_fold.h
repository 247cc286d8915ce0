/* The fold of the log: what the store must hold at a checkpoint. Pure but for memory; nothing of
 * the projector is in it, so that a fault of one is not repeated in the other. Not thread-safe.
 *
 * Each partition is folded by itself, wherever a talk's events may be. A record that is no event is
 * skipped; one that says how talks are routed (../core/routing_record.h), that begins an electorate
 * (../core/electorate_record.h) or bars a voter (../core/bar_record.h), is noted. An event that is
 * appended twice counts once (by its ticket, audit_tickets.h, or ../core/dedup_window.h), and the
 * second one is nothing to its key; nor is a rating of a voter who is barred there. Of the others,
 * one without a key counts, so does one whose append time the log has not written; for all others
 * ratings_key_resolve decides, by the log's time; keys are those of a voter, or of all who are
 * anonymous. Of those that count, an anonymous one adds a rating; a voter's replaces the voter's
 * last one in that partition, or withdraws it. */
#ifndef RATINGS_AUDIT_FOLD_H
#define RATINGS_AUDIT_FOLD_H

#include "../core/dedup_window.h"
#include "../core/electorate_record.h"
#include "../core/event.h"
#include "../core/histogram.h"
#include "audit_bars.h"
#include "audit_keys.h"
#include "audit_place.h"
#include "audit_tickets.h"
#include "audit_votes.h"

#include <sys/queue.h>

/* A record's fingerprint, by which it is recognised; offset -1: there is none. */
typedef struct {
    int64_t offset;
    int64_t timestamp; /* milliseconds since 1970 */
    uint32_t checksum;
} audit_fingerprint_t;

typedef struct {
    int partition;
    int64_t offset;
    int64_t timestamp;
    bool append_time; /* the log has written the timestamp, not the producer */
    const void *key, *value;
    size_t key_len, value_len;
    ratings_ticket_t ticket; /* life 0: it has none, but an identity */
    ratings_identity_t identity;
} audit_record_t;

/* The events of a talk in one partition. */
typedef struct audit_tally_t {
    int partition;
    ratings_histogram_t counted; /* before the checkpoint at which the store was read last */
    ratings_histogram_t later;   /* from there on; less than 0 where voters change their minds */
    int64_t anonymous, anonymous_later; /* of these, without a voter */
    audit_votes_t votes;                /* the others */
    SLIST_ENTRY(audit_tally_t) link;
} audit_tally_t;

typedef SLIST_HEAD(audit_tallies_t, audit_tally_t) audit_tallies_t;

/* What the store has of a talk. */
typedef enum {
    AUDIT_FOUND_NOTHING, /* no key */
    AUDIT_FOUND_COUNTS,
    AUDIT_FOUND_OTHER_TYPE,   /* no hash */
    AUDIT_FOUND_OTHER_FIELDS, /* fields that the service does not write, or none of its own */
    AUDIT_FOUND_NO_COUNT      /* a count that is no number */
} audit_found_e;

/* A voter's rating as the store has it. */
typedef struct {
    unsigned char field[RATINGS_VOTER_SIZE]; /* the voter's hash, its end xor the partition */
    int value;
} audit_found_vote_t;

/* A talk of the log, of the store, or of both. `found` is for whoever compares. */
typedef struct {
    const char *id; /* `len` bytes and a terminator. Of the store: any bytes */
    size_t len;
    audit_tallies_t tallies; /* one for each partition with events of it, in the order of their
                              * first ones; in good order, one */
    const int64_t *read_at;  /* for each partition, the checkpoint at which the talk was read */
    struct {
        audit_found_e what;
        ratings_histogram_t counts;
        int64_t anonymous; /* how many of them are; -1: it does not say */
        audit_found_vote_t *votes;
        int64_t vote_count; /* -1: the voters' key is not what the service writes */
        audit_place_t place;
    } found;
} audit_talk_t;

typedef struct {
    int64_t next;                    /* the offset to fold next */
    audit_fingerprint_t first, last; /* records folded */
    int64_t time;                    /* the log's, milliseconds; 0: no append time so far */
    int64_t records, skipped;        /* skipped: not ours */
    int64_t duplicates; /* events that were appended again, of talks not chosen as well */
    int64_t repeated;   /* other events that a key kept from being counted */
    int64_t barred;     /* ratings of voters who are barred */
    ratings_dedup_window_t *dedup; /* NULL: no record has an identity */
    audit_tickets_t tickets;
    audit_keys_t keys;
    audit_bars_t bars;
} audit_partition_t;

/* What became of an event. */
typedef enum {
    AUDIT_VERDICT_COUNTED,
    AUDIT_VERDICT_DUPLICATE, /* appended again: the ticket or CloudEvents identity of an event
                                before */
    AUDIT_VERDICT_BARRED,    /* a rating of a voter who is barred */
    AUDIT_VERDICT_REPEATED,  /* sent again under its idempotency key */
    AUDIT_VERDICT_CONFLICT   /* another rating under the idempotency key of one before */
} audit_verdict_e;

/* "counted", "duplicate", "barred", "repeated" or "conflict". */
const char *audit_verdict_word(audit_verdict_e verdict);

typedef struct {
    const audit_record_t *record;
    const ratings_event_t *event;
    audit_verdict_e verdict;
    int64_t counted_at; /* offset of the event that counted in its place, or of what bars its voter;
                         * -1: not known */
} audit_seen_t;

/* Sees each event that is folded, in the order of its partition. False: memory ran out. */
typedef bool audit_observer_t(void *self, const audit_seen_t *seen);

/* The electorate that stands, and the record that says so. */
typedef struct {
    ratings_electorate_t it; /* none: no record does */
    int64_t offset, timestamp;
} audit_electorate_t;

typedef struct {
    audit_partition_t *partition;
    int partitions;
    audit_electorate_t electorate;
    int routing_partitions; /* by which talks are routed, as the log says; 0: it does not yet */
    audit_talk_t **talk;    /* in the order in which they came */
    size_t talks, room;
    void *tree;
    bool chosen; /* talks are those of audit_fold_talk alone: events of others do not count */
    audit_observer_t *observe; /* NULL: nobody; of talks not chosen it sees duplicates alone */
    void *observer;            /* its first argument */
} audit_fold_t;

/* `*fold` must be freed in any case. False when memory ran out; so with all that follow. */
bool audit_fold_init(audit_fold_t *fold, int partitions);
void audit_fold_free(audit_fold_t *fold);

/* The talk of that name (`len` bytes, copied), added when it is new. It is the fold's, until that
 * is freed. NULL when memory ran out. */
audit_talk_t *audit_fold_talk(audit_fold_t *fold, const char *id, size_t len);

/* The next record of its partition, whose offset must be at or beyond the partition's `next`.
 * Nothing of it is kept. False when memory ran out. */
bool audit_fold_record(audit_fold_t *fold, const audit_record_t *record);

/* Whether a talk has events in more than one partition. */
bool audit_fold_is_spread(const audit_talk_t *talk);

/* From now on a talk's events count up to these checkpoints, one for each partition; none may be
 * below what is folded already. */
void audit_fold_read_at(audit_talk_t *talk, const int64_t *checkpoints);

/* What the store must have had when it was read; and what it must have where the fold is now. */
ratings_histogram_t audit_fold_expected(const audit_talk_t *talk);
ratings_histogram_t audit_fold_now(const audit_talk_t *talk);

/* The same of its ratings without a voter; -1 now if it never had a voter. */
int64_t audit_fold_expected_anonymous(const audit_talk_t *talk);
int64_t audit_fold_anonymous_now(const audit_talk_t *talk);

/* Whether there was an event of a voter, up to where the fold is. */
bool audit_fold_has_voters(const audit_talk_t *talk);

/* Whether the votes that the store had when it was read are those that it must have had. */
bool audit_fold_votes_agree(const audit_talk_t *talk);

/* The field in which the store has a voter's rating. */
void audit_fold_field(unsigned char field[RATINGS_VOTER_SIZE], const ratings_voter_t *voter,
                      int partition);

#endif
