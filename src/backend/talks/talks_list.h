/* Private to talks: the questions about all that is known of talks, and the keys by which they are
 * searched. One thread at a time uses a connection. */
#ifndef RATINGS_TALKS_LIST_H
#define RATINGS_TALKS_LIST_H

#include "talks_connection.h"

#include "../../core/talk.h"

extern const char talks_list_query[];   /* no argument */
extern const char talks_listed_query[]; /* of one talk: its id, twice */
extern const char talks_key_query[];    /* a text */

/* All talks, or the one whose id it is; in `pool`. As ratings_talks_list and ratings_talks_read. */
apr_status_t talks_list_ask(talks_connection_t *connection, const char *talk_id, apr_pool_t *pool,
                            const ratings_deadline_t *deadline, ratings_talk_list_t *list,
                            ratings_result_t *why);

/* As ratings_talks_key. */
apr_status_t talks_list_ask_key(talks_connection_t *connection, const char *text, apr_pool_t *pool,
                                const ratings_deadline_t *deadline, const char **key,
                                ratings_result_t *why);

#endif
