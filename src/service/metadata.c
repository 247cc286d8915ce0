#include "metadata.h"

#include "../backend/stats/stats.h"
#include "../backend/talks/talks.h"
#include "../core/redis_url.h"
#include "build_version.h"
#include "pool_json.h"

#include <apr_strings.h>

#include <stdlib.h>

/* A copy in the pool of what was malloc()ed; NULL stays NULL. */
static const char *pool_copy(char *made, apr_pool_t *pool)
{
    const char *text = made ? apr_pstrdup(pool, made) : NULL;
    free(made);
    return text;
}

/* RatingsStream holds hosts and ports alone: anything else is refused at configtest. */
const char *ratings_metadata_text(const ratings_config_t *config, int secrets, apr_pool_t *pool)
{
    const char *stats = config->stats, *store = config->store, *talks = config->talks;
    if (!secrets) {
        stats = ratings_stats_url_redact(stats, pool);
        store = pool_copy(ratings_redis_url_redact(store), pool);
        talks = ratings_talks_redact(talks, pool);
    }
    return ratings_pool_json(pool, json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:s}}", "metadata",
                                             "ratings_lambda", stats, "ratings", store, "streams",
                                             config->stream, "talks", talks, "version",
                                             RATINGS_VERSION, "revision", RATINGS_REVISION));
}
