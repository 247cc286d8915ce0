/* TLS as a client (libssl), over a socket of the caller's, who does all waiting. A server is always
 * verified, by its certificate and by its name; TLS 1.2 is the least; nothing is renegotiated.
 *
 * For Redis, where hiredis formats and parses alone: hiredis 0.14 has no TLS, and that of 1.x does
 * not compare the server's name. A context may be used by any thread and by children that are
 * forked later, a connection by one thread at a time. */
#ifndef RATINGS_CORE_TLS_H
#define RATINGS_CORE_TLS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ratings_tls_context_t ratings_tls_context_t;
typedef struct ssl_st ratings_tls_t;

/* Files in PEM, by their paths; each text may be NULL. */
typedef struct {
    const char *ca;          /* trusted authorities: a file, or a directory whose names are hashes
                                (openssl rehash); NULL: those of the system */
    const char *certificate; /* the client's, with its chain; NULL: none */
    const char *key;         /* that certificate's, without a passphrase; NULL: none */
    const char *name;        /* that the server's certificate must have; NULL: the host's */
} ratings_tls_settings_t;

#define RATINGS_TLS_TEXT 320 /* bytes of a failure's text, with the terminator */

typedef enum {
    RATINGS_TLS_OTHER,     /* no more is known than the text says */
    RATINGS_TLS_UNTRUSTED, /* the server's certificate is refused */
    RATINGS_TLS_FOREIGN,   /* what answers speaks no TLS */
    RATINGS_TLS_REFUSED    /* the server refuses the client's certificate, or misses one */
} ratings_tls_cause_e;

typedef struct {
    ratings_tls_cause_e cause;
    char text[RATINGS_TLS_TEXT]; /* for the administrator: it has paths, and no secret */
} ratings_tls_failure_t;

/* What all connections to a server share. The files are read now, a directory of authorities when
 * a server is verified. NULL and why: a file cannot be read, is no PEM, or others than its owner
 * and group may read the key; or certificate and key do not match. The caller frees it, after the
 * last connection. */
ratings_tls_context_t *ratings_tls_context_new(const ratings_tls_settings_t *settings,
                                               ratings_tls_failure_t *why);
void ratings_tls_context_free(ratings_tls_context_t *context); /* NULL: nothing to do */

/* A connection over `fd`, which stays the caller's, to the host of this name or address; a dot at
 * the end of a name does not count. NULL: memory ran out. */
ratings_tls_t *ratings_tls_over(const ratings_tls_context_t *context, int fd, const char *host);
void ratings_tls_free(ratings_tls_t *tls); /* NULL: nothing to do */

/* How far a step came. A socket that blocks, and has a timeout, ends a step by WANTS_... when that
 * has passed; a signal ends none. */
typedef enum {
    RATINGS_TLS_DONE,
    RATINGS_TLS_WANTS_READ,  /* again, once the socket can be read */
    RATINGS_TLS_WANTS_WRITE, /* ... or written */
    RATINGS_TLS_CLOSED,      /* by the server */
    RATINGS_TLS_FAILED       /* the connection is of no use any more */
} ratings_tls_e;

/* Each sets `*why` when the server closed, or the step failed. */
ratings_tls_e ratings_tls_handshake(ratings_tls_t *tls, ratings_tls_failure_t *why);

/* At least one byte, and at most `size`, on RATINGS_TLS_DONE; `*count` is 0 otherwise. */
ratings_tls_e ratings_tls_read(ratings_tls_t *tls, void *bytes, size_t size, size_t *count,
                               ratings_tls_failure_t *why);
ratings_tls_e ratings_tls_write(ratings_tls_t *tls, const void *bytes, size_t size, size_t *count,
                                ratings_tls_failure_t *why);

/* Whether bytes can be read at once that the socket does not tell of. */
bool ratings_tls_has_pending(const ratings_tls_t *tls);

#endif
