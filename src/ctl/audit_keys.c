#include "audit_keys.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MIN 1024

typedef struct audit_key_t {
    const void *talk;
    const char *text; /* behind the structure, but for the one that is searched for */
    ratings_use_t use;
    LIST_ENTRY(audit_key_t) link;
} audit_key_t;

static int compare_keys(const void *a, const void *b)
{
    const audit_key_t *left = a, *right = b;
    if (left->talk != right->talk)
        return (uintptr_t)left->talk < (uintptr_t)right->talk ? -1 : 1;
    return strcmp(left->text, right->text);
}

/* As good as new (see ratings_key_resolve), and the log's time does not go back. */
static bool has_expired(const audit_key_t *key, int64_t log_time)
{
    return key->use.expires_ms <= log_time;
}

static void sweep_expired(audit_keys_t *keys, int64_t log_time)
{
    for (audit_key_t *key = LIST_FIRST(&keys->all), *next; key; key = next) {
        next = LIST_NEXT(key, link);
        if (!has_expired(key, log_time))
            continue;
        LIST_REMOVE(key, link);
        (void)tdelete(key, &keys->tree, compare_keys);
        free(key);
        keys->count--;
    }
    keys->sweep_at = 2 * keys->count > SWEEP_MIN ? 2 * keys->count : SWEEP_MIN;
}

static audit_key_t *insert_key(audit_keys_t *keys, const void *talk, const char *text)
{
    size_t len = strlen(text);
    audit_key_t *key = malloc(sizeof *key + len + 1);
    if (!key)
        return NULL;
    *key =
        (audit_key_t){.talk = talk, .text = memcpy(key + 1, text, len + 1), .use = {.offset = -1}};
    if (!tsearch(key, &keys->tree, compare_keys)) {
        free(key);
        return NULL;
    }
    LIST_INSERT_HEAD(&keys->all, key, link);
    keys->count++;
    return key;
}

ratings_use_t *audit_keys_use(audit_keys_t *keys, const void *talk, const char *text,
                              int64_t log_time)
{
    const audit_key_t wanted = {.talk = talk, .text = text};
    audit_key_t *const *found = tfind(&wanted, &keys->tree, compare_keys);
    if (found)
        return &(*found)->use;
    if (keys->count >= keys->sweep_at)
        sweep_expired(keys, log_time);
    audit_key_t *key = insert_key(keys, talk, text);
    return key ? &key->use : NULL;
}

size_t audit_keys_live(const audit_keys_t *keys, int64_t log_time)
{
    size_t live = 0;
    const audit_key_t *key;
    LIST_FOREACH(key, &keys->all, link)
        live += !has_expired(key, log_time);
    return live;
}

void audit_keys_free(audit_keys_t *keys)
{
    sweep_expired(keys, INT64_MAX);
}
