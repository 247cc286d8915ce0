/* Private to the store: its keys, commands made word by word, and how answers are read. */
#ifndef RATINGS_STORE_REPLY_H
#define RATINGS_STORE_REPLY_H

#include "store_connection.h"

#define KEY_LOG "ratings:log"
#define KEY_LEASE "ratings:projector"
#define KEY_KEYS "ratings:keys" /* with ":N" after them, N a partition: see store_field */
#define KEY_EXPIRY "ratings:expiry"
#define KEY_TALK "ratings/"
#define KEY_TALK_MAX (sizeof KEY_TALK - 1 + RATINGS_TALK_ID_MAX)
#define COUNT_MAX INT64_C(999999999999999)    /* what the script takes: 15 digits */
#define POSITION_MAX ((INT64_C(1) << 48) - 1) /* what one word of ratings_shm_t takes */
#define NUMBER_TEXT 24                        /* bytes that hold any number and a short name */
#define FIELD_TEXT_SIZE 32                    /* "position:1023" and the like */
#define USE_FIELD_SIZE 21                     /* a digest of talk and key as text */
#define FIELD_ANSWER_MAX 256                  /* bytes of a field, or of its value, as an answer */

/* ---- keys ---- */

void store_talk_key(char key[KEY_TALK_MAX + 1], const char *talk_id);
void store_field(char field[FIELD_TEXT_SIZE], const char *name, int partition);
void store_use_field(char field[USE_FIELD_SIZE], const char *talk_id, const char *key);

/* ---- commands ---- */

/* A command that is built in place, of at most `room` words, which must outlive it. */
typedef struct {
    const char **argv;
    size_t *argvlen;
    int argc, room;
} store_words_t;

bool store_words_init(store_words_t *words, int room);
void store_words_free(store_words_t *words);
void store_word(store_words_t *words, const char *text);
void store_add_words(store_words_t *words, const char *const *texts, int count);
void store_word_bytes(store_words_t *words, const char *bytes, size_t len);
store_command_t store_command_of(const store_words_t *words);

/* Runs scripts (EVAL ...), at most RATINGS_APPLY_MAX, in one exchange, and reads how each ended:
 * see ratings_store_apply. */
apr_status_t store_run_all(ratings_store_t *store, const store_command_t *scripts, int count,
                           ratings_cas_e *ends, ratings_result_t *why);

/* The same for one that is made of words. */
apr_status_t store_run(ratings_store_t *store, const store_words_t *words, ratings_cas_e *end,
                       ratings_result_t *why);

/* Some fields of a hash. */
typedef struct {
    const char *key;
    const char *const *fields;
    int count;
} store_fields_t;

/* Reads fields of two hashes in one atomic step: `answer` becomes the array of the two answers, to
 * be freed; that of a key of another type is an error reply. Works when the store takes no writes.
 */
apr_status_t store_read_both(ratings_store_t *store, const store_fields_t *first,
                             const store_fields_t *second, int64_t deadline, redisReply **answer,
                             ratings_result_t *why);

/* ---- answers ---- */

bool store_is_text(const redisReply *reply);
bool store_is_array(const redisReply *reply, size_t elements);

/* A number, or `absent` for a nil. */
bool store_read_number(const redisReply *reply, int64_t absent, int64_t max, int64_t *out);

/* "offset:timestamp:checksum", or "empty". */
bool store_read_mark(const redisReply *reply, ratings_fingerprint_t *mark);

/* "value:expires:offset"; a nil is no use. */
bool store_read_use(const redisReply *reply, ratings_use_t *use);

apr_status_t store_unexpected(ratings_result_t *why, const char *what);

/* An answer within that of store_read_both is not the array it should be: it tells of a key of
 * another type (APR_EINVAL, with `what` the key is), or of what Redis refused. */
apr_status_t store_not_read(const redisReply *answer, ratings_result_t *why, const char *what);

#endif
