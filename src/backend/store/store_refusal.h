/* Private to the store: what Redis, or what stands in its place, refuses, and why. */
#ifndef RATINGS_STORE_REFUSAL_H
#define RATINGS_STORE_REFUSAL_H

#include "store.h"

#include <hiredis/hiredis.h>

/* The first refusal in a reply: the reply itself, or one of its elements. NULL: there is none. A
 * key of another type is none: it says something of the key, not of the server. */
const redisReply *store_refusal_in(const redisReply *reply);

/* Whether the server refuses as long as it is in a state of its own (a replica, loading, its
 * password changed), while the address may lead to another by now. */
bool store_refusal_is_of_server(const redisReply *refusal);

/* A refusal as failure: what is known to be wrong, and Redis' own words. */
apr_status_t store_error_reply(const redisReply *refusal, ratings_result_t *why);

/* The same for an exchange that sent the password: Redis repeats the arguments of a command that it
 * does not know, so the detail holds its error code alone. */
apr_status_t store_login_reply(const redisReply *refusal, ratings_result_t *why);

/* The fault of a failure that has its detail already, which from then on begins with what is wrong
 * and what to do. */
void store_blame(ratings_result_t *why, int fault);

#endif
