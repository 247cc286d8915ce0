/* Connection strings without their passwords. Pure functions, any thread. */
#ifndef RATINGS_CORE_REDACT_H
#define RATINGS_CORE_REDACT_H

/* A copy of a connection string with each password as ***: that of a URL's user information
 * (scheme://user:password@...), and any "password" or "sslpassword" given as a query parameter or
 * as a key=value word of libpq, quoted or not. malloc()ed, owned by the caller; NULL when memory
 * ran out. Rather takes out too much than too little where a string is not well formed. */
char *ratings_redact(const char *connection);

#endif
