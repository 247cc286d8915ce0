/* Private to the store: commands and scripts that are built of words, sent, and what their replies
 * mean. Any thread. */
#ifndef RATINGS_STORE_SCRIPT_H
#define RATINGS_STORE_SCRIPT_H

#include "store_connection.h"
#include "store_words.h"

#define STORE_FIELD_ANSWER_MAX 256 /* bytes of a field, or of its value, as an answer */

/* Sends one command. An error reply is a failure, so `*reply`, to be freed, is set only on
 * APR_SUCCESS. It may have `answer_max` bytes (0: STORE_ANSWER_MAX), else RATINGS_REBUILD_NEEDED.
 */
apr_status_t store_ask(ratings_store_t *store, const store_words_t *words, size_t answer_max,
                       int64_t deadline, redisReply **reply, ratings_result_t *why);

/* Runs a script that is a compare-and-set, and reads its result. On a failure `*result` is
 * RATINGS_CAS_CONFLICT, although the script may have been run. */
apr_status_t store_cas(ratings_store_t *store, const store_words_t *words, ratings_cas_e *result,
                       ratings_result_t *why);

/* What a script replies after "applied": so many bytes, to be copied. */
typedef struct {
    void *bytes;
    size_t size;
} store_more_t;

/* The same for `count` of them, at most RATINGS_APPLY_MAX, in one exchange; of the one at `i` there
 * is `more[i]` in the reply (NULL: nothing of any). On a failure APPLIED is still true, of those
 * whose replies had come. */
apr_status_t store_cas_all(ratings_store_t *store, const store_words_t *words,
                           const store_more_t *more, int count, ratings_cas_e *results,
                           ratings_result_t *why);

/* Reads such a result out of the reply, which has nothing after it. */
apr_status_t store_read_cas(const redisReply *reply, ratings_cas_e *result, ratings_result_t *why);

/* Some fields of a hash. */
typedef struct {
    const char *key;
    const char *const *fields;
    int count;
} store_fields_t;

/* Reads fields of two hashes in one atomic step: `*answer` becomes the array of the two answers, to
 * be freed; that of a key of another type is an error reply. Works when the store takes no writes.
 */
apr_status_t store_read_both(ratings_store_t *store, const store_fields_t *first,
                             const store_fields_t *second, int64_t deadline, redisReply **answer,
                             ratings_result_t *why);

/* RATINGS_REBUILD_NEEDED: `what` is not what this module writes. */
apr_status_t store_unexpected(ratings_result_t *why, const char *what);

/* APR_EINVAL: `what`, an answer that holds no data of the store, is none of a Redis. A rebuild
 * would mend nothing. */
apr_status_t store_foreign(ratings_result_t *why, const char *what);

/* The same for an answer that was larger than it may be, RATINGS_REBUILD_NEEDED otherwise. Returns
 * the status. */
apr_status_t store_says_nothing_of_data(ratings_result_t *why);

/* An answer within that of store_read_both is not the array it should be: the key is of another
 * type (RATINGS_REBUILD_NEEDED; `what` the key is), or Redis refused (APR_EGENERAL). */
apr_status_t store_not_read(const redisReply *answer, ratings_result_t *why, const char *what);

#endif
