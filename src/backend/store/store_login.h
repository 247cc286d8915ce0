/* Private to the store: what a connection to Redis begins with, before commands of the service are
 * sent on it. */
#ifndef RATINGS_STORE_LOGIN_H
#define RATINGS_STORE_LOGIN_H

#include "../common/resolver.h"
#include "store_link.h"

/* AUTH and SELECT. */
typedef struct {
    const char *user, *password; /* NULL: none */
    int database;
} store_login_t;

/* Connects, logs in, selects the database, and tries what each exchange needs. NULL and `why` on
 * failure: APR_ECONNREFUSED where the connection broke meanwhile. Any thread; the link is the
 * caller's. */
store_link_t *store_login(ratings_resolver_t *host, const store_login_t *login,
                          const ratings_deadline_t *deadline, ratings_result_t *why);

#endif
