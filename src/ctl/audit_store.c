#include "audit_store.h"

#include "../core/number.h"
#include "audit_link.h"
#include "audit_scripts.h"
#include "audit_sentinel.h"
#include "ctl_printable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define KEY_LOG "ratings:log"
#define KEY_LEASE "ratings:projector"
#define KEY_TOP "ratings:top"
#define KEY_TALK "ratings/"
#define KEY_VOTERS "ratings:voters/"
#define KEY_BARRED "ratings:barred"
#define KEYS_OF_TALKS "ratings[/:]*" /* both, and a few more */
#define FIELD_MAX 32
#define REQUEST_OPERATOR "3" /* RATINGS_REBUILD_REQUEST_OPERATOR of ../shm/rebuild_state.h */

struct audit_store_t {
    ratings_redis_url_t url;
    char *shown; /* that without its password */
    int timeout_ms;
    const ratings_tls_settings_t *tls_settings;
    ratings_tls_context_t *tls; /* NULL: none is wanted, or its files were not read yet */
    audit_link_t *link;         /* NULL: not connected */
};

audit_store_t *audit_store_new(const char *url, const ratings_tls_settings_t *tls, int timeout_ms)
{
    audit_store_t *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->timeout_ms = timeout_ms;
    store->tls_settings = tls;
    store->shown = ratings_redis_url_redact(url);
    if (store->shown && !ratings_redis_url_parse(url, &store->url))
        return store;
    audit_store_free(store);
    return NULL;
}

void audit_store_disconnect(audit_store_t *store)
{
    audit_link_close(store->link);
    store->link = NULL;
}

void audit_store_free(audit_store_t *store)
{
    if (!store)
        return;
    audit_store_disconnect(store);
    ratings_tls_context_free(store->tls);
    free(store->shown);
    free(store);
}

/* ---- what went wrong ---- */

/* hiredis reports a timeout by errno alone: EAGAIN of a read with SO_RCVTIMEO, ETIMEDOUT of
 * connect. After any error a context is dead. */
static bool lost_connection(audit_store_t *store, audit_failure_t *why)
{
    int code = errno;
    if (!store->link)
        return audit_no_memory(why);
    const redisContext *context = store->link->context;
    if (context->err == REDIS_ERR_IO &&
        (code == EAGAIN || code == ETIMEDOUT || code == EINPROGRESS))
        audit_fail(why, "Redis at %s: no answer for %d s", store->shown, store->timeout_ms / 1000);
    else
        audit_fail(why, "Redis at %s: %s", store->shown, context->errstr);
    audit_store_disconnect(store);
    return false;
}

static bool refused_by(const audit_store_t *store, const redisReply *reply, audit_failure_t *why)
{
    return audit_fail(why, "Redis at %s refuses: %.*s", store->shown, (int)reply->len, reply->str);
}

static bool unexpected_reply(const audit_store_t *store, const char *what, audit_failure_t *why)
{
    return audit_fail(why, "Redis at %s: %s is not what the service writes", store->shown, what);
}

/* ---- the connection ---- */

/* The words of a refusal may hold the password (an unknown command is repeated with its arguments):
 * only the first is repeated. */
static bool login_command(audit_store_t *store, int argc, const char **argv, audit_failure_t *why)
{
    redisReply *reply = audit_link_command(store->link, argc, argv, NULL);
    if (!reply)
        return lost_connection(store, why);
    bool good = reply->type != REDIS_REPLY_ERROR;
    if (!good)
        audit_fail(why, "Redis at %s refuses %s: %.*s", store->shown, argv[0],
                   (int)strcspn(reply->str, " "), reply->str);
    freeReplyObject(reply);
    return good;
}

static bool authenticate(audit_store_t *store, audit_failure_t *why)
{
    const ratings_redis_url_t *url = &store->url;
    const char *with_user[] = {"AUTH", url->user, url->password};
    const char *without[] = {"AUTH", url->password};
    if (!url->has_password)
        return true;
    return url->user[0] ? login_command(store, 3, with_user, why)
                        : login_command(store, 2, without, why);
}

