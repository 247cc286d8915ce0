/* The layout of what children share: its number, and what keeps the number true.
 *
 * Children of two builds share a segment across a graceful restart only if both have the same
 * layout number and the same sizes: both are part of the name by which a segment is found again
 * (segment.c). A struct that changed without the number would be read with the wrong meaning. */
#ifndef RATINGS_SHM_LAYOUT_H
#define RATINGS_SHM_LAYOUT_H

/* To be raised when a struct, a record of a cache, or the body of an answer changes its meaning. */
#define RATINGS_SHM_LAYOUT 14

/* Stands beside each struct that lives in shared memory: its size, and the layout since which it
 * has that. When it fails, raise RATINGS_SHM_LAYOUT, and write the new size and the new number into
 * the failing line: a change of meaning that leaves the size alone is for its author to notice. */
#define RATINGS_SHM_STRUCT(type, size, layout)                                                     \
    _Static_assert(sizeof(type) == (size),                                                         \
                   #type " lives in shared memory and has changed: raise RATINGS_SHM_LAYOUT");     \
    _Static_assert((layout) <= RATINGS_SHM_LAYOUT, #type ": the layout of that number is to come")

/* Of the processor, in bytes. What many read and what some write stand in lines apart: a write
 * takes the line from the cache of every core that reads it. */
#define RATINGS_CACHE_LINE 64

/* The segment: segment.h. */
typedef struct ratings_shm_t ratings_shm_t;

#endif
