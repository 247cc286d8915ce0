/* Private to talks: why the certificate of a server is refused. libpq says that it is, and keeps
 * OpenSSL's reason to itself. Any thread. */
#ifndef RATINGS_TALKS_CERTIFICATE_H
#define RATINGS_TALKS_CERTIFICATE_H

/* What is wrong with the certificate of the first server of `conninfo` that can be reached, by
 * OpenSSL and the `sslrootcert` there: a static text; NULL, when nothing is, or nobody can say.
 * Connects anew and leaves after TLS's handshake, so that nobody learns user and password, or sees
 * the client's own certificate. Blocks as talks_connection_open does, two seconds at most beside
 * the resolver. */
const char *talks_certificate_problem(const char *conninfo);

#endif