static bool select_database(audit_store_t *store, audit_failure_t *why)
{
    char number[16];
    const char *words[] = {"SELECT", number};
    (void)snprintf(number, sizeof number, "%d", store->url.database);
    return store->url.database == 0 || login_command(store, 2, words, why);
}

static bool prepare_tls(audit_store_t *store, audit_failure_t *why)
{
    ratings_tls_failure_t failure;
    if (!store->url.has_tls || store->tls)
        return true;
    store->tls = ratings_tls_context_new(store->tls_settings, &failure);
    return store->tls ||
           audit_fail(why, "Redis at %s cannot be asked by TLS: %s", store->shown, failure.text);
}

static bool dial_store(audit_store_t *store, audit_failure_t *why)
{
    if (!prepare_tls(store, why))
        return false;
    audit_address_t address = {
        .socket = store->url.socket,
        .host = store->url.host[0],
        .tls = store->tls,
        .timeout = {store->timeout_ms / 1000, store->timeout_ms % 1000 * 1000L},
    };
    if (store->url.master[0] && !audit_sentinel_find(&store->url, store->shown, &address, why))
        return false;
    store->link = audit_link_open(&address);
    return (store->link && !store->link->context->err) || lost_connection(store, why);
}

static bool connect_store(audit_store_t *store, audit_failure_t *why)
{
    if (store->link)
        return true;
    if (!dial_store(store, why))
        return false;
    if (authenticate(store, why) && select_database(store, why) &&
        (!store->url.master[0] || audit_sentinel_is_master(store->link, store->shown, why)))
        return true;
    audit_store_disconnect(store);
    return false;
}

/* ---- commands ---- */

/* The words of a command, each a copy of its own. */
typedef struct {
    char **argv;
    size_t *argvlen;
    size_t argc, room;
    bool good; /* memory has not run out */
} words_t;

static void make_word_room(words_t *words)
{
    size_t room = words->room ? 2 * words->room : 32;
    if (words->argc < words->room)
        return;
    char **argv = realloc(words->argv, room * sizeof(char *));
    if (argv)
        words->argv = argv;
    size_t *argvlen = realloc(words->argvlen, room * sizeof *argvlen);
    if (argvlen)
        words->argvlen = argvlen;
    words->good &= argv && argvlen;
    if (words->good)
        words->room = room;
}

/* Of two parts: a key is a prefix and a name of any bytes. */
static void add_prefixed(words_t *words, const char *prefix, const char *bytes, size_t len)
{
    size_t before = strlen(prefix);
    make_word_room(words);
    char *copy = words->good ? malloc(before + len + 1) : NULL;
    words->good &= copy != NULL;
    if (!copy)
        return;
    memcpy(stpcpy(copy, prefix), bytes, len);
    words->argv[words->argc] = copy;
    words->argvlen[words->argc++] = before + len;
}

static void append_text(words_t *words, const char *text)
{
    add_prefixed(words, text, "", 0);
}

static void add_number(words_t *words, int64_t number)
{
    char text[FIELD_MAX];
    (void)snprintf(text, sizeof text, "%" PRId64, number);
    append_text(words, text);
}

static void add_talk(words_t *words, const audit_talk_t *talk)
{
    add_prefixed(words, KEY_TALK, talk->id, talk->len);
}

static void add_voters_of(words_t *words, const audit_talk_t *talk)
{
    add_prefixed(words, KEY_VOTERS, talk->id, talk->len);
}

static words_t words_from(const char *const *texts, size_t count)
{
    words_t words = {.good = true};
    for (size_t i = 0; i < count; i++)
        append_text(&words, texts[i]);
    return words;
}

