#include "store_keys.h"

#include <apr_base64.h>
#include <apr_sha1.h>

#include <stdio.h>
#include <string.h>

void store_talk_key(char key[STORE_KEY_TALK_MAX + 1], const char *talk_id)
{
    (void)snprintf(key, STORE_KEY_TALK_MAX + 1, STORE_KEY_TALK "%s", talk_id);
}

void store_voters_key(char key[STORE_KEY_VOTERS_MAX + 1], const char *talk_id)
{
    (void)snprintf(key, STORE_KEY_VOTERS_MAX + 1, STORE_KEY_VOTERS "%s", talk_id);
}

void store_voter_field(char field[RATINGS_VOTER_SIZE], const ratings_voter_t *voter, int partition)
{
    unsigned char hash[RATINGS_VOTER_SIZE];
    memcpy(hash, voter->hash, sizeof hash);
    hash[RATINGS_VOTER_SIZE - 2] ^= (unsigned char)(partition >> 8);
    hash[RATINGS_VOTER_SIZE - 1] ^= (unsigned char)partition;
    memcpy(field, hash, sizeof hash);
}

void store_field(char field[STORE_FIELD_SIZE], const char *name, int partition)
{
    (void)snprintf(field, STORE_FIELD_SIZE, "%s:%d", name, partition);
}

#define DIGEST_BYTES 15 /* 120 bits: no two keys have the same, and no padding in base64 */

void store_use_field(char field[STORE_USE_FIELD_SIZE], const char *talk_id,
                     const ratings_voter_t *voter, const char *key)
{
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    apr_sha1_ctx_t context;
    apr_sha1_init(&context);
    apr_sha1_update(&context, talk_id, (unsigned)strlen(talk_id) + 1);       /* with its end */
    apr_sha1_update(&context, key, (unsigned)strlen(key) + (voter ? 1 : 0)); /* the same */
    if (voter)
        apr_sha1_update_binary(&context, voter->hash, sizeof voter->hash);
    apr_sha1_final(digest, &context);
    (void)apr_base64_encode_binary(field, digest, DIGEST_BYTES);
}
