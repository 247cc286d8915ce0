/* Private to the store: what a connection to Redis begins with, before commands of the service are
 * sent on it. */
#ifndef RATINGS_STORE_LOGIN_H
#define RATINGS_STORE_LOGIN_H

#include "store_link.h"

/* AUTH and SELECT. */
typedef struct {
    const char *user, *password; /* NULL: none */
    int database;
} store_login_t;

/* Over a channel, which is the link's from then on (store_link_over): logs in, selects the
 * database, and tries what each exchange needs. NULL and `why` on failure: APR_ECONNREFUSED where
 * the connection broke meanwhile. Any thread; the link is the caller's. */
store_link_t *store_login(store_channel_t channel, const store_login_t *login,
                          const ratings_deadline_t *deadline, ratings_result_t *why);

/* AUTH alone, if there is a password. */
apr_status_t store_authenticate(store_link_t *link, const store_login_t *login,
                                const ratings_deadline_t *deadline, ratings_result_t *why);

/* APR_SUCCESS: the server is a master. Else why not: RATINGS_STORE_REPLICA. By INFO, which the
 * service's user may run, and whose answer is flat; ROLE's has the replicas in arrays. */
apr_status_t store_expect_master(store_link_t *link, const ratings_deadline_t *deadline,
                                 ratings_result_t *why);

#endif