#define WORDS(...)                                                                                 \
    words_from((const char *const[]){__VA_ARGS__},                                                 \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void words_free(words_t *words)
{
    for (size_t i = 0; i < words->argc; i++)
        free(words->argv[i]);
    free(words->argv);
    free(words->argvlen);
}

static redisReply *send_words(audit_store_t *store, const words_t *words, audit_failure_t *why)
{
    redisReply *reply =
        audit_link_command(store->link, (int)words->argc, (void *)words->argv, words->argvlen);
    if (!reply) {
        lost_connection(store, why);
        return NULL;
    }
    if (reply->type != REDIS_REPLY_ERROR)
        return reply;
    refused_by(store, reply, why);
    freeReplyObject(reply);
    return NULL;
}

/* The answer, to be freed; NULL, and the reason, for none or an error. The words are used up. */
static redisReply *ask_redis(audit_store_t *store, words_t words, audit_failure_t *why)
{
    redisReply *reply = NULL;
    if (!words.good)
        audit_no_memory(why);
    else if (connect_store(store, why))
        reply = send_words(store, &words, why);
    words_free(&words);
    return reply;
}

/* ---- what ratings:log says ---- */

enum {
    FIELD_TOPIC,
    FIELD_GENERATION,
    FIELD_CLAIM,
    FIELD_ROUTING_PARTITIONS,
    FIELD_BEHIND,
    FIELD_REQUEST,
    FIELD_RANKING,
    FIELD_RERANK,
    FIELD_ELECTORATE,
    FIELD_BEYOND,
    FIELDS
};

static const char *const each_field[] = {"position", "mark", "first", "time", "barred"};
enum { EACH_CHECKPOINT, EACH_LAST, EACH_FIRST, EACH_TIME, EACH_BARRED, EACH };

bool audit_state_init(audit_state_t *state, int partitions)
{
    size_t count = (size_t)partitions;
    memset(state, 0, sizeof *state);
    state->partitions = partitions;
    state->checkpoint = calloc(count, sizeof *state->checkpoint);
    state->last = calloc(count, sizeof *state->last);
    state->first = calloc(count, sizeof *state->first);
    state->time = calloc(count, sizeof *state->time);
    state->barred = calloc(count, sizeof *state->barred);
    return state->checkpoint && state->last && state->first && state->time && state->barred;
}

void audit_state_free(audit_state_t *state)
{
    free(state->checkpoint);
    free(state->last);
    free(state->first);
    free(state->time);
    for (int p = 0; p < state->partitions && state->barred; p++)
        free(state->barred[p].voter);
    free(state->barred);
}

static void add_field(words_t *words, const char *field, int partition)
{
    char text[FIELD_MAX];
    (void)snprintf(text, sizeof text, "%s:%d", field, partition);
    append_text(words, text);
}

/* In the order of FIELD_..., then for each partition that of EACH_... */
static void add_state_fields(words_t *words, int partitions)
{
    append_text(words, "topic");
    append_text(words, "generation");
    append_text(words, "claim");
    append_text(words, "partitions");
    append_text(words, "behind");
    append_text(words, "suspect");
    append_text(words, "ranking");
    append_text(words, "rerank");
    append_text(words, "electorate");
    add_field(words, each_field[EACH_CHECKPOINT], partitions);
    for (int p = 0; p < partitions; p++)
        for (int field = 0; field < EACH; field++)
            add_field(words, each_field[field], p);
}

static bool is_array(const redisReply *reply, size_t elements)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

static void copy_text(char *out, size_t size, const redisReply *reply)
{
    (void)snprintf(out, size, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
    ctl_make_printable(out);
}

/* A number, or `absent` for a nil. */
static bool read_number(const redisReply *reply, int64_t absent, int64_t *out)
{
    *out = absent;
    return reply->type == REDIS_REPLY_NIL ||
           (reply->type == REDIS_REPLY_STRING &&
            ratings_parse_int(reply->str, reply->len, 0, INT64_MAX, out));
}

static bool read_partition(redisReply *const *field, int p, audit_state_t *state)
{
    copy_text(state->last[p], sizeof state->last[p], field[EACH_LAST]);
    copy_text(state->first[p], sizeof state->first[p], field[EACH_FIRST]);
    copy_text(state->time[p], sizeof state->time[p], field[EACH_TIME]);
    if (!read_number(field[EACH_BARRED], 0, &state->barred[p].said))
        state->barred[p].said = -1;
    return read_number(field[EACH_CHECKPOINT], 0, &state->checkpoint[p]);
}

static bool read_state(const audit_store_t *store, const redisReply *reply, audit_state_t *state,
                       audit_failure_t *why)
{
    if (!is_array(reply, (size_t)state->partitions * EACH + FIELDS))
        return unexpected_reply(store, "the key " KEY_LOG, why);
    redisReply *const *field = reply->element;
    state->present = false;
    for (size_t i = 0; i < reply->elements; i++)
        state->present |= field[i]->type != REDIS_REPLY_NIL;
    copy_text(state->topic, sizeof state->topic, field[FIELD_TOPIC]);
    copy_text(state->generation, sizeof state->generation, field[FIELD_GENERATION]);
    copy_text(state->claim, sizeof state->claim, field[FIELD_CLAIM]);
    if (!read_number(field[FIELD_ROUTING_PARTITIONS], -1, &state->routing_partitions))
        state->routing_partitions = -1;
    state->behind = field[FIELD_BEHIND]->type != REDIS_REPLY_NIL;
    state->requested = field[FIELD_REQUEST]->type != REDIS_REPLY_NIL;
    copy_text(state->ranking, sizeof state->ranking, field[FIELD_RANKING]);
    copy_text(state->electorate, sizeof state->electorate, field[FIELD_ELECTORATE]);
    state->reranks = field[FIELD_RERANK]->type != REDIS_REPLY_NIL;
    state->beyond = field[FIELD_BEYOND]->type != REDIS_REPLY_NIL;
    for (int p = 0; p < state->partitions; p++)
        if (!read_partition(field + FIELDS + (ptrdiff_t)p * EACH, p, state))
            return unexpected_reply(store, "a checkpoint in " KEY_LOG, why);
    return true;
}

/* It may run out between the two. */
bool audit_store_lease(audit_store_t *store, audit_lease_t *lease, audit_failure_t *why)
{
    redisReply *holder = ask_redis(store, WORDS("GET", KEY_LEASE), why);
    redisReply *left = holder ? ask_redis(store, WORDS("PTTL", KEY_LEASE), why) : NULL;
    bool good = holder && left;
    *lease = (audit_lease_t){.ttl_ms = 0};
    if (good && left->type == REDIS_REPLY_INTEGER && left->integer > 0) {
        copy_text(lease->token, sizeof lease->token, holder);
        lease->ttl_ms = left->integer;
    }
    freeReplyObject(holder);
    freeReplyObject(left);
    return good;
}

/* ---- barred voters ---- */

/* False: memory ran out. */
static bool read_found_bars(const redisReply *fields, audit_found_bars_t *bars)
{
    bool is_array = fields->type == REDIS_REPLY_ARRAY;
    size_t count = is_array ? fields->elements / 2 : 0;
    free(bars->voter);
    bars->voter = calloc(count + 1, sizeof *bars->voter);
    bars->count = is_array ? (int64_t)count : -1;
    for (size_t i = 0; i < count && bars->voter; i++) {
        const redisReply *field = fields->element[2 * i];
        if (field->type != REDIS_REPLY_STRING ||
            !ratings_voter_parse(field->str, field->len, &bars->voter[i]))
            bars->count = -1;
    }
    return bars->voter != NULL;
}

/* ---- talks ---- */

static audit_found_e read_talk(const redisReply *length, const redisReply *counts,
                               audit_talk_t *talk)
{
    long long fields = 0;
    talk->found.counts = (ratings_histogram_t){{0}};
    talk->found.anonymous = -1;
    if (length->type != REDIS_REPLY_INTEGER || !is_array(counts, RATINGS_VALUES + 1))
        return AUDIT_FOUND_OTHER_TYPE;
    if (length->integer == 0)
        return AUDIT_FOUND_NOTHING;
    for (size_t v = 0; v <= RATINGS_VALUES; v++)
        fields += counts->element[v]->type != REDIS_REPLY_NIL;
    for (size_t v = 0; v < RATINGS_VALUES; v++)
        if (!read_number(counts->element[v], 0, &talk->found.counts.count[v]))
            return AUDIT_FOUND_NO_COUNT;
    if (!read_number(counts->element[RATINGS_VALUES], -1, &talk->found.anonymous))
        return AUDIT_FOUND_NO_COUNT;
    return fields == length->integer ? AUDIT_FOUND_COUNTS : AUDIT_FOUND_OTHER_FIELDS;
}

static bool read_found_vote(const redisReply *field, const redisReply *value,
                            audit_found_vote_t *vote)
{
    int64_t number;
    if (field->type != REDIS_REPLY_STRING || field->len != RATINGS_VOTER_SIZE ||
        value->type != REDIS_REPLY_STRING ||
        !ratings_parse_int(value->str, value->len, RATINGS_VALUE_MIN, RATINGS_VALUE_MAX, &number))
        return false;
    memcpy(vote->field, field->str, sizeof vote->field);
    vote->value = (int)number;
    return true;
}

/* False: memory ran out. */
static bool read_found_votes(const redisReply *voters, audit_talk_t *talk)
{
    size_t count = voters->type == REDIS_REPLY_ARRAY ? voters->elements / 2 : 0;
    free(talk->found.votes);
    talk->found.votes = calloc(count + 1, sizeof *talk->found.votes);
    talk->found.vote_count = -1;
    if (!talk->found.votes)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_found_vote(voters->element[2 * i], voters->element[2 * i + 1],
                             &talk->found.votes[i]))
            return true;
    if (voters->type == REDIS_REPLY_ARRAY)
        talk->found.vote_count = (int64_t)count;
    return true;
}

/* Scores are doubles, of which Redis gives so many digits that each reads back the same. */
static audit_place_t read_place(const redisReply *score, const audit_state_t *state)
{
    audit_place_t place = {.has_score = score->type == REDIS_REPLY_STRING};
    place.is_compared = ratings_prior_parse(state->ranking, strlen(state->ranking), &place.prior) &&
                        !state->reranks;
    if (place.has_score)
        place.score = strtod(score->str, NULL);
    return place;
}

#define TALK_ANSWERS 4 /* of the script, for each talk */

/* What the script could not read. A key of another type is a finding; a command that this user may
 * not run, and whatever else Redis refuses, says nothing of the key. */
static const redisReply *find_refusal(const redisReply *answer)
{
    static const char wrong_type[] = "WRONGTYPE";
    for (size_t i = 0; i < answer->elements; i++) {
        const redisReply *part = answer->element[i];
        if (part->type == REDIS_REPLY_ERROR &&
            strncmp(part->str, wrong_type, sizeof wrong_type - 1) != 0)
            return part;
    }
    return NULL;
}

static bool read_state_and_talks(const audit_store_t *store, const redisReply *answer,
                                 audit_state_t *state, audit_talk_t *const *talks, size_t count,
                                 audit_failure_t *why)
{
    size_t bars = count == 0 ? (size_t)state->partitions : 0;
    if (!is_array(answer, 1 + bars + TALK_ANSWERS * count))
        return unexpected_reply(store, "the answer of a script", why);
    const redisReply *refusal = find_refusal(answer);
    if (refusal)
        return refused_by(store, refusal, why);
    if (!read_state(store, answer->element[0], state, why))
        return false;
    for (size_t p = 0; p < bars; p++)
        if (!read_found_bars(answer->element[1 + p], &state->barred[p]))
            return audit_no_memory(why);
    for (size_t i = 0; i < count; i++) {
        redisReply *const *of_talk = answer->element + 1 + TALK_ANSWERS * i;
        talks[i]->found.what = read_talk(of_talk[0], of_talk[1], talks[i]);
        talks[i]->found.place = read_place(of_talk[3], state);
        if (!read_found_votes(of_talk[2], talks[i]))
            return audit_no_memory(why);
    }
    return true;
}

bool audit_store_read(audit_store_t *store, audit_state_t *state, audit_talk_t *const *talks,
                      size_t count, audit_failure_t *why)
{
    words_t words = WORDS("EVAL", lua_audit_read);
    int bars = count == 0 ? state->partitions : 0;
    add_number(&words, 1 + bars + 2 * (int64_t)count);
    append_text(&words, KEY_LOG);
    for (int p = 0; p < bars; p++)
        add_field(&words, KEY_BARRED, p);
    for (size_t i = 0; i < count; i++) {
        add_talk(&words, talks[i]);
        add_voters_of(&words, talks[i]);
    }
    add_number(&words, bars);
    add_state_fields(&words, state->partitions);
    redisReply *answer = ask_redis(store, words, why);
    bool good = answer && read_state_and_talks(store, answer, state, talks, count, why);
    freeReplyObject(answer);
    return good;
}

/* ---- the keys that there are ---- */

static bool is_scan(const redisReply *reply)
{
    return is_array(reply, 2) && reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[0]->len < FIELD_MAX && reply->element[1]->type == REDIS_REPLY_ARRAY;
}

/* How much of the key comes before the talk's id; 0: it is no talk's. */
static size_t length_before_id(const redisReply *key)
{
    static const char *const prefixes[] = {KEY_TALK, KEY_VOTERS};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t len = strlen(prefixes[i]);
        if (key->type == REDIS_REPLY_STRING && key->len >= len &&
            memcmp(key->str, prefixes[i], len) == 0)
            return len;
    }
    return 0;
}

