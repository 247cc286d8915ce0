/* RATINGS_ASSERT: what only a mistake in this program can make false, checked at each step of a
 * state machine.
 *
 *     RATINGS_ASSERT(batcher->in_flight > 0);
 *
 * On in sanitized builds (SANITIZE=... defines RATINGS_ASSERTIONS=1), and so in the unit tests and
 * the runs of the service tests that are built so: a condition that does not hold writes file, line
 * and condition to standard error, which httpd makes its error log, and aborts the process, so that
 * the core has the stack of the thread. Off in release builds: the condition is compiled, and not
 * evaluated, so it must not have effects.
 *
 * What a client, a backend or an administrator can bring about is no assertion: it has a status and
 * a log line. Where going on would harm the data, the check stands in the code and is always on.
 *
 * Not assert of <assert.h>: NDEBUG would switch it the other way around, on wherever nobody thinks
 * of it. Not ap_assert or AP_DEBUG_ASSERT: core is plain C, linked by the Lambda and the tool too.
 *
 * Any thread. */
#ifndef RATINGS_CORE_ASSERTION_H
#define RATINGS_CORE_ASSERTION_H

#ifndef RATINGS_ASSERTIONS
#define RATINGS_ASSERTIONS 0
#endif

#define RATINGS_ASSERT(condition)                                                                  \
    (RATINGS_ASSERTIONS && !(condition)                                                            \
         ? ratings_assertion_failed(__FILE__, __LINE__, __func__, #condition)                      \
         : (void)0)

/* Writes one line to standard error, and aborts. */
_Noreturn void ratings_assertion_failed(const char *file, int line, const char *function,
                                        const char *condition);

#endif
