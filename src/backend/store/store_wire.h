/* Private to the store: commands out and bytes of answers in, by TLS or without. Never waits; one
 * thread at a time. Each function reports as hiredis does: REDIS_OK, or REDIS_ERR with the
 * context's `err` and `errstr`.
 *
 * hiredis does not send, since it frees what it has sent without wiping it: the password is among
 * that. */
#ifndef RATINGS_STORE_WIRE_H
#define RATINGS_STORE_WIRE_H

#include "store_channel.h"

#include <hiredis/hiredis.h>

typedef struct {
    redisContext *context; /* formats and parses; without TLS it receives as well */
    ratings_tls_t *tls;    /* NULL: none */
    char *out;             /* what is to be sent: `sent` of `length` bytes have been; or NULL */
    size_t room, length, sent;
    int fault; /* why TLS failed, if that is known (ratings_store_fault_e); else 0 */
} store_wire_t;

/* Over a channel, which is the wire's from then on. False, and the channel is still the caller's:
 * memory ran out. */
bool store_wire_init(store_wire_t *wire, store_channel_t channel);
void store_wire_destroy(store_wire_t *wire);

/* Puts a command behind those that are to be sent. */
int store_wire_append(store_wire_t *wire, int argc, const char **argv, const size_t *argvlen);

/* Sends what it can; `*done`: everything, which is wiped then. Otherwise `*events` is what to wait
 * for. */
int store_wire_write(store_wire_t *wire, int *done, short *events);

/* Gives what has come, at most 16 KiB of it, to the context's reader, and waits for `*events`
 * next. */
int store_wire_read(store_wire_t *wire, short *events);

/* Whether something can be read that the socket does not tell of. */
bool store_wire_has_pending(const store_wire_t *wire);

#endif
