/* The projector's lease. */
#include "store_keys.h"
#include "store_script.h"
#include "store_scripts.h"
#include "store_value.h"

#include <stdio.h>
#include <string.h>

apr_status_t ratings_store_acquire_lease(ratings_store_t *store, const char *token,
                                         const char *host, apr_interval_time_t lease, bool *held,
                                         char *holder, ratings_result_t *why)
{
    redisReply *reply = NULL;
    store_words_t words;
    (void)store_words_script(&words, &lua_acquire_lease, 1, 5);
    store_word(&words, STORE_KEY_LEASE);
    store_word(&words, token);
    store_word_number(&words, apr_time_as_msec(lease));
    store_word_number(&words, INT64_C(1000) * RATINGS_LEASE_MAX_S);
    store_word(&words, host);
    apr_status_t status = store_ask(store, &words, 0, store_deadline(store), &reply, why);
    store_words_free(&words);
    if (status != APR_SUCCESS)
        return store_says_nothing_of_data(why);
    (void)snprintf(holder, RATINGS_TOKEN_MAX + 1, "%s", store_is_text(reply) ? reply->str : "");
    *held = strcmp(holder, token) == 0;
    freeReplyObject(reply);
    return APR_SUCCESS;
}

apr_status_t ratings_store_release_lease(ratings_store_t *store, const char *token,
                                         int64_t deadline, ratings_result_t *why)
{
    redisReply *reply = NULL;
    store_words_t words;
    (void)store_words_script(&words, &lua_release_lease, 1, 2);
    store_word(&words, STORE_KEY_LEASE);
    store_word(&words, token);
    apr_status_t status = store_ask(store, &words, 0, deadline, &reply, why);
    store_words_free(&words);
    freeReplyObject(reply);
    return status;
}
