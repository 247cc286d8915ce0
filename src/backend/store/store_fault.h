/* Private to the store: the faults of one command or key each, which follow those that store.h
 * names. Pure functions. */
#ifndef RATINGS_STORE_FAULT_H
#define RATINGS_STORE_FAULT_H

#include "store.h"

#define STORE_FAULT_KEY_DENIED (RATINGS_STORE_DENIED + 1)

/* The fault of a command, by its name in any case, that Redis denies to the service's user; 0: the
 * service does not use it. */
int store_fault_command_denied(const char *name, size_t length);

#endif
