/* The statistics of a histogram as an AWS Lambda function: asks the Runtime API for an invocation,
 * answers it, and asks again. No input ends it. */
#include "../src/core/histogram.h"
#include "pause.h"
#include "payload.h"
#include "runtime.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE_PAUSE_MS 10L
#define BROKEN_MAX 5 /* times in a row; an emulator may have a bad moment */

/* The answer that is known by heart shows that core, and the libraries that came with it, work. */
static const char *self_check(void)
{
    static const char request[] =
        "{\"ratings\":{\"0\":10,\"1\":20,\"2\":30,\"3\":40,\"4\":50,\"5\":60}}";
    static const char expected[] = "{\"avg\":3.3333333333333335,\"totalCount\":210}";
    char *reply;
    const char *problem = ratings_statistics_answer(request, sizeof request - 1, &reply);

    if (!problem && strcmp(reply, expected) != 0)
        problem = "the function does not compute what it must";
    free(reply);
    return problem;
}

static void answer(lambda_runtime_t *runtime, const lambda_invocation_t *invocation)
{
    const char *problem;
    char *text = lambda_payload_answer(invocation->event.bytes, invocation->event.len, &problem);

    if (text)
        lambda_runtime_respond(runtime, invocation->id, text, strlen(text));
    else
        lambda_runtime_fail(runtime, invocation->id, "Runtime.BadEvent", problem);
    free(text);
}

static void refuse_too_large(lambda_runtime_t *runtime, const lambda_invocation_t *invocation)
{
    lambda_runtime_fail(runtime, invocation->id, "Runtime.EventTooLarge",
                        "the event is larger than an invocation may be");
}

/* Returns only when the API says so again and again: Lambda then starts another process. */
static void serve(lambda_runtime_t *runtime)
{
    lambda_invocation_t invocation = {.event = {.max = LAMBDA_PAYLOAD_MAX}};
    unsigned failures = 0, broken = 0;

    while (broken < BROKEN_MAX) {
        lambda_next_t next = lambda_runtime_next(runtime, &invocation);

        failures = next == LAMBDA_NEXT_FAILED || next == LAMBDA_NEXT_BROKEN ? failures + 1 : 0;
        broken = next == LAMBDA_NEXT_BROKEN ? broken + 1 : 0;
        if (next == LAMBDA_NEXT_INVOCATION)
            answer(runtime, &invocation);
        else if (next == LAMBDA_NEXT_TOO_LARGE)
            refuse_too_large(runtime, &invocation);
        else
            lambda_pause(failures > 0 ? lambda_pause_ms(failures) : NONE_PAUSE_MS);
    }
    lambda_buffer_free(&invocation.event);
}

static void run(lambda_runtime_t *runtime)
{
    const char *problem = self_check();

    if (problem)
        lambda_runtime_fail_init(runtime, "Runtime.SelfCheck", problem);
    else
        serve(runtime);
}

int main(void)
{
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    lambda_runtime_t *runtime;

    if (!address || *address == '\0') {
        fputs("AWS_LAMBDA_RUNTIME_API is not set: this program is started by AWS Lambda, or by an "
              "emulator of its Runtime API\n",
              stderr);
        return 1;
    }
    curl_global_init(CURL_GLOBAL_NOTHING); /* the Runtime API is plain HTTP: no TLS to set up */
    runtime = lambda_runtime_open(address);
    if (runtime) {
        run(runtime);
        lambda_runtime_close(runtime);
    } else {
        fputs("the client of the Runtime API cannot be set up\n", stderr);
    }
    curl_global_cleanup();
    return 1;
}
