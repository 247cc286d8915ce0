/* Private to talks: why the certificate of a server is refused. libpq says that it is, and keeps
 * OpenSSL's reason to itself. Any thread. */
#ifndef RATINGS_TALKS_CERTIFICATE_H
#define RATINGS_TALKS_CERTIFICATE_H

#include <apr_pools.h>

/* What is wrong with the certificate of the first server of `conninfo` (words, which
 * talks_conninfo has made) that has one which OpenSSL refuses by the `sslrootcert` there: a static
 * text; NULL, when there is none, or nobody can say. libpq may have refused any of several hosts:
 * one that it did not want for another reason comes before. Connects anew to each and leaves after
 * TLS's handshake, so that nobody learns user and password, or sees the client's own certificate.
 * Blocks as talks_connection_open does, two seconds at most beside the resolver. Leaves nothing in
 * this thread's queue of OpenSSL's errors. */
const char *talks_certificate_problem(apr_pool_t *pool, const char *conninfo);

#endif
