/* The shutdown thread of a child: it ends the service when httpd destroys the child's pool.
 *
 * Under prefork, httpd destroys that pool inside its signal handler, when any lock may be held by
 * the code that the signal has interrupted. So the cleanup itself takes no lock: it asks this
 * thread to end everything, and waits for it. If the thread is stuck behind such a lock, or behind
 * a backend, the process exits without it, and without what is registered with atexit()
 * (../backend/common/thread.h). That is harmless: no memory is the pool's, and what is under way in
 * Kafka goes on. */
#ifndef RATINGS_SERVICE_SHUTDOWN_H
#define RATINGS_SERVICE_SHUTDOWN_H

#include <apr_pools.h>

/* What the thread calls, once. */
typedef void ratings_shutdown_fn(void *context);

/* Starts the thread, and registers the cleanup that asks it and waits for two seconds at most:
 * httpd's parent sends signals again after three. APR_SUCCESS, or why there is no thread; then
 * nothing is registered. To be called in child_init. */
apr_status_t ratings_shutdown_register(apr_pool_t *pchild, ratings_shutdown_fn *shut_down,
                                       void *context);

#endif