/* Also of a key of voters whose talk has no other: nothing else tells of it. */
static bool add_talks(audit_fold_t *fold, const redisReply *keys, audit_failure_t *why)
{
    for (size_t i = 0; i < keys->elements; i++) {
        const redisReply *key = keys->element[i];
        size_t before = length_before_id(key);
        if (before > 0 && !audit_fold_talk(fold, key->str + before, key->len - before))
            return audit_no_memory(why);
    }
    return true;
}

bool audit_store_scan(audit_store_t *store, audit_fold_t *fold, audit_failure_t *why)
{
    char cursor[FIELD_MAX] = "0";
    bool good;
    do {
        redisReply *reply =
            ask_redis(store, WORDS("SCAN", cursor, "MATCH", KEYS_OF_TALKS, "COUNT", "1000"), why);
        good = reply && (is_scan(reply) || unexpected_reply(store, "the answer of SCAN", why)) &&
               add_talks(fold, reply->element[1], why);
        if (good)
            copy_text(cursor, sizeof cursor, reply->element[0]);
        freeReplyObject(reply);
    } while (good && strcmp(cursor, "0") != 0);
    return good;
}

/* Members and scores in turns. */
static bool add_ranked(audit_fold_t *fold, const redisReply *members, audit_failure_t *why)
{
    for (size_t i = 0; i + 1 < members->elements; i += 2) {
        const redisReply *member = members->element[i];
        if (member->type == REDIS_REPLY_STRING && !audit_fold_talk(fold, member->str, member->len))
            return audit_no_memory(why);
    }
    return true;
}

