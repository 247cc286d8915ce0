/* Where the Redis is that sentinels monitor
 * (https://redis.io/docs/latest/develop/reference/sentinel-clients/). Private to the audit's store;
 * one thread. */
#ifndef RATINGS_CTL_AUDIT_SENTINEL_H
#define RATINGS_CTL_AUDIT_SENTINEL_H

#include "audit_failure.h"
#include "audit_link.h"

/* Asks the sentinels of the URL in turn, with a connection of its own to each, as the address says:
 * the first that knows the master fills its host. `shown`: the URL without its password, for the
 * reason of a failure. */
bool audit_sentinel_find(const ratings_redis_url_t *url, const char *shown,
                         audit_address_t *address, audit_failure_t *why);

/* Whether the server says that it is a master; else, or if it says nothing, false and why. */
bool audit_sentinel_is_master(audit_link_t *link, const char *shown, audit_failure_t *why);

#endif
