#include "log_rate.h"

#include "segment.h"

#define LOG_US INT64_C(10000000)

/* ---- once in a while ---- */

bool ratings_shm_may_log(ratings_shm_t *shared, ratings_line_e line, int64_t now)
{
    int64_t last = atomic_load(&shared->logged_at[line]);
    return (last == 0 || now - last >= LOG_US) &&
           atomic_compare_exchange_strong(&shared->logged_at[line], &last, now);
}

/* ---- once for an outage ---- */

/* FNV-1a, never 0: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

/* That of the broker; NULL: it has none, and if `makes`, all are taken. */
static ratings_outage_t *find_outage(ratings_shm_t *shared, const char *broker, bool makes)
{
    uint64_t hash = hash_of(broker);
    for (int i = 0; i < RATINGS_OUTAGES; i++) {
        ratings_outage_t *outage = &shared->outage[i];
        uint64_t found = atomic_load(&outage->broker);
        if (found == 0 && makes && atomic_compare_exchange_strong(&outage->broker, &found, hash))
            found = hash;
        if (found == hash)
            return outage;
        if (found == 0)
            return NULL;
    }
    return NULL;
}

bool ratings_shm_outage_begins(ratings_shm_t *shared, const char *broker, int64_t now)
{
    ratings_outage_t *outage = find_outage(shared, broker, true);
    int64_t since = outage ? atomic_load(&outage->since) : now;
    return (since == 0 || (since < 0 && now + since >= LOG_US)) &&
           atomic_compare_exchange_strong(&outage->since, &since, now);
}

bool ratings_shm_outage_ends(ratings_shm_t *shared, const char *broker, int64_t now)
{
    ratings_outage_t *outage = find_outage(shared, broker, false);
    int64_t since = outage ? atomic_load(&outage->since) : 0;
    return since > 0 && atomic_compare_exchange_strong(&outage->since, &since, -now);
}
