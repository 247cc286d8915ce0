/* Private to the store: error replies of Redis, or of what stands in its place, and what is wrong
 * with a server that gives them. Pure functions. */
#ifndef RATINGS_STORE_REFUSAL_H
#define RATINGS_STORE_REFUSAL_H

#include "store.h"

#include <hiredis/hiredis.h>

/* The first refusal in a reply: the reply itself, or one of its elements. NULL: there is none. A
 * key of another type (WRONGTYPE) is none: it says something of the key, not of the server. */
const redisReply *store_refusal_in(const redisReply *reply);

/* Whether the server refuses as long as it is in a state of its own (a replica, loading, its
 * password changed), while the address may lead to another by now. */
bool store_refusal_is_of_server(const redisReply *refusal);

/* Whether the refusal is of a script's digest, so that its text is to be sent: the server does not
 * know it, or refuses EVALSHA itself (`*always`), since it has no such command or denies it to the
 * service's user. */
bool store_refusal_is_of_digest(const redisReply *refusal, bool *always);

/* What is known to be wrong, from the words of a refusal: ratings_store_fault_e, or a command or
 * key that is denied (store_fault.h). RATINGS_STORE_UNREACHABLE: nothing. */
int store_refusal_fault(const char *text);

/* A refusal as failure (APR_EGENERAL): what is known to be wrong, and Redis's own words. */
apr_status_t store_error_reply(const redisReply *refusal, ratings_result_t *why);

/* The same for an exchange that sent the password: Redis repeats the arguments of a command that it
 * does not know, so the detail holds its error code alone. */
apr_status_t store_login_reply(const redisReply *refusal, ratings_result_t *why);

/* Gives a failure that has its detail already a fault: the detail then begins with what is wrong
 * and what to do. */
void store_blame(ratings_result_t *why, int fault);

#endif