bool audit_store_scan_ranked(audit_store_t *store, audit_fold_t *fold, audit_failure_t *why)
{
    char cursor[FIELD_MAX] = "0";
    bool good;
    do {
        redisReply *reply =
            ask_redis(store, WORDS("EVAL", lua_audit_ranked, "1", KEY_TOP, cursor), why);
        good = reply && (is_scan(reply) || unexpected_reply(store, "the answer of ZSCAN", why)) &&
               add_ranked(fold, reply->element[1], why);
        if (good)
            copy_text(cursor, sizeof cursor, reply->element[0]);
        freeReplyObject(reply);
    } while (good && strcmp(cursor, "0") != 0);
    return good;
}

/* ---- writing ---- */

static bool read_cas(const audit_store_t *store, const redisReply *reply, audit_cas_e *result,
                     audit_failure_t *why)
{
    static const struct {
        const char *text;
        audit_cas_e result;
    } results[] = {{"applied", AUDIT_CAS_APPLIED},
                   {"conflict", AUDIT_CAS_CONFLICT},
                   {"rebuilt", AUDIT_CAS_REBUILT}};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (reply->type == REDIS_REPLY_STRING && strcmp(reply->str, results[i].text) == 0) {
            *result = results[i].result;
            return true;
        }
    return unexpected_reply(store, "the answer of a script", why);
}

