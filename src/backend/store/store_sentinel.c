#include "store_sentinel.h"

#include "store_refusal.h"

#include <string.h>

/* ---- one sentinel ---- */

static apr_status_t no_address(const store_sentinels_t *sentinels, const redisReply *reply,
                               ratings_result_t *why)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return store_error_reply(reply, why);
    if (reply->type == REDIS_REPLY_NIL || reply->type == REDIS_REPLY_ARRAY)
        return ratings_result_set(why, APR_ECONNREFUSED, "it monitors no master with the name %s",
                                  sentinels->master);
    return ratings_result_set(why, APR_EGENERAL, "what answers is no sentinel");
}

/* Host and port. */
static apr_status_t read_address(const store_sentinels_t *sentinels, const redisReply *reply,
                                 ratings_redis_host_t *found, ratings_result_t *why)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_STRING ||
        !ratings_redis_host_read(reply->element[0]->str, reply->element[0]->len,
                                 reply->element[1]->str, reply->element[1]->len, found))
        return no_address(sentinels, reply, why);
    return ratings_result_ok(why);
}

static apr_status_t send_question(const store_sentinels_t *sentinels, store_link_t *link,
                                  const ratings_deadline_t *deadline, redisReply **reply,
                                  ratings_result_t *why)
{
    const char *words[] = {"SENTINEL", "get-master-addr-by-name", sentinels->master};
    size_t lengths[] = {strlen(words[0]), strlen(words[1]), strlen(words[2])};
    const store_command_t question = {.argc = 3, .argv = words, .argvlen = lengths};
    store_link_next_e next;
    return store_link_exchange(link, &question, 1, reply, deadline, &next, why);
}

static bool wants_login(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOAUTH", 6) == 0;
}

/* Without the login first: a sentinel that wants none would refuse it. */
static apr_status_t ask_over(const store_sentinels_t *sentinels, store_link_t *link,
                             const store_login_t *login, const ratings_deadline_t *deadline,
                             ratings_redis_host_t *found, ratings_result_t *why)
{
    redisReply *reply = NULL;
    apr_status_t status = send_question(sentinels, link, deadline, &reply, why);
    if (status == APR_SUCCESS && login->password && wants_login(reply)) {
        store_free_replies(&reply, 1);
        status = store_authenticate(link, login, deadline, why);
        if (status == APR_SUCCESS)
            status = send_question(sentinels, link, deadline, &reply, why);
    }
    if (status == APR_SUCCESS)
        status = read_address(sentinels, reply, found, why);
    freeReplyObject(reply);
    return status;
}

/* `why` begins with which sentinel it is about. */
static apr_status_t name_sentinel(const ratings_resolver_t *host, ratings_result_t *why)
{
    ratings_result_t plain = *why;
    ratings_result_set(why, plain.status, "sentinel %s:%s: %s", host->name, host->port,
                       plain.detail);
    why->fault = plain.fault;
    return why->status;
}

static apr_status_t ask_sentinel(const store_sentinels_t *sentinels, ratings_resolver_t *host,
                                 const store_login_t *login, const ratings_deadline_t *deadline,
                                 ratings_redis_host_t *found, ratings_result_t *why)
{
    store_channel_t channel;
    apr_status_t status = store_channel_open(host, sentinels->tls, deadline, &channel, why);
    store_link_t *link = status == APR_SUCCESS ? store_link_over(channel, why) : NULL;
    if (link) {
        store_link_knows_no_echo(link);
        status = ask_over(sentinels, link, login, deadline, found, why);
        store_link_close(link);
    }
    return link && status == APR_SUCCESS ? status : name_sentinel(host, why);
}

/* ---- all of them ---- */

static ratings_deadline_t share_of_one(const ratings_deadline_t *deadline, int count)
{
    int64_t left = deadline->expires_at - ratings_monotonic();
    return ratings_deadline_make(deadline->expires_at, left / count, deadline->cancel_fd);
}

apr_status_t store_sentinels_find(store_sentinels_t *sentinels, const store_login_t *login,
                                  const ratings_deadline_t *deadline, ratings_redis_host_t *found,
                                  ratings_result_t *why)
{
    unsigned count = (unsigned)sentinels->count, first = atomic_load(&sentinels->next) % count;
    for (unsigned i = 0; i < count; i++) {
        unsigned number = (first + i) % count;
        ratings_deadline_t part = share_of_one(deadline, (int)(count - i) + 1);
        apr_status_t status =
            ask_sentinel(sentinels, &sentinels->hosts[number], login, &part, found, why);
        if (status == APR_SUCCESS) {
            atomic_store(&sentinels->next, number);
            return status;
        }
        if (ratings_deadline_is_cancelled(deadline))
            return ratings_deadline_cancelled(why);
    }
    return why->status;
}

void store_sentinels_doubt(store_sentinels_t *sentinels)
{
    atomic_fetch_add(&sentinels->next, 1);
}
