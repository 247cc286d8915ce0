#ifndef RATINGS_T_SLOW_RESOLVER_H
#define RATINGS_T_SLOW_RESOLVER_H

#define SLOW_NAME "slow.invalid"
#define SLOW_SECONDS 2

#endif
