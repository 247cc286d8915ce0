/* Where the store is: redis://[user:password@]host[:port][/database]. Pure functions. */
#ifndef RATINGS_AUDIT_ADDRESS_H
#define RATINGS_AUDIT_ADDRESS_H

#include <stdbool.h>

#define AUDIT_HOST_MAX 255   /* bytes, not counting the terminator; so are the next two */
#define AUDIT_SECRET_MAX 511 /* of a user or password, after %XX is resolved */

typedef struct {
    char host[AUDIT_HOST_MAX + 1];
    char user[AUDIT_SECRET_MAX + 1]; /* "" : none */
    char password[AUDIT_SECRET_MAX + 1];
    bool has_password;
    int port;
    int database;
} audit_address_t;

/* Fills `*out` and returns NULL; or what is wrong (static, without anything of the URL). */
const char *audit_address_parse(const char *url, audit_address_t *out);

#endif
