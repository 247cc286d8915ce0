#include "runtime.h"

#include "pause.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ADDRESS_MAX 255
#define URL_MAX (ADDRESS_MAX + LAMBDA_REQUEST_ID_MAX + 64)
#define CONNECT_TIMEOUT_MS 2000L
#define POST_TIMEOUT_MS 10000L
#define POST_TRIES 4
#define ERROR_BODY_MAX 1024

struct lambda_runtime_t {
    char address[ADDRESS_MAX + 1];
    CURL *curl;
    struct curl_slist *headers;
    char why[CURL_ERROR_SIZE]; /* libcurl's words for what failed */
    unsigned failures;         /* of `next`, in a row */
};

/* What does not fit is left empty, rather than cut into something else. */
__attribute__((format(printf, 3, 4))) static void print(char *out, size_t size, const char *format,
                                                        ...)
{
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(out, size, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= size)
        out[0] = '\0';
}

lambda_runtime_t *lambda_runtime_open(const char *address)
{
    lambda_runtime_t *runtime = calloc(1, sizeof *runtime);

    if (!runtime)
        return NULL;
    print(runtime->address, sizeof runtime->address, "%s", address);
    runtime->curl = curl_easy_init();
    runtime->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (runtime->address[0] != '\0' && runtime->curl && runtime->headers)
        return runtime;
    lambda_runtime_close(runtime);
    return NULL;
}

void lambda_runtime_close(lambda_runtime_t *runtime)
{
    curl_easy_cleanup(runtime->curl);
    curl_slist_free_all(runtime->headers);
    free(runtime);
}

/* libcurl sets no bound of its own on what it is sent, and writes what nobody takes to stdout. */
static size_t discard(char *bytes, size_t size, size_t count, void *unused)
{
    (void)bytes;
    (void)unused;
    return size * count;
}

/* The options are set anew for each call; the connection stays. */
static void prepare(lambda_runtime_t *runtime, const char *path)
{
    CURL *curl = runtime->curl;
    char url[URL_MAX];

    print(url, sizeof url, "http://%s/2018-06-01/runtime/%s", runtime->address, path);
    runtime->why[0] = '\0';
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, runtime->why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
}

/* The HTTP status, or 0 when there was none. */
static long perform(lambda_runtime_t *runtime)
{
    CURLcode code = curl_easy_perform(runtime->curl);
    long status = 0;

    if (code == CURLE_OK)
        curl_easy_getinfo(runtime->curl, CURLINFO_RESPONSE_CODE, &status);
    else if (runtime->why[0] == '\0')
        print(runtime->why, sizeof runtime->why, "%s", curl_easy_strerror(code));
    return status;
}

static void report(const lambda_runtime_t *runtime, const char *what, long status)
{
    if (status == 0)
        fprintf(stderr, "runtime API, %s: %s\n", what, runtime->why);
    else
        fprintf(stderr, "runtime API, %s: status %ld\n", what, status);
}

typedef struct {
    lambda_invocation_t *invocation;
    bool too_large;
} receipt_t;

static size_t take_event(char *bytes, size_t size, size_t count, void *data)
{
    receipt_t *receipt = data;

    if (!receipt->too_large &&
        !lambda_buffer_append(&receipt->invocation->event, bytes, size * count))
        receipt->too_large = true;
    return size * count;
}

/* Letters, digits and hyphens, since it becomes a part of a URL. */
static void set_id(lambda_invocation_t *invocation, const char *text, size_t len)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

    invocation->id[0] = '\0';
    if (len > LAMBDA_REQUEST_ID_MAX)
        return;
    memcpy(invocation->id, text, len);
    invocation->id[len] = '\0';
    if (strspn(invocation->id, allowed) != len)
        invocation->id[0] = '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t take_header(char *line, size_t size, size_t count, void *data)
{
    static const char name[] = "Lambda-Runtime-Aws-Request-Id:";
    receipt_t *receipt = data;
    size_t begin = sizeof name - 1, end = size * count;

    if (end < begin || strncasecmp(line, name, begin) != 0)
        return end;
    while (begin < end && is_blank(line[begin]))
        begin++;
    while (end > begin && is_blank(line[end - 1]))
        end--;
    set_id(receipt->invocation, line + begin, end - begin);
    return size * count;
}

