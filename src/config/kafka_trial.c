#include "kafka_trial.h"

#include "../backend/common/deadline.h"
#include "../backend/stream/stream_config.h"

#include <mpm_common.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void discard_log(ratings_stream_log_t *log, int level, const char *text)
{
    (void)log, (void)level, (void)text;
}

static void discard_outage(ratings_stream_log_t *log, const char *broker, const char *text)
{
    (void)log, (void)broker, (void)text;
}

static void discard_broker(ratings_stream_log_t *log, const char *broker)
{
    (void)log, (void)broker;
}

/* ---- the process of its own. Not the parent: librdkafka's threads would not survive its forks,
 * and a handle whose creation fails may leave some behind. ---- */

static void run_trial(server_rec *main, const ratings_config_t *config, apr_pool_t *pool, int out)
{
    ratings_result_t why = {.status = APR_SUCCESS};
    ratings_stream_log_t log = {
        .write = discard_log, .unreachable = discard_outage, .reached = discard_broker};
    ratings_stream_options_t options = {.topic = config->topic,
                                        .kafka = config->kafka,
                                        .timeout = config->stream_timeout,
                                        .log = &log};
    (void)alarm(2 * RATINGS_KAFKA_TRIAL_S);   /* should the parent be gone */
    (void)ap_run_drop_privileges(pool, main); /* who may read a file as root may not do so later */
    (void)ratings_stream_try(&options, pool, &why);
    ssize_t written = write(out, &why, sizeof why);
    _exit(written == (ssize_t)sizeof why ? 0 : 1);
}

/* ---- the parent ---- */

/* The verdict comes in one piece: it is shorter than PIPE_BUF. */
static apr_status_t await_verdict(int in, ratings_result_t *why)
{
    ratings_deadline_t limit = {ratings_monotonic() + apr_time_from_sec(RATINGS_KAFKA_TRIAL_S), -1};
    struct pollfd ready = {in, POLLIN, 0};
    int count;
    do
        count = poll(&ready, 1, ratings_deadline_ms_left(&limit));
    while (count < 0 && errno == EINTR);
    if (count <= 0)
        return ratings_result_set(why, APR_TIMEUP, "no answer within %d s", RATINGS_KAFKA_TRIAL_S);
    if (read(in, why, sizeof *why) != (ssize_t)sizeof *why)
        return ratings_result_set(why, APR_EGENERAL, "the process that tried it has died");
    return why->status;
}

static apr_status_t fork_trial(server_rec *main, const ratings_config_t *config, apr_pool_t *pool,
                               const int ends[2], ratings_result_t *why)
{
    pid_t pid = fork();
    if (pid < 0)
        return ratings_result_set(why, errno, "no process to try it");
    if (pid == 0)
        run_trial(main, config, pool, ends[1]);
    (void)close(ends[1]);
    apr_status_t status = await_verdict(ends[0], why);
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    (void)close(ends[0]);
    return status;
}

apr_status_t ratings_kafka_try(server_rec *main, const ratings_config_t *config, apr_pool_t *pool,
                               ratings_result_t *why)
{
    int ends[2];
    if (apr_is_empty_table(config->kafka)) /* what the module sets itself is refused by none */
        return ratings_result_ok(why);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ratings_result_set(why, errno, "no pipe to try it");
    return fork_trial(main, config, pool, ends, why);
}
