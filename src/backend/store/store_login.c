#include "store_login.h"

#include "store_refusal.h"

#include <stdio.h>
#include <string.h>

/* A connection that breaks here was none, and too large an answer is none of the store's data.
 * Bytes left over end it too: they may be the refusal of AUTH, which may repeat the password, and
 * the next exchange would read them. */
static apr_status_t exchange_first(store_link_t *link, const store_command_t *command, int count,
                                   redisReply **reply, const ratings_deadline_t *deadline,
                                   ratings_result_t *why)
{
    store_link_next_e next;
    apr_status_t status = store_link_exchange(link, command, count, reply, deadline, &next, why);
    if (status == RATINGS_REBUILD_NEEDED || (status == APR_SUCCESS && next == STORE_LINK_CLOSE))
        return ratings_result_set(why, APR_EGENERAL, STORE_NOT_ASKED_FOR);
    return status != APR_SUCCESS && store_link_is_lost(link) ? why->status = APR_ECONNREFUSED
                                                             : status;
}

/* On APR_SUCCESS `*reply` is none of an error, and the caller's. */
static apr_status_t login_exchange(store_link_t *link, store_command_t command,
                                   const ratings_deadline_t *deadline, redisReply **reply,
                                   ratings_result_t *why)
{
    size_t argvlen[3];
    for (int i = 0; i < command.argc; i++)
        argvlen[i] = strlen(command.argv[i]);
    command.argvlen = argvlen;
    apr_status_t status = exchange_first(link, &command, 1, reply, deadline, why);
    if (status == APR_SUCCESS && *reply && (*reply)->type == REDIS_REPLY_ERROR) {
        if (command.is_secret)
            store_login_reply(*reply, why);
        else
            store_error_reply(*reply, why);
        store_free_replies(reply, 1);
    }
    return why->status;
}

static apr_status_t login_command(store_link_t *link, store_command_t command,
                                  const ratings_deadline_t *deadline, ratings_result_t *why)
{
    redisReply *reply = NULL;
    (void)login_exchange(link, command, deadline, &reply, why);
    freeReplyObject(reply);
    return why->status;
}

apr_status_t store_authenticate(store_link_t *link, const store_login_t *login,
                                const ratings_deadline_t *deadline, ratings_result_t *why)
{
    const char *with_user[] = {"AUTH", login->user, login->password};
    const char *without[] = {"AUTH", login->password};
    const store_command_t command = {
        .argc = login->user ? 3 : 2, .argv = login->user ? with_user : without, .is_secret = true};
    return login->password ? login_command(link, command, deadline, why) : APR_SUCCESS;
}

static apr_status_t select_database(store_link_t *link, const store_login_t *login,
                                    const ratings_deadline_t *deadline, ratings_result_t *why)
{
    char number[16];
    const char *words[] = {"SELECT", number};
    const store_command_t command = {.argc = 2, .argv = words};
    (void)snprintf(number, sizeof number, "%d", login->database);
    return login->database ? login_command(link, command, deadline, why) : APR_SUCCESS;
}

/* ECHO alone, so that one that is denied is known before a script is run. */
static apr_status_t try_echo(store_link_t *link, const ratings_deadline_t *deadline,
                             ratings_result_t *why)
{
    redisReply *none = NULL;
    return exchange_first(link, NULL, 0, &none, deadline, why);
}

store_link_t *store_login(store_channel_t channel, const store_login_t *login,
                          const ratings_deadline_t *deadline, ratings_result_t *why)
{
    store_link_t *link = store_link_over(channel, why);
    if (!link)
        return NULL;
    if (store_authenticate(link, login, deadline, why) == APR_SUCCESS &&
        select_database(link, login, deadline, why) == APR_SUCCESS &&
        try_echo(link, deadline, why) == APR_SUCCESS)
        return link;
    store_link_close(link);
    return NULL;
}

apr_status_t store_expect_master(store_link_t *link, const ratings_deadline_t *deadline,
                                 ratings_result_t *why)
{
    const char *words[] = {"INFO", "replication"};
    const store_command_t command = {.argc = 2, .argv = words};
    redisReply *reply = NULL;
    if (login_exchange(link, command, deadline, &reply, why) != APR_SUCCESS)
        return why->status;
    bool is_master = reply && reply->str && strstr(reply->str, "\nrole:master");
    freeReplyObject(reply);
    if (is_master)
        return APR_SUCCESS;
    ratings_result_set(why, APR_EGENERAL, "the sentinels name a server that is no master");
    store_blame(why, RATINGS_STORE_REPLICA);
    return why->status;
}
