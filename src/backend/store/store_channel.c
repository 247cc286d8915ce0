#include "store_channel.h"

#include "store_dial.h"
#include "store_refusal.h"

#include <poll.h>
#include <unistd.h>

int store_channel_fault(const ratings_tls_failure_t *failure)
{
    static const int faults[] = {
        [RATINGS_TLS_OTHER] = RATINGS_STORE_UNREACHABLE,
        [RATINGS_TLS_UNTRUSTED] = RATINGS_STORE_UNTRUSTED,
        [RATINGS_TLS_FOREIGN] = RATINGS_STORE_WITHOUT_TLS,
        [RATINGS_TLS_REFUSED] = RATINGS_STORE_REFUSES_CLIENT,
    };
    return faults[failure->cause];
}

static apr_status_t refused_handshake(const ratings_tls_failure_t *failure, ratings_result_t *why)
{
    ratings_result_set(why, APR_ECONNREFUSED, "connecting: %s", failure->text);
    store_blame(why, store_channel_fault(failure));
    return why->status;
}

/* What speaks no TLS may wait for the end of a line that never comes. */
static apr_status_t shake_hands(const store_channel_t *channel, const ratings_deadline_t *deadline,
                                ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    while (status == APR_SUCCESS) {
        ratings_tls_failure_t failure;
        ratings_tls_e step = ratings_tls_handshake(channel->tls, &failure);
        if (step == RATINGS_TLS_DONE)
            return ratings_result_ok(why);
        if (step == RATINGS_TLS_CLOSED || step == RATINGS_TLS_FAILED)
            return refused_handshake(&failure, why);
        status = ratings_deadline_poll(
            channel->fd, step == RATINGS_TLS_WANTS_READ ? POLLIN : POLLOUT, deadline,
            "timed out in the handshake of TLS, which the server may not speak", why);
    }
    return status;
}

apr_status_t store_channel_open(ratings_resolver_t *host, const ratings_tls_context_t *tls,
                                const ratings_deadline_t *deadline, store_channel_t *channel,
                                ratings_result_t *why)
{
    apr_status_t status = store_dial(host, deadline, &channel->fd, why);
    channel->tls = NULL;
    if (status != APR_SUCCESS || !tls)
        return status;
    channel->tls = ratings_tls_over(tls, channel->fd, host->name);
    status = channel->tls ? shake_hands(channel, deadline, why)
                          : ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    if (status == APR_SUCCESS)
        return status;
    store_channel_close(*channel);
    return status;
}

void store_channel_close(store_channel_t channel)
{
    ratings_tls_free(channel.tls);
    (void)close(channel.fd);
}
