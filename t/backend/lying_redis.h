/* Answers of Redis that are altered behind hiredis: one part of all that come. Linked with
 * --wrap of redisGetReply and redisGetReplyFromReader. One thread. */
#ifndef RATINGS_T_LYING_REDIS_H
#define RATINGS_T_LYING_REDIS_H

#include <stdbool.h>

/* What comes in the place of the part. */
typedef enum {
    LIE_NOTHING,
    LIE_NEGATIVE,
    LIE_HUGE,
    LIE_WORD,
    LIE_EMPTY,
    LIE_REFUSAL,
    LIE_EMPTY_LIST,
    LIE_SHORTER,
    LIE_KINDS
} lie_e;

/* Of all answers and their elements that come from now on, the one of this number (1: the next). */
void lying_begin(lie_e kind, long part);

/* No more. Whether there were so many. */
bool lying_end(void);

#endif
