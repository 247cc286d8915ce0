/* A server on loopback that answers by its script, request by request, whatever it is asked. It
 * serves one connection after the other. */
#ifndef RATINGS_T_TCP_PEER_H
#define RATINGS_T_TCP_PEER_H

#include <pthread.h>
#include <stdatomic.h>

typedef enum {
    THEN_NEXT,    /* the same connection takes the next request */
    THEN_MORE,    /* says the next answer without being asked, a little later */
    THEN_SILENCE, /* says no more until the client closes */
    THEN_CLOSE,   /* closes */
    THEN_DRIP     /* a byte each 50 ms until the client closes */
} then_e;

#define ECHOED "<echo>" /* in an answer: what Redis answers to the request's ECHO */

/* One request is what one read finds (but an ECHO alone, which is answered); NULL ends the list,
 * after which there is silence. */
typedef struct {
    const char *answer;
    then_e then;
} step_t;

typedef struct {
    const step_t *step; /* the next one */
    int port, listener;
    pthread_t thread;
    atomic_int accepted, requests, unasked;
} peer_t;

void peer_start(peer_t *peer, const step_t *steps);
void peer_stop(peer_t *peer);

/* An address that never completes a connection: its queue is full. `port` 0: any. */
typedef struct {
    int port;
    int fds[8];
} swamp_t;

void swamp_make(swamp_t *swamp, const char *address, int port);
void swamp_drain(swamp_t *swamp);

#endif
