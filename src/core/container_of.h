/* The struct that holds a given member, such as an item of one of core's queues: typed, so that a
 * member of another type does not compile, and independent of where in the struct it stands.
 *
 *     outgoing_t *event = RATINGS_CONTAINER_OF(item, outgoing_t, item);
 *
 * Instead of a cast of the first member, which goes on compiling when somebody puts another member
 * before it. The pointer must not be NULL. */
#ifndef RATINGS_CORE_CONTAINER_OF_H
#define RATINGS_CORE_CONTAINER_OF_H

#include <stddef.h>

#define RATINGS_CONTAINER_OF(pointer, type, member)                                                \
    ({                                                                                             \
        _Static_assert(__builtin_types_compatible_p(__typeof__(*(pointer)),                        \
                                                    __typeof__(((type *)NULL)->member)),           \
                       "a " #member " of a " #type);                                               \
        (type *)(void *)((char *)(pointer)-offsetof(type, member));                                \
    })

#endif
