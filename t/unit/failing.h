/* Calls that fail on purpose: of those that may fail (failing.c and its like name them, MAY_FAIL)
 * the one that a test chooses. Only what the program's own objects call fails, within a library
 * nothing does.
 *
 *     failing_begin(3);                  the third call from here on
 *     good = schedule_read(...);
 *     was_reached = failing_end();       false: there were fewer
 *
 * A makefile links it by $(call failing,...). Any thread. */
#ifndef RATINGS_T_FAILING_H
#define RATINGS_T_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* From now on; nothing fails again after that. */
void failing_begin(size_t call);

/* No call fails any more. Whether the chosen one was reached. */
bool failing_end(void);

/* For MAY_FAIL: whether this call is the chosen one; it is called `name`. */
bool failing_now(const char *name);

/* The name of the call that failed; NULL: none has. */
const char *failing_name(void);

/* The linker puts it in the place of what libraries refer to as well, though they go on as before.
 */
#define FAILING_SEEN __attribute__((visibility("default")))

/* Defines the function that the linker's --wrap=NAME puts in the place of `name`. */
#define MAY_FAIL(name, type, result, parameters, arguments)                                        \
    type real_##name parameters __asm__("__real_" #name);                                          \
    FAILING_SEEN type failing_##name parameters __asm__("__wrap_" #name);                          \
    type failing_##name parameters                                                                 \
    {                                                                                              \
        return failing_now(#name) ? (result) : real_##name arguments;                              \
    }

#endif
