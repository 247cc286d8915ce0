#include "entity.h"

#include "../core/number.h"

#include <apr_sha1.h>
#include <apr_strings.h>

#define ETAG_BYTES 12 /* of the digest: as good as unique, and short */

_Static_assert(sizeof "\"\"" + 2 * (size_t)ETAG_BYTES <= RATINGS_ETAG_SIZE, "an entity tag fits");

void ratings_etag_of(const char *body, size_t length, char etag[RATINGS_ETAG_SIZE])
{
    apr_sha1_ctx_t context;
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    char hex[2 * ETAG_BYTES + 1];
    apr_sha1_init(&context);
    apr_sha1_update(&context, body, (unsigned)length);
    apr_sha1_final(digest, &context);
    ratings_hex_write(digest, ETAG_BYTES, hex);
    apr_snprintf(etag, RATINGS_ETAG_SIZE, "\"%s\"", hex);
}
