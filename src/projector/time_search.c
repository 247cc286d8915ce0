#include "time_search.h"

/* The year 2200, which also fits 63 bits of nanoseconds, should a broker count in these. Kafka 4
 * takes no record of more than an hour ahead (message.timestamp.after.max.ms). */
#define NEVER INT64_C(7258118400000)

void time_search_init(time_search_t *search, const ratings_projector_options_t *options,
                      apr_interval_time_t timeout)
{
    *search = (time_search_t){options, timeout, false};
}

static bool is_any_another_log(const ratings_fingerprint_t *first, const partition_t *partition,
                               int count)
{
    bool is_any = false;
    for (int i = 0; i < count; i++)
        is_any |= partition_is_another_log(&partition[i], &first[i]);
    return is_any;
}

static void note_misled(time_search_t *search, int i)
{
    search->is_misled = true;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, search->options->server,
                 "RT0321: Kafka names a record of partition %d whatever time it is asked for: a "
                 "recreated topic is known by its end, and by the record applied last, alone",
                 i);
}

/* Those that are named for a time that no record has. */
static apr_status_t check_search(time_search_t *search, int count, apr_pool_t *scratch,
                                 ratings_result_t *why)
{
    int64_t *times = apr_palloc(scratch, (size_t)count * sizeof *times);
    int64_t *offsets = apr_palloc(scratch, (size_t)count * sizeof *offsets);
    for (int i = 0; i < count; i++)
        times[i] = NEVER;
    apr_status_t status = ratings_stream_offsets_after(search->options->stream, count, times,
                                                       search->timeout, offsets, why);
    for (int i = 0; i < count && status == APR_SUCCESS && !search->is_misled; i++)
        if (offsets[i] >= 0)
            note_misled(search, i);
    return status;
}

static apr_status_t ask(const time_search_t *search, const ratings_fingerprint_t *first,
                        partition_t *partition, int count, apr_pool_t *scratch,
                        ratings_result_t *why)
{
    int64_t *times = apr_palloc(scratch, (size_t)count * sizeof *times);
    int64_t *offsets = apr_palloc(scratch, (size_t)count * sizeof *offsets);
    for (int i = 0; i < count; i++)
        times[i] = first[i].offset >= 0 ? first[i].timestamp : -1;
    apr_status_t status = ratings_stream_offsets_after(search->options->stream, count, times,
                                                       search->timeout, offsets, why);
    for (int i = 0; i < count && status == APR_SUCCESS; i++)
        partition[i].younger = offsets[i];
    return status;
}

apr_status_t time_search_younger(time_search_t *search, const ratings_fingerprint_t *first,
                                 partition_t *partition, int count, apr_pool_t *scratch,
                                 ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    if (!search->is_misled)
        status = ask(search, first, partition, count, scratch, why);
    if (status == APR_SUCCESS && !search->is_misled && is_any_another_log(first, partition, count))
        status = check_search(search, count, scratch, why);
    for (int i = 0; i < count && search->is_misled; i++)
        partition[i].younger = -1;
    return status;
}
