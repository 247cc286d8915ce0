#ifndef RATINGS_T_SLOW_RESOLVER_H
#define RATINGS_T_SLOW_RESOLVER_H

/* A name whose server does not answer for SLOW_SECONDS. */
#define SLOW_NAME "slow.invalid"
#define SLOW_SECONDS 2

/* A name with two addresses. */
#define TWO_NAME "two.invalid"
#define TWO_FIRST "127.0.0.2"
#define TWO_SECOND "127.0.0.1"

#endif
