#include "stats_credentials.h"

#include "../../core/clock.h"
#include "../common/thread.h"
#include "stats_fetch.h"

#include <string.h>

#define REFRESH_TIMEOUT_US INT64_C(5000000)
#define RETRY_US INT64_C(2000000) /* between the end of a refresh and the next one */

void stats_credentials_init(stats_credentials_t *credentials, ratings_refobj_t *owner,
                            const ratings_aws_source_t *source, ratings_stats_log_t *log)
{
    credentials->owner = owner;
    credentials->source = source;
    credentials->log = log;
    if (source->kind == RATINGS_AWS_STATIC) {
        credentials->current = source->credentials;
        credentials->number = 1;
    }
}

/* ---- with the lock held ---- */

static ratings_aws_age_e age_of_current(const stats_credentials_t *credentials)
{
    return credentials->number == 0
               ? RATINGS_AWS_EXPIRED
               : ratings_aws_credentials_age(&credentials->current, ratings_wall_clock());
}

/* Credentials that have expired on their way are a failure, or each call would ask anew. */
static void reject_expired(const ratings_aws_credentials_t *fresh, ratings_result_t *why)
{
    if (why->status == APR_SUCCESS &&
        ratings_aws_credentials_age(fresh, ratings_wall_clock()) == RATINGS_AWS_EXPIRED)
        (void)ratings_result_set(why, APR_EINVAL,
                                 "the metadata service gave some that have expired");
}

/* `fresh` NULL: there are none. Returns what has changed, for the log. */
static ratings_stats_log_e take_result(stats_credentials_t *credentials,
                                       const ratings_aws_credentials_t *fresh,
                                       const ratings_result_t *why)
{
    bool had_failed = credentials->has_failed;
    credentials->has_failed = fresh == NULL;
    credentials->is_refreshing = false;
    credentials->next_try_at = ratings_monotonic() + RETRY_US;
    credentials->why = *why;
    if (fresh) {
        credentials->current = *fresh;
        credentials->number++;
    }
    pthread_cond_broadcast(&credentials->owner->changed);
    return credentials->has_failed == had_failed || credentials->owner->is_shut_down
               ? RATINGS_STATS_LOG_NOTHING
           : had_failed ? RATINGS_STATS_LOG_REFRESHED
                        : RATINGS_STATS_LOG_NOT_REFRESHED;
}

/* ---- the thread ---- */

static void finish_refresh(stats_credentials_t *credentials, const ratings_aws_credentials_t *fresh,
                           const ratings_result_t *why)
{
    pthread_mutex_lock(&credentials->owner->lock);
    ratings_stats_log_e event = take_result(credentials, fresh, why);
    pthread_mutex_unlock(&credentials->owner->lock);
    if (event != RATINGS_STATS_LOG_NOTHING && credentials->log)
        credentials->log->write(credentials->log, event, why->detail);
    ratings_refobj_unref(credentials->owner);
}

static void *refresh_credentials(void *data)
{
    stats_credentials_t *credentials = data;
    ratings_aws_credentials_t fresh;
    ratings_result_t why;
    const ratings_deadline_t deadline =
        ratings_deadline_make(INT64_MAX, REFRESH_TIMEOUT_US, credentials->owner->cancel_fd);
    (void)stats_fetch_credentials(credentials->source, &deadline, &fresh, &why);
    reject_expired(&fresh, &why);
    finish_refresh(credentials, why.status == APR_SUCCESS ? &fresh : NULL, &why);
    explicit_bzero(&fresh, sizeof fresh);
    return NULL;
}

/* With the lock held, which it gives up and takes again. */
static void start_refresh(stats_credentials_t *credentials)
{
    ratings_result_t why;
    credentials->is_refreshing = true;
    credentials->owner->references++;
    pthread_mutex_unlock(&credentials->owner->lock);
    if (ratings_thread_start(refresh_credentials, credentials) != 0) {
        (void)ratings_result_set(&why, RATINGS_NOT_ASKED, "no thread to ask for them");
        finish_refresh(credentials, NULL, &why);
    }
    pthread_mutex_lock(&credentials->owner->lock);
}

/* ---- a call ---- */

/* Whether a call waits on: it has none that are valid, and a refresh is under way. */
static bool waits(stats_credentials_t *credentials)
{
    ratings_aws_age_e age = age_of_current(credentials);
    bool may_try = ratings_monotonic() >= credentials->next_try_at ||
                   (age == RATINGS_AWS_EXPIRED && !credentials->has_failed);
    if (age != RATINGS_AWS_FRESH && !credentials->is_refreshing && may_try &&
        !credentials->owner->is_shut_down)
        start_refresh(credentials);
    return age_of_current(credentials) == RATINGS_AWS_EXPIRED && credentials->is_refreshing &&
           !credentials->owner->is_shut_down;
}

/* What a call that got none ends with: the function was not reached. */
static apr_status_t without_credentials(const stats_credentials_t *credentials,
                                        ratings_result_t *why)
{
    if (credentials->owner->is_shut_down)
        return ratings_deadline_cancelled(why);
    if (credentials->is_refreshing)
        return ratings_result_set(why, APR_TIMEUP, "no credentials of AWS came in time");
    return ratings_result_set(why, APR_ECONNREFUSED, "there are no credentials of AWS: %s",
                              credentials->why.detail);
}

static apr_status_t take_current(const stats_credentials_t *credentials, uint64_t *number,
                                 ratings_aws_credentials_t *out, ratings_result_t *why)
{
    if (age_of_current(credentials) == RATINGS_AWS_EXPIRED)
        return without_credentials(credentials, why);
    if (*number != credentials->number)
        *out = credentials->current;
    *number = credentials->number;
    return ratings_result_ok(why);
}

apr_status_t stats_credentials_get(stats_credentials_t *credentials,
                                   const ratings_deadline_t *deadline, uint64_t *number,
                                   ratings_aws_credentials_t *out, ratings_result_t *why)
{
    ratings_refobj_t *owner = credentials->owner;
    pthread_mutex_lock(&owner->lock);
    while (waits(credentials) &&
           ratings_wait_until(&owner->changed, &owner->lock, deadline->expires_at))
        ;
    apr_status_t status = take_current(credentials, number, out, why);
    pthread_mutex_unlock(&owner->lock);
    return status;
}
