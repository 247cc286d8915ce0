/* A connection to a Redis or to a sentinel, by TLS if that is wanted. Private to the audit's store;
 * one thread. Each wait ends by the timeout. What fails is reported as hiredis does: by the
 * context's `err` and `errstr`, and by errno, which is EAGAIN or ETIMEDOUT after a timeout. After
 * any error a link is dead. */
#ifndef RATINGS_CTL_AUDIT_LINK_H
#define RATINGS_CTL_AUDIT_LINK_H

#include "../core/redis_url.h"
#include "../core/tls.h"

#include <hiredis/hiredis.h>

#include <sys/time.h>

typedef struct {
    redisContext *context;
    ratings_tls_t *tls; /* NULL: none */
} audit_link_t;

typedef struct {
    const char *socket; /* of Unix; "": the host instead */
    ratings_redis_host_t host;
    const ratings_tls_context_t *tls; /* NULL: without */
    struct timeval timeout;
} audit_address_t;

/* To be closed in any case. NULL: memory ran out. */
audit_link_t *audit_link_open(const audit_address_t *address);
void audit_link_close(audit_link_t *link); /* NULL: nothing to do */

/* The answer, to be freed; NULL: none came. `argvlen` NULL: the words are texts. */
redisReply *audit_link_command(audit_link_t *link, int argc, const char **argv,
                               const size_t *argvlen);

#endif
