/* Private to the store: what a connection goes over, a socket and maybe TLS over that, made by a
 * deadline that can be cancelled. */
#ifndef RATINGS_STORE_CHANNEL_H
#define RATINGS_STORE_CHANNEL_H

#include "../../core/tls.h"
#include "../common/resolver.h"

typedef struct {
    int fd;             /* connected, and does not block */
    ratings_tls_t *tls; /* over it, its handshake done; NULL: none */
} store_channel_t;

/* To a host, by TLS unless the context is NULL. On APR_SUCCESS `*channel` is the caller's. Else the
 * status is that of store_dial, and APR_ECONNREFUSED as well where the handshake failed. Any
 * thread. */
apr_status_t store_channel_open(ratings_resolver_t *host, const ratings_tls_context_t *tls,
                                const ratings_deadline_t *deadline, store_channel_t *channel,
                                ratings_result_t *why);

void store_channel_close(store_channel_t channel);

/* The fault of what libssl reports (ratings_store_fault_e). */
int store_channel_fault(const ratings_tls_failure_t *failure);

#endif
