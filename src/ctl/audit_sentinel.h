/* Where the Redis is that sentinels monitor
 * (https://redis.io/docs/latest/develop/reference/sentinel-clients/). Private to the audit's store;
 * one thread. */
#ifndef RATINGS_CTL_AUDIT_SENTINEL_H
#define RATINGS_CTL_AUDIT_SENTINEL_H

#include "../core/redis_url.h"
#include "audit_failure.h"

#include <hiredis/hiredis.h>

#include <sys/time.h>

/* Asks the sentinels of the URL in turn, with a connection of its own to each: the first that knows
 * the master fills `*found`. `shown`: the URL without its password, for the reason of a failure. */
bool audit_sentinel_find(const ratings_redis_url_t *url, const char *shown, struct timeval timeout,
                         ratings_redis_host_t *found, audit_failure_t *why);

/* Whether the server says that it is a master; else, or if it says nothing, false and why. */
bool audit_sentinel_is_master(redisContext *context, const char *shown, audit_failure_t *why);

#endif
