/* A process, told from another one that gets its number later: for what a child leaves in shared
 * memory when it is killed. Linux: proc(5). Any thread. */
#ifndef RATINGS_SHM_PROCESS_H
#define RATINGS_SHM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#define RATINGS_PROCESS_BITS 44 /* of the id: its number, and the lower bits of when it started */

/* Of this process; never 0. */
uint64_t ratings_process_self(void);

/* Whether it is gone for certain. A process that waits to be reaped is gone. False when that cannot
 * be told. */
bool ratings_process_is_dead(uint64_t id);

#endif
