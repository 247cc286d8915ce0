#include "log_rate.h"

#include "segment.h"

#define LOG_US INT64_C(10000000)
#define FORGET_US INT64_C(600000000) /* librdkafka repeats what lasts twice a minute */

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

/* Whether an outage that was seen (or over, if negative) then is one that nobody need hear of
 * again.
 */
static bool is_known_outage(int64_t seen, int64_t now)
{
    return seen > 0 ? now - seen < FORGET_US : seen < 0 && now + seen < LOG_US;
}

bool ratings_shm_outage_begins(ratings_shm_t *shared, const char *broker, int64_t now)
{
    ratings_outage_t *outage = find_outage(shared, broker, true);
    if (!outage)
        return ratings_shm_may_log(shared, RATINGS_LINE_STREAM, now);
    int64_t seen = atomic_load(&outage->seen);
    bool is_known = is_known_outage(seen, now);
    if (is_known && seen < 0)
        return false;
    return atomic_compare_exchange_strong(&outage->seen, &seen, now) && !is_known;
}

bool ratings_shm_outage_ends(ratings_shm_t *shared, const char *broker, int64_t now)
{
    ratings_outage_t *outage = find_outage(shared, broker, false);
    int64_t seen = outage ? atomic_load(&outage->seen) : 0;
    while (seen > 0) /* it may be seen once more meanwhile */
        if (atomic_compare_exchange_strong(&outage->seen, &seen, -now))
            return true;
    return false;
}
