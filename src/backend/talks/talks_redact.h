/* Private to talks: passwords are kept out of the texts of libpq and of the server. Pure functions,
 * any thread. A connection string is redacted by ratings_talks_redact (talks.h). */
#ifndef RATINGS_TALKS_REDACT_H
#define RATINGS_TALKS_REDACT_H

#include <apr_pools.h>

/* The passwords in the connection string, in `pool`, NULL after the last: for talks_redact_text. */
const char *const *talks_secrets(apr_pool_t *pool, const char *connection);

/* `text`, which libpq or the server wrote, with each of `secrets` in it replaced by ***. Neither is
 * known to write one: libpq names hosts, users, databases and files, the server what it was asked
 * for. It is for servers that repeat what they were sent. So a secret is replaced where it stands
 * as a word of its own, and only if it is no word of a language: at least 8 bytes that are not all
 * lower-case letters, or 16. */
const char *talks_redact_text(apr_pool_t *pool, const char *text, const char *const *secrets);

#endif