static void add_votes_now(words_t *words, const audit_talk_t *talk)
{
    const audit_tally_t *tally;
    const audit_vote_t *vote;
    SLIST_FOREACH(tally, &talk->tallies, link)
        SLIST_FOREACH(vote, &tally->votes.all, link) {
            unsigned char field[RATINGS_VOTER_SIZE];
            if (vote->now == RATINGS_VALUE_NONE)
                continue;
            audit_fold_field(field, &vote->voter, tally->partition);
            add_prefixed(words, "", (const char *)field, sizeof field);
            add_number(words, vote->now);
        }
}

/* The prior, and the score of a talk with these counts. */
static void add_place(words_t *words, const char *ranking, const ratings_histogram_t *counts)
{
    char text[FIELD_MAX] = "";
    ratings_prior_t prior;
    double score;
    bool is_ranking = ratings_prior_parse(ranking, strlen(ranking), &prior);
    if (is_ranking && audit_place_expected(&prior, counts, &score))
        (void)snprintf(text, sizeof text, "%.17g", score);
    append_text(words, is_ranking ? ranking : "");
    append_text(words, text);
}

bool audit_store_repair(audit_store_t *store, const audit_precondition_t *precondition,
                        const audit_talk_t *talk, const ratings_histogram_t *counts,
                        audit_cas_e *result, audit_failure_t *why)
{
    words_t words = WORDS("EVAL", lua_audit_repair, "5", KEY_LOG);
    add_talk(&words, talk);
    add_voters_of(&words, talk);
    append_text(&words, KEY_TALK);
    append_text(&words, KEY_TOP);
    append_text(&words, precondition->generation);
    add_number(&words, precondition->count);
    for (int i = 0; i < precondition->count; i++) {
        add_number(&words, precondition->partitions[i]);
        add_number(&words, precondition->checkpoints[i]);
    }
    for (int v = 0; v < RATINGS_VALUES; v++)
        add_number(&words, counts->count[v]);
    add_number(&words, audit_fold_anonymous_now(talk));
    add_place(&words, precondition->ranking, counts);
    add_votes_now(&words, talk);
    redisReply *reply = ask_redis(store, words, why);
    bool good = reply && read_cas(store, reply, result, why);
    freeReplyObject(reply);
    return good;
}

bool audit_store_request_rebuild(audit_store_t *store, const char *generation, bool *requested,
                                 audit_failure_t *why)
{
    audit_cas_e result = AUDIT_CAS_REBUILT;
    words_t words =
        WORDS("EVAL", lua_audit_request_rebuild, "1", KEY_LOG, generation, REQUEST_OPERATOR);
    redisReply *reply = ask_redis(store, words, why);
    bool good = reply && read_cas(store, reply, &result, why);
    freeReplyObject(reply);
    *requested = result == AUDIT_CAS_APPLIED;
    return good;
}
