/* An entity: the body of a response, and its entity tag (RFC 9110, 8.8.3). http makes and sends it,
 * the response cache keeps it: plain bytes, as it lies in shared memory. */
#ifndef RATINGS_SHM_ENTITY_H
#define RATINGS_SHM_ENTITY_H

#include <stddef.h>
#include <stdint.h>

#define RATINGS_ENTITY_MAX 256 /* five counts, their sum and an average take some 200 */
#define RATINGS_ETAG_SIZE 32   /* bytes that hold any entity tag, its quotes and a NUL */

typedef struct {
    uint32_t length; /* of the body, bytes */
    char etag[RATINGS_ETAG_SIZE];
    char body[RATINGS_ENTITY_MAX]; /* no NUL ends it */
} ratings_entity_t;

/* Makes the strong entity tag of a body: the beginning of its SHA-1 in hex. Any thread. */
void ratings_etag_of(const char *body, size_t length, char etag[RATINGS_ETAG_SIZE]);

#endif
