#include "audit_sentinel.h"

#include <string.h>

#define WORDS_MAX 3

static redisReply *send_to_sentinel(audit_link_t *sentinel, int argc, const char **argv)
{
    return audit_link_command(sentinel, argc, argv, NULL);
}

static redisReply *ask_for_master(audit_link_t *sentinel, const ratings_redis_url_t *url)
{
    const char *words[WORDS_MAX] = {"SENTINEL", "get-master-addr-by-name", url->master};
    return send_to_sentinel(sentinel, WORDS_MAX, words);
}

/* The store's login, for a sentinel that wants one. */
static bool log_in_to_sentinel(audit_link_t *sentinel, const ratings_redis_url_t *url)
{
    const char *with_user[WORDS_MAX] = {"AUTH", url->user, url->password};
    const char *without[] = {"AUTH", url->password};
    redisReply *reply = url->user[0] ? send_to_sentinel(sentinel, WORDS_MAX, with_user)
                                     : send_to_sentinel(sentinel, WORDS_MAX - 1, without);
    bool good = reply && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    return good;
}

/* Host and port. */
static bool read_master(const redisReply *reply, ratings_redis_host_t *found)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[1]->type == REDIS_REPLY_STRING &&
           ratings_redis_host_read(reply->element[0]->str, reply->element[0]->len,
                                   reply->element[1]->str, reply->element[1]->len, found);
}

static bool refused_by_sentinel(const char *shown, const audit_link_t *sentinel,
                                const redisReply *reply, audit_failure_t *why)
{
    if (!reply)
        return audit_fail(why, "a sentinel of %s: %s", shown, sentinel->context->errstr);
    if (reply->type == REDIS_REPLY_ERROR)
        return audit_fail(why, "a sentinel of %s refuses: %.*s", shown,
                          (int)strcspn(reply->str, " "), reply->str);
    return audit_fail(why, "a sentinel of %s knows no master with that name", shown);
}

static bool ask_over_connection(audit_link_t *sentinel, const ratings_redis_url_t *url,
                                const char *shown, ratings_redis_host_t *found,
                                audit_failure_t *why)
{
    redisReply *reply = ask_for_master(sentinel, url);
    if (reply && reply->type == REDIS_REPLY_ERROR && url->has_password &&
        log_in_to_sentinel(sentinel, url)) {
        freeReplyObject(reply);
        reply = ask_for_master(sentinel, url);
    }
    bool good =
        (reply && read_master(reply, found)) || refused_by_sentinel(shown, sentinel, reply, why);
    freeReplyObject(reply);
    return good;
}

bool audit_sentinel_find(const ratings_redis_url_t *url, const char *shown,
                         audit_address_t *address, audit_failure_t *why)
{
    ratings_redis_host_t found;
    bool good = false;
    for (int i = 0; i < url->hosts && !good; i++) {
        address->host = url->host[i];
        audit_link_t *sentinel = audit_link_open(address);
        if (!sentinel)
            return audit_no_memory(why);
        if (sentinel->context->err)
            audit_fail(why, "a sentinel of %s: %s", shown, sentinel->context->errstr);
        else
            good = ask_over_connection(sentinel, url, shown, &found, why);
        audit_link_close(sentinel);
    }
    if (good)
        address->host = found;
    return good;
}

bool audit_sentinel_is_master(audit_link_t *link, const char *shown, audit_failure_t *why)
{
    const char *words[] = {"INFO", "replication"};
    redisReply *reply = audit_link_command(link, 2, words, NULL);
    bool good = reply && reply->type != REDIS_REPLY_ERROR && reply->str;
    if (!good)
        audit_fail(why, "Redis at %s: INFO: %s", shown, reply ? reply->str : link->context->errstr);
    else if (!strstr(reply->str, "\nrole:master"))
        good = audit_fail(why, "Redis at %s: the sentinels name a server that is no master", shown);
    freeReplyObject(reply);
    return good;
}
