#include "lying_redis.h"

#include "../unit/failing.h"

#include <hiredis/hiredis.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static lie_e lie;
static long until_lie; /* parts of answers; 0 and below: none */

void lying_begin(lie_e kind, long part)
{
    lie = kind;
    until_lie = part;
}

bool lying_end(void)
{
    bool was_told = until_lie <= 0;
    until_lie = 0;
    return was_told;
}

static void forget_parts(redisReply *reply)
{
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
        freeReplyObject(reply->element[i]);
    free(reply->element);
    free(reply->str);
    *reply = (redisReply){.type = REDIS_REPLY_NIL};
}

static void say(redisReply *reply, int type, const char *text)
{
    reply->type = type;
    reply->str = strdup(text);
    if (!reply->str)
        abort();
    reply->len = strlen(text);
}

static void tell_lie(redisReply *reply)
{
    if (lie == LIE_SHORTER && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0) {
        freeReplyObject(reply->element[--reply->elements]);
        reply->element[reply->elements] = NULL;
        return;
    }
    forget_parts(reply);
    if (lie == LIE_NEGATIVE || lie == LIE_HUGE) {
        reply->type = REDIS_REPLY_INTEGER;
        reply->integer = lie == LIE_HUGE ? INT64_MAX : -7;
    } else if (lie == LIE_WORD || lie == LIE_EMPTY) {
        say(reply, REDIS_REPLY_STRING, lie == LIE_WORD ? "word" : "");
    } else if (lie == LIE_REFUSAL) {
        say(reply, REDIS_REPLY_ERROR, "ERR a lie");
    } else if (lie == LIE_EMPTY_LIST) {
        reply->type = REDIS_REPLY_ARRAY;
    }
}

/* As deep as an answer is. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void walk_answer(redisReply *reply)
{
    if (--until_lie == 0) {
        tell_lie(reply);
        return;
    }
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && until_lie > 0;
         i++)
        walk_answer(reply->element[i]);
}

/* Alters what one of hiredis's functions that hand out answers has found. */
#define LIES(name)                                                                                 \
    int real_##name(redisContext *context, void **reply) __asm__("__real_" #name);                 \
    FAILING_SEEN int lying_##name(redisContext *context, void **reply) __asm__("__wrap_" #name);   \
    int lying_##name(redisContext *context, void **reply)                                          \
    {                                                                                              \
        int result = real_##name(context, reply);                                                  \
        if (result == REDIS_OK && *reply && until_lie > 0)                                         \
            walk_answer(*reply);                                                                   \
        return result;                                                                             \
    }

LIES(redisGetReply)
LIES(redisGetReplyFromReader)