static lambda_next_t next_by_status(const receipt_t *receipt, long status)
{
    if (status == 204)
        return LAMBDA_NEXT_NONE;
    if (status == 500)
        return LAMBDA_NEXT_BROKEN;
    if (status != 200 || receipt->invocation->id[0] == '\0')
        return LAMBDA_NEXT_FAILED;
    return receipt->too_large ? LAMBDA_NEXT_TOO_LARGE : LAMBDA_NEXT_INVOCATION;
}

static bool is_failure(lambda_next_t next)
{
    return next == LAMBDA_NEXT_FAILED || next == LAMBDA_NEXT_BROKEN;
}

/* The loop asks an unavailable API once a second: one line is logged when it fails, and one when it
 * answers again. */
static void count_failures(lambda_runtime_t *runtime, lambda_next_t next, long status)
{
    if (is_failure(next) && runtime->failures++ == 0)
        report(runtime, "next", status);
    if (is_failure(next) || runtime->failures == 0)
        return;
    fprintf(stderr, "runtime API, next: answers again, after %u failures\n", runtime->failures);
    runtime->failures = 0;
}

lambda_next_t lambda_runtime_next(lambda_runtime_t *runtime, lambda_invocation_t *invocation)
{
    receipt_t receipt = {.invocation = invocation};
    lambda_next_t next;
    long status;

    invocation->id[0] = '\0';
    lambda_buffer_clear(&invocation->event);
    prepare(runtime, "invocation/next");
    curl_easy_setopt(runtime->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(runtime->curl, CURLOPT_HEADERDATA, &receipt);
    curl_easy_setopt(runtime->curl, CURLOPT_WRITEFUNCTION, take_event);
    curl_easy_setopt(runtime->curl, CURLOPT_WRITEDATA, &receipt);
    status = perform(runtime);
    next = next_by_status(&receipt, status);
    count_failures(runtime, next, status);
    return next;
}

static long post_once(lambda_runtime_t *runtime, const char *path, const char *body, size_t len,
                      const struct curl_slist *headers)
{
    prepare(runtime, path);
    curl_easy_setopt(runtime->curl, CURLOPT_TIMEOUT_MS, POST_TIMEOUT_MS);
    curl_easy_setopt(runtime->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(runtime->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(runtime->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    return perform(runtime);
}

/* Only what got no answer is worth another try: a status is the API's last word. */
static bool post(lambda_runtime_t *runtime, const char *path, const char *body, size_t len,
                 const struct curl_slist *headers)
{
    long status = post_once(runtime, path, body, len, headers);

    for (unsigned tries = 1; status == 0 && tries < POST_TRIES; tries++) {
        lambda_pause(lambda_pause_ms(tries));
        status = post_once(runtime, path, body, len, headers);
    }
    if (status / 100 != 2)
        report(runtime, path, status);
    return status / 100 == 2;
}

bool lambda_runtime_respond(lambda_runtime_t *runtime, const char *id, const char *text, size_t len)
{
    char path[LAMBDA_REQUEST_ID_MAX + 32];

    print(path, sizeof path, "invocation/%s/response", id);
    return post(runtime, path, text, len, runtime->headers);
}

static bool post_error(lambda_runtime_t *runtime, const char *path, const char *type,
                       const char *message)
{
    char body[ERROR_BODY_MAX], header[ERROR_BODY_MAX];
    struct curl_slist headers = {.data = header, .next = runtime->headers};

    fprintf(stderr, "%s: %s\n", type, message);
    print(header, sizeof header, "Lambda-Runtime-Function-Error-Type: %s", type);
    print(body, sizeof body, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\",\"stackTrace\":[]}",
          message, type);
    return post(runtime, path, body, strlen(body), &headers);
}

bool lambda_runtime_fail(lambda_runtime_t *runtime, const char *id, const char *type,
                         const char *message)
{
    char path[LAMBDA_REQUEST_ID_MAX + 32];

    print(path, sizeof path, "invocation/%s/error", id);
    return post_error(runtime, path, type, message);
}

bool lambda_runtime_fail_init(lambda_runtime_t *runtime, const char *type, const char *message)
{
    return post_error(runtime, "init/error", type, message);
}
