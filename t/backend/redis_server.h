/* A Redis of a test's own on loopback (redis.sh), with what it keeps below /tmp. It ends with the
 * test, however that ends. */
#ifndef RATINGS_T_REDIS_SERVER_H
#define RATINGS_T_REDIS_SERVER_H

#include "../../src/backend/store/store_connection.h"
#include "../../src/backend/store/store_refusal.h"
#include "backend_test.h"

#include <apr_general.h>
#include <apr_strings.h>

static struct {
    char directory[32];
    int port;
    apr_pool_t *pool; /* of the test program */
} redis;

static inline void redis_run(const char *command, const char *arguments, const char *rest)
{
    const char *line = apr_psprintf(redis.pool, "t/backend/redis.sh %s %s %s </dev/null %s",
                                    command, redis.directory, arguments, rest);
    assert_int_equal(system(line), 0);
}

static inline void redis_run_logged(const char *command, const char *arguments)
{
    redis_run(command, arguments, apr_psprintf(redis.pool, ">>%s/log 2>&1", redis.directory));
}

/* `options` of redis-server, as a shell reads them. */
static inline void redis_start(const char *options)
{
    redis_run_logged("start", apr_psprintf(redis.pool, "%d %s", redis.port, options));
}

static inline void redis_stop(void)
{
    redis_run_logged("stop", "");
}

static inline pid_t redis_pid(void)
{
    FILE *file = fopen(apr_pstrcat(redis.pool, redis.directory, "/pid", NULL), "r");
    int pid = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

/* Before all tests of a program, and after. SIGPIPE is ignored, as in httpd. */
static inline void redis_set_up(void)
{
    alarm(TEST_SECONDS);
    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    apr_pool_create(&redis.pool, NULL);
    strcpy(redis.directory, "/tmp/ratings-redis-XXXXXX");
    assert_non_null(mkdtemp(redis.directory));
    redis.port = free_port();
    redis_run("guard", apr_itoa(redis.pool, getpid()), ">/dev/null 2>&1 &");
    redis_start("");
}

static inline void redis_tear_down(void)
{
    redis_stop();
    apr_pool_destroy(redis.pool);
    apr_terminate();
}

/* ---- what is left of a login ---- */

/* The word as a command has it: $5, CR, LF, the word, CR, LF. */
static inline bool is_word_of_command(const char *at, const char *begin, const char *end,
                                      const char *word)
{
    char head[16];
    ptrdiff_t length = (ptrdiff_t)strlen(word);
    ptrdiff_t head_length = snprintf(head, sizeof head, "$%td\r\n", length);
    return at - begin >= head_length && memcmp(at - head_length, head, (size_t)head_length) == 0 &&
           end - at >= length + 2 && memcmp(at + length, "\r\n", 2) == 0;
}

static inline bool region_has_command(const char *begin, const char *end, const char *word)
{
    const char *at = memmem(begin, (size_t)(end - begin), word, strlen(word));
    while (at && !is_word_of_command(at, begin, end, word))
        at = memmem(at + 1, (size_t)(end - at - 1), word, strlen(word));
    return at != NULL;
}

/* Whether a command with this word is anywhere in the memory of this process, heap and stacks; also
 * in what was freed. Of a sanitizer's process, which is too large to be looked through, false. */
static inline bool memory_has_command(const char *word)
{
    bool found = false;
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], rights[8], name[256];
    uintptr_t begin, end;
    assert_non_null(maps);
    while (!found && fgets(line, sizeof line, maps)) {
        int fields = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %*s %*s %*s %255s", &begin, &end,
                            rights, name);
        if (fields >= 3 && strcmp(rights, "rw-p") == 0 && (fields == 3 || name[0] == '['))
            found = region_has_command((const char *)begin, (const char *)end, word);
    }
    (void)fclose(maps);
#else
    (void)word;
#endif
    return found;
}

/* ---- what a store asks of it ---- */

/* One command of words that end in NULL, as the store's own calls are sent. An error reply is a
 * failure: `*reply` is set only on APR_SUCCESS. */
static inline __attribute__((sentinel)) apr_status_t
store_command(ratings_store_t *store, redisReply **reply, int64_t deadline, ratings_result_t *why,
              const char *word, ...)
{
    const char *argv[16];
    size_t argvlen[16];
    store_command_t command = {.argv = argv, .argvlen = argvlen};
    va_list words;
    va_start(words, word);
    for (const char *w = word; w && command.argc < 16; w = va_arg(words, const char *)) {
        argv[command.argc] = w;
        argvlen[command.argc++] = strlen(w);
    }
    va_end(words);
    apr_status_t status = store_pipeline(store, &command, 1, reply, deadline, why);
    if (status == APR_SUCCESS && (*reply)->type == REDIS_REPLY_ERROR) {
        status = store_error_reply(*reply, why);
        freeReplyObject(*reply);
        *reply = NULL;
    }
    return status;
}

#endif
