#include "../payload.h"
#include <unit.h>

#include <jansson.h>

typedef struct {
    const char *name;
    const char *event;
    size_t len;
    const char *answer;  /* to the letter, or NULL and ... */
    const char *problem; /* ... this */
} row_t;

#define HTTP(method) "\"version\":\"2.0\",\"requestContext\":{\"http\":{\"method\":\"" method "\"}}"
#define POST(members) BYTES("{" HTTP("POST") "," members "}")

#define ANSWER(status, headers, body)                                                              \
    "{\"statusCode\":" status ",\"headers\":{" headers "},\"cookies\":[],"                         \
    "\"isBase64Encoded\":false,\"body\":\"" body "\"}"
#define STATISTICS(avg, total)                                                                     \
    ANSWER("200", "\"content-type\":\"application/json\"",                                         \
           "{\\\"avg\\\":" avg ",\\\"totalCount\\\":" total "}"),                                  \
        NULL
#define PROBLEM(status, title, detail)                                                             \
    "{\\\"type\\\":\\\"about:blank\\\",\\\"title\\\":\\\"" title "\\\",\\\"status\\\":" status "," \
    "\\\"detail\\\":\\\"" detail "\\\",\\\"message\\\":\\\"" detail "\\\"}"
#define JSON_PROBLEM "\"content-type\":\"application/problem+json\""
#define BAD(detail) ANSWER("400", JSON_PROBLEM, PROBLEM("400", "Bad Request", detail)), NULL
#define NOT_ALLOWED                                                                                \
    ANSWER("405", JSON_PROBLEM ",\"allow\":\"POST\"",                                              \
           PROBLEM("405", "Method Not Allowed", "only POST is allowed")),                          \
        NULL
#define FAILS(problem) NULL, problem

static row_t rows[] = {
    {"the contract's example is answered",
     POST("\"body\":\"{\\\"ratings\\\":{\\\"0\\\":10,\\\"1\\\":20,\\\"2\\\":30,\\\"3\\\":40,"
          "\\\"4\\\":50,\\\"5\\\":60}}\",\"isBase64Encoded\":false"),
     STATISTICS("3.3333333333333335", "210")},
    {"a body in base64 is decoded",
     POST("\"body\":\"eyJyYXRpbmdzIjp7IjMiOjEsIjUiOjd9fQ==\",\"isBase64Encoded\":true"),
     STATISTICS("4.75", "8")},
    {"without isBase64Encoded the body is text",
     POST("\"body\":\"{\\\"ratings\\\":{\\\"5\\\":1}}\""), STATISTICS("5", "1")},
    {"an empty histogram is answered", POST("\"body\":\"{\\\"ratings\\\":{}}\""),
     STATISTICS("0", "0")},

    {"a body that is not JSON is a 400", POST("\"body\":\"hello\""), BAD("the JSON is malformed")},
    {"an empty body is a 400", POST("\"body\":\"\""), BAD("the JSON is malformed")},
    {"an empty body in base64 is a 400", POST("\"body\":\"\",\"isBase64Encoded\":true"),
     BAD("the JSON is malformed")},
    {"no body is a 400", POST("\"isBase64Encoded\":false"), BAD("the JSON is malformed")},
    {"a body null is a 400", POST("\"body\":null"), BAD("the JSON is malformed")},
    {"a body that is no string is a 400", POST("\"body\":{\"ratings\":{}}"),
     BAD("the JSON is malformed")},
    {"a body with a NUL is a 400", POST("\"body\":\"{\\u0000}\""),
     BAD("the JSON has a NUL character")},
    {"a NUL after the body is a 400", POST("\"body\":\"{\\\"ratings\\\":{}}\\u0000\""),
     BAD("the JSON has a NUL character")},
    {"wrong base64 is a 400", POST("\"body\":\"eyJ\",\"isBase64Encoded\":true"),
     BAD("the body is not valid base64")},
    {"text that is said to be base64 is a 400",
     POST("\"body\":\"{\\\"ratings\\\":{}}\",\"isBase64Encoded\":true"),
     BAD("the body is not valid base64")},
    {"base64 that is not said to be is a 400",
     POST("\"body\":\"eyJyYXRpbmdzIjp7fX0=\",\"isBase64Encoded\":false"),
     BAD("the JSON is malformed")},
    {"a bad bucket is a 400", POST("\"body\":\"{\\\"ratings\\\":{\\\"x\\\":1}}\""),
     BAD("a bucket's name is not a decimal number")},
    {"a bad count is a 400", POST("\"body\":\"{\\\"ratings\\\":{\\\"5\\\":-1}}\""),
     BAD("a bucket's count is not an integer of at least 0")},

    {"GET is a 405", BYTES("{" HTTP("GET") "}"), NOT_ALLOWED},
    {"HEAD is a 405", BYTES("{" HTTP("HEAD") "}"), NOT_ALLOWED},
    {"OPTIONS is a 405", BYTES("{" HTTP("OPTIONS") "}"), NOT_ALLOWED},
    {"PUT with a good body is a 405", BYTES("{" HTTP("PUT") ",\"body\":\"{\\\"ratings\\\":{}}\"}"),
     NOT_ALLOWED},
    {"post in small letters is a 405", BYTES("{" HTTP("post") "}"), NOT_ALLOWED},

    {"a direct invocation is answered plainly", BYTES("{\"ratings\":{\"3\":1,\"5\":7}}"),
     "{\"avg\":4.75,\"totalCount\":8}", NULL},
    {"a direct invocation with a bad bucket fails", BYTES("{\"ratings\":{\"x\":7}}"),
     FAILS("a bucket's name is not a decimal number")},
    {"a direct invocation without ratings fails", BYTES("{}"),
     FAILS("ratings is missing or not an object")},
    {"a direct invocation with a member twice fails", BYTES("{\"ratings\":{},\"ratings\":{}}"),
     FAILS("the JSON has an object with the same member twice")},

    {"an empty event fails", BYTES(""), FAILS("the event is not a JSON object")},
    {"an event that is not JSON fails", BYTES("{\"requestContext\":"),
     FAILS("the event is not a JSON object")},
    {"an event that is a list fails", BYTES("[]"), FAILS("the event is not a JSON object")},
    {"an event that is null fails", BYTES("null"), FAILS("the event is not a JSON object")},
    {"a request without method fails", BYTES("{\"requestContext\":{\"http\":{}}}"),
     FAILS("the event is not a function URL request of payload format 2.0")},
    {"a request of payload format 1.0 fails",
     BYTES("{\"version\":\"1.0\",\"httpMethod\":\"POST\",\"requestContext\":{\"stage\":\"x\"}}"),
     FAILS("the event is not a function URL request of payload format 2.0")},
    {"a context that is no object fails", BYTES("{\"requestContext\":7}"),
     FAILS("the event is not a function URL request of payload format 2.0")},
};

