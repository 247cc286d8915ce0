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

/* Over a socket that is connected, and the link's from then on (store_link_over): logs in, selects
 * the database, and tries what each exchange needs. NULL and `why` on failure: APR_ECONNREFUSED
 * where the connection broke meanwhile. Any thread; the link is the caller's. */
store_link_t *store_login(int fd, const store_login_t *login, const ratings_deadline_t *deadline,
                          ratings_result_t *why);

#endif
