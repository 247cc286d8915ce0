#include "../../src/core/aws_credentials.h"
#include "fuzz.h"

#include <string.h>

static void must_be_of_a_header(const char *text, size_t max)
{
    MUST(strlen(text) <= max);
    for (; *text; text++)
        MUST(*text > ' ' && *text <= '~');
}

static void check(const ratings_aws_credentials_t *credentials)
{
    MUST(credentials->key_id[0] && credentials->secret[0]);
    must_be_of_a_header(credentials->key_id, RATINGS_AWS_KEY_ID_MAX);
    must_be_of_a_header(credentials->secret, RATINGS_AWS_SECRET_MAX);
    must_be_of_a_header(credentials->token, RATINGS_AWS_TOKEN_MAX);
}

/* The same input as an answer of a metadata service, and as a shared credentials file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ratings_aws_credentials_t credentials;
    bool is_found;

    if (!ratings_aws_credentials_from_json((const char *)data, size, &credentials))
        check(&credentials);
    if (!ratings_aws_credentials_from_profile((const char *)data, size, "default", &credentials,
                                              &is_found) &&
        is_found)
        check(&credentials);
    return 0;
}