static void answers(void **state)
{
    const row_t *row = *state;
    char *event = unit_copy(row->event, row->len);
    const char *problem;
    char *answer = lambda_payload_answer(event, row->len, &problem);

    free(event);
    assert_problem(problem, row->problem);
    if (row->answer)
        assert_string_equal(answer, row->answer);
    else
        assert_null(answer);
    free(answer);
}

/* The member of an event as AWS documents it, with all that the function does not look at. */
static void answers_an_event_of_aws(void **state)
{
    static const char event[] =
        "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/\",\"rawQueryString\":"
        "\"a=1&a=2\",\"cookies\":[\"c=1\"],\"headers\":{\"content-type\":\"application/json\","
        "\"host\":\"x.lambda-url.eu-central-1.on.aws\"},\"queryStringParameters\":{\"a\":\"1,2\"},"
        "\"requestContext\":{\"accountId\":\"anonymous\",\"apiId\":\"x\",\"authorizer\":{\"iam\":"
        "{\"accessKey\":\"A\"}},\"domainName\":\"x\",\"http\":{\"method\":\"POST\",\"path\":\"/\","
        "\"protocol\":\"HTTP/1.1\",\"sourceIp\":\"192.0.2.1\",\"userAgent\":\"agent\"},"
        "\"requestId\":\"id\",\"routeKey\":\"$default\",\"stage\":\"$default\",\"time\":"
        "\"12/Mar/2020:19:03:58 +0000\",\"timeEpoch\":1583348638390},\"body\":"
        "\"{\\\"ratings\\\":{\\\"5\\\":2}}\",\"pathParameters\":null,\"isBase64Encoded\":false,"
        "\"stageVariables\":null}";
    const char *problem;
    char *answer = lambda_payload_answer(event, sizeof event - 1, &problem);

    (void)state;
    assert_problem(problem, NULL);
    assert_string_equal(answer, ANSWER("200", "\"content-type\":\"application/json\"",
                                       "{\\\"avg\\\":5,\\\"totalCount\\\":2}"));
    free(answer);
}

static size_t left;

static void *limited_malloc(size_t size)
{
    if (left == 0)
        return NULL;
    left--;
    return malloc(size);
}

/* At each allocation in turn: an answer of some kind or a problem, no crash, no leak. */
static void survives_without_memory(void **state)
{
    size_t allocations = 0;
    bool answered;

    (void)state;
    json_set_alloc_funcs(limited_malloc, free);
    do {
        const char *problem;
        char *answer;

        left = allocations++;
        answer = lambda_payload_answer(rows[0].event, rows[0].len, &problem);
        assert_true((answer == NULL) == (problem != NULL));
        answered = answer && strcmp(answer, rows[0].answer) == 0;
        free(answer);
    } while (!answered && allocations < 1000);
    json_set_alloc_funcs(malloc, free);
    assert_true(answered);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, answers, ROWS(rows));
    unit_add(&suite, "an event as AWS sends it is answered", answers_an_event_of_aws, NULL);
    unit_add(&suite, "memory that runs out is survived", survives_without_memory, NULL);
    return unit_run("payload", &suite);
}
