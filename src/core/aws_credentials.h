/* The credentials that requests to AWS are signed with, and what they are read from: an answer of
 * AWS's metadata services, and a profile of the shared credentials file.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 *
 * Pure functions, any thread. Problems are static, and quote nothing of what was read. */
#ifndef RATINGS_CORE_AWS_CREDENTIALS_H
#define RATINGS_CORE_AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATINGS_AWS_KEY_ID_MAX 128 /* bytes, not counting the terminator; so are the next two */
#define RATINGS_AWS_SECRET_MAX 256
#define RATINGS_AWS_TOKEN_MAX 4096
#define RATINGS_AWS_DUE_US INT64_C(300000000) /* before they expire, they are to be refreshed */

typedef struct {
    char key_id[RATINGS_AWS_KEY_ID_MAX + 1];
    char secret[RATINGS_AWS_SECRET_MAX + 1];
    char token[RATINGS_AWS_TOKEN_MAX + 1]; /* of the session; "": there is none */
    int64_t expires_at;                    /* microseconds since 1970; INT64_MAX: never */
} ratings_aws_credentials_t;

typedef enum { RATINGS_AWS_FRESH, RATINGS_AWS_DUE, RATINGS_AWS_EXPIRED } ratings_aws_age_e;

/* Whether they are to be refreshed, or no longer valid, at `now` (of ratings_wall_clock, which is
 * what AWS goes by). */
ratings_aws_age_e ratings_aws_credentials_age(const ratings_aws_credentials_t *credentials,
                                              int64_t now);

/* Fills `*out` with credentials that do not expire; `token` NULL or "": none. NULL, or what is
 * wrong with one of them: empty, too long, or with a byte that is no visible character. */
const char *ratings_aws_credentials_set(const char *key_id, const char *secret, const char *token,
                                        ratings_aws_credentials_t *out);

/* Reads the JSON that the container's and the instance's metadata service answer with. Without
 * Expiration they do not expire. NULL, or what is wrong with `*out` undefined. */
const char *ratings_aws_credentials_from_json(const char *text, size_t len,
                                              ratings_aws_credentials_t *out);

/* Reads the profile of that name in a shared credentials file. A profile or a setting that is there
 * twice has its last value. NULL, and `*is_found` whether there is such a profile; or what is wrong
 * with it. */
const char *ratings_aws_credentials_from_profile(const char *text, size_t len, const char *profile,
                                                 ratings_aws_credentials_t *out, bool *is_found);

#endif
