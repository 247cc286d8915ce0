/* Of APR, hiredis and libpq. */
#include "failing.h"

#include <apr_dbd.h>
#include <apr_pools.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <stdint.h>

MAY_FAIL(apr_pool_create_ex, apr_status_t, APR_ENOMEM,
         (apr_pool_t * *pool, apr_pool_t *parent, apr_abortfunc_t stop, apr_allocator_t *from),
         (pool, parent, stop, from))
MAY_FAIL(apr_pool_create_unmanaged_ex, apr_status_t, APR_ENOMEM,
         (apr_pool_t * *pool, apr_abortfunc_t stop, apr_allocator_t *from), (pool, stop, from))
MAY_FAIL(redisConnectFd, redisContext *, NULL, (int fd), (fd))
MAY_FAIL(redisFormatCommandArgv, int64_t, -1,
         (char **out, int count, const char **words, const size_t *lengths),
         (out, count, words, lengths))
MAY_FAIL(redisReaderFeed, int, REDIS_ERR, (redisReader * reader, const char *bytes, size_t length),
         (reader, bytes, length))
MAY_FAIL(PQsetnonblocking, int, -1, (PGconn * connection, int arg), (connection, arg))
MAY_FAIL(PQgetResult, PGresult *, NULL, (PGconn * connection), (connection))
