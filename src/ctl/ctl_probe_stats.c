#include "../core/histogram.h"
#include "ctl_probe.h"

#include <curl/curl.h>

#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 65536

typedef struct {
    char bytes[ANSWER_MAX];
    size_t len;
} stats_answer_t;

/* Less than was given ends the transfer with an error. */
static size_t keep_answer(char *bytes, size_t size, size_t count, void *self)
{
    stats_answer_t *answer = self;
    if (size * count > sizeof answer->bytes - answer->len)
        return 0;
    memcpy(answer->bytes + answer->len, bytes, size * count);
    answer->len += size * count;
    return size * count;
}

/* As the service asks: no proxy of the environment, no redirect. */
static void set_request(CURL *handle, const char *url, const char *body, int timeout_ms,
                        const struct curl_slist *headers, stats_answer_t *answer)
{
    (void)curl_easy_setopt(handle, CURLOPT_URL, url);
    (void)curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body);
    (void)curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)curl_easy_setopt(handle, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, keep_answer);
    (void)curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer);
#if LIBCURL_VERSION_NUM >= 0x075500
    (void)curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    (void)curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static bool check_answer(CURL *handle, const stats_answer_t *answer,
                         const ratings_histogram_t *histogram, audit_failure_t *why)
{
    long status = 0;
    ratings_statistics_t statistics;
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return audit_fail(why, "the statistics function: it answered with status %ld", status);
    const char *problem =
        ratings_statistics_from_json(answer->bytes, answer->len, histogram, &statistics);
    return !problem || audit_fail(why, "the statistics function: %s", problem);
}

static bool call_function(CURL *handle, const char *url, int timeout_ms, stats_answer_t *answer,
                          audit_failure_t *why)
{
    const ratings_histogram_t empty = {{0}};
    char *body = ratings_histogram_request(&empty);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    bool good = (body && headers) || audit_no_memory(why);
    if (good) {
        set_request(handle, url, body, timeout_ms, headers, answer);
        CURLcode code = curl_easy_perform(handle);
        good = code ? audit_fail(why, "the statistics function: %s", curl_easy_strerror(code))
                    : check_answer(handle, answer, &empty, why);
    }
    curl_slist_free_all(headers);
    free(body);
    return good;
}

bool ctl_probe_stats(const char *url, int timeout_ms, audit_failure_t *why)
{
    stats_answer_t *answer = calloc(1, sizeof *answer);
    CURL *handle = curl_easy_init();
    bool good = answer && handle ? call_function(handle, url, timeout_ms, answer, why)
                                 : audit_no_memory(why);
    if (handle)
        curl_easy_cleanup(handle);
    free(answer);
    return good;
}
