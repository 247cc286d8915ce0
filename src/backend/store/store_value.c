#include "store_value.h"

#include "../../core/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool store_is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

bool store_is_array(const redisReply *reply, size_t elements)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

bool store_read_number(const redisReply *reply, int64_t absent, int64_t max, int64_t *out)
{
    *out = absent;
    return reply->type == REDIS_REPLY_NIL ||
           (store_is_text(reply) && ratings_parse_int(reply->str, (size_t)reply->len, 0, max, out));
}

/* A number of at least `min` and the colon after it; the text goes on behind that. */
static bool read_part(const char **text, int64_t min, int64_t *out)
{
    size_t length = strcspn(*text, ":");
    if ((*text)[length] != ':' || !ratings_parse_int(*text, length, min, INT64_MAX, out))
        return false;
    *text += length + 1;
    return true;
}

static bool is_whole_text(const redisReply *reply)
{
    return store_is_text(reply) && !memchr(reply->str, '\0', (size_t)reply->len);
}

/* Three numbers with colons between them; `min` of each. */
static bool read_triple(const redisReply *reply, const int64_t min[3], int64_t out[3])
{
    const char *text = reply->str;
    return is_whole_text(reply) && read_part(&text, min[0], &out[0]) &&
           read_part(&text, min[1], &out[1]) &&
           ratings_parse_int(text, strlen(text), min[2], INT64_MAX, &out[2]);
}

/* ---- fingerprints ---- */

bool store_read_fingerprint(const redisReply *reply, ratings_fingerprint_t *fingerprint)
{
    static const int64_t min[] = {0, -1, 0};
    int64_t numbers[3];
    *fingerprint = (ratings_fingerprint_t){.offset = RATINGS_FINGERPRINT_EMPTY};
    if (!store_is_text(reply))
        return false;
    if (strcmp(reply->str, "empty") == 0)
        return true;
    if (!read_triple(reply, min, numbers) || numbers[2] > UINT32_MAX)
        return false;
    *fingerprint = (ratings_fingerprint_t){numbers[0], numbers[1], (uint32_t)numbers[2]};
    return true;
}

void store_print_fingerprint(char text[STORE_VALUE_SIZE], const ratings_fingerprint_t *fingerprint)
{
    text[0] = '\0';
    if (fingerprint->offset >= 0)
        (void)snprintf(text, STORE_VALUE_SIZE, "%" PRId64 ":%" PRId64 ":%" PRIu32,
                       fingerprint->offset, fingerprint->timestamp, fingerprint->checksum);
}

uint16_t ratings_log_id(const ratings_fingerprint_t *first)
{
    if (first->offset == RATINGS_FINGERPRINT_NONE)
        return 0;
    if (first->offset == RATINGS_FINGERPRINT_EMPTY)
        return RATINGS_LOG_ID_EMPTY;
    uint64_t mixed = ((uint64_t)first->timestamp << 20) ^ (uint64_t)first->offset ^ first->checksum;
    return (uint16_t)(2 + mixed % 65521); /* a prime: each bit takes part */
}

/* ---- the electorate that stands ---- */

bool store_read_standing(const redisReply *reply, ratings_standing_t *standing)
{
    const char *text = reply->str;
    return is_whole_text(reply) && read_part(&text, 0, &standing->offset) &&
           read_part(&text, -1, &standing->timestamp) &&
           ratings_electorate_parse(text, strlen(text), &standing->electorate);
}

void store_print_standing(char text[STORE_VALUE_SIZE], const ratings_standing_t *standing)
{
    text[0] = '\0';
    if (standing->electorate.name[0])
        (void)snprintf(text, STORE_VALUE_SIZE, "%" PRId64 ":%" PRId64 ":%s", standing->offset,
                       standing->timestamp, standing->electorate.name);
}

/* ---- uses of idempotency keys ---- */

bool store_read_use(const redisReply *reply, ratings_use_t *use)
{
    static const int64_t min[] = {RATINGS_VALUE_NONE, 0, 0};
    int64_t numbers[3];
    *use = (ratings_use_t){.offset = -1};
    if (reply->type == REDIS_REPLY_NIL)
        return true;
    if (!store_is_text(reply) || !read_triple(reply, min, numbers) ||
        numbers[0] > RATINGS_VALUE_MAX)
        return false;
    *use =
        (ratings_use_t){.offset = numbers[2], .expires_ms = numbers[1], .value = (int)numbers[0]};
    return true;
}

void store_print_use(char text[STORE_VALUE_SIZE], const ratings_use_t *use)
{
    (void)snprintf(text, STORE_VALUE_SIZE, "%d:%" PRId64 ":%" PRId64, use->value, use->expires_ms,
                   use->offset);
}
