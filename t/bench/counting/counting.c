/* What the metrics of a GET cost that the response cache answers: what it counts
 * (src/http/endpoint.c: one request; src/service/read.c: one look-up), by 1, 2, 4 ... threads at
 * once, as many as there are processors. CPU time of a thread, so that what else runs does not
 * count.
 *
 *   counting NANOSECONDS    exit code 1: it costs more than that */
#include "../../../src/core/clock.h"
#include "../../../src/shm/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GETS 5000000
#define THREADS_MAX 64

typedef struct {
    ratings_metrics_t *metrics;
    double nanoseconds; /* for each GET */
} counter_t;

static double cpu_time(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *count(void *data)
{
    counter_t *counter = data;
    double begun = cpu_time();
    for (int i = 0; i < GETS; i++) {
        ratings_metrics_lookup(counter->metrics, RATINGS_METRIC_CACHE_RESPONSES, true);
        ratings_metrics_request(counter->metrics, 0, RATINGS_METRIC_GET, 200);
    }
    counter->nanoseconds = (cpu_time() - begun) / GETS;
    return NULL;
}

/* Of the thread for which it costs most. */
static double cost(ratings_metrics_t *metrics, int threads)
{
    pthread_t thread[THREADS_MAX];
    counter_t counter[THREADS_MAX];
    double most = 0;
    for (int i = 0; i < threads; i++) {
        counter[i] = (counter_t){.metrics = metrics};
        if (pthread_create(&thread[i], NULL, count, &counter[i]) != 0)
            abort();
    }
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(thread[i], NULL);
        if (counter[i].nanoseconds > most)
            most = counter[i].nanoseconds;
    }
    return most;
}

int main(int argc, char **argv)
{
    double limit = argc > 1 ? strtod(argv[1], NULL) : 0, most = 0;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    ratings_metrics_t *metrics = aligned_alloc(RATINGS_CACHE_LINE, ratings_metrics_size());
    if (!metrics || limit <= 0)
        return 2;
    memset(metrics, 0, ratings_metrics_size());
    ratings_metrics_init(metrics);
    for (int threads = 1; threads <= processors && threads <= THREADS_MAX; threads *= 2) {
        double nanoseconds = cost(metrics, threads);
        printf("%2d threads: %5.1f ns for each cached GET\n", threads, nanoseconds);
        if (nanoseconds > most)
            most = nanoseconds;
    }
    printf("counting: %.1f ns at most, %.0f allowed: %s\n", most, limit,
           most <= limit ? "met" : "MISSED");
    free(metrics);
    return most <= limit ? 0 : 1;
}
