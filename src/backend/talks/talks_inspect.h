/* Whether PostgreSQL is as the service needs it. */
#ifndef RATINGS_TALKS_INSPECT_H
#define RATINGS_TALKS_INSPECT_H

#include "../common/findings.h"
#include "talks.h"

/* Reports whether each host that the connection string names answers, whether the service's own
 * look-ups find their table and its columns, and what else PostgreSQL says of itself. `pool` is for
 * the driver and for memory of this call; see findings.h for what else is left behind. */
void ratings_talks_inspect(const ratings_talks_options_t *options, apr_pool_t *pool,
                           ratings_findings_t *findings);

#endif
