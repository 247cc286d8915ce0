#include "payload.h"

#include "../src/core/histogram.h"
#include "../src/core/json.h"
#include "base64.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char no_memory[] = "memory ran out";

/* Takes over `body`, the text of the response's own body, NULL when memory ran out. */
static char *respond(int status, json_t *headers, char *body)
{
    json_t *response =
        body ? json_pack("{s:i, s:O, s:[], s:b, s:s}", "statusCode", status, "headers", headers,
                         "cookies", "isBase64Encoded", 0, "body", body)
             : NULL;
    char *text = ratings_json_dump(response, JSON_COMPACT);

    json_decref(response);
    json_decref(headers);
    free(body);
    return text;
}

static char *respond_problem(int status, const char *title, const char *detail, json_t *headers)
{
    json_t *problem = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", "about:blank", "title", title,
                                "status", status, "detail", detail, "message", detail);
    char *body = ratings_json_dump(problem, JSON_COMPACT);

    json_decref(problem);
    return respond(status, headers, body);
}

static const char problem_type[] = "application/problem+json";

static char *bad_request(const char *detail)
{
    return respond_problem(400, "Bad Request", detail,
                           json_pack("{s:s}", "content-type", problem_type));
}

static char *method_not_allowed(void)
{
    return respond_problem(405, "Method Not Allowed", "only POST is allowed",
                           json_pack("{s:s, s:s}", "content-type", problem_type, "allow", "POST"));
}

static char *statistics(const char *body, size_t len)
{
    char *reply;
    const char *problem = ratings_statistics_answer(body, len, &reply);

    if (problem)
        return bad_request(problem);
    return respond(200, json_pack("{s:s}", "content-type", "application/json"), reply);
}

static char *statistics_of_base64(const char *text, size_t len)
{
    char *body, *response;
    size_t body_len;

    if (!lambda_base64_decode(text, len, &body, &body_len))
        return bad_request("the body is not valid base64");
    response = statistics(body, body_len);
    free(body);
    return response;
}

/* A request without a body has no such member, or null. */
static char *answer_request(const json_t *event, const char *method)
{
    const json_t *body = json_object_get(event, "body");
    const char *text = json_is_string(body) ? json_string_value(body) : "";
    size_t len = json_string_length(body);

    if (strcmp(method, "POST") != 0)
        return method_not_allowed();
    if (json_is_true(json_object_get(event, "isBase64Encoded")))
        return statistics_of_base64(text, len);
    return statistics(text, len);
}

static char *answer_url(const json_t *event, const json_t *context, const char **problem)
{
    const json_t *http = json_object_get(context, "http");
    const char *method = json_string_value(json_object_get(http, "method"));
    char *response;

    *problem = "the event is not a function URL request of payload format 2.0";
    if (!method)
        return NULL;
    response = answer_request(event, method);
    *problem = response ? NULL : no_memory;
    return response;
}

/* The text is read again, with the strictness of the statistics. */
static char *answer_direct(const char *event, size_t len, const char **problem)
{
    char *reply;

    *problem = ratings_statistics_answer(event, len, &reply);
    return reply;
}

char *lambda_payload_answer(const char *event, size_t len, const char **problem)
{
    /* A client may well put a NUL into its body: that is a 400, so the event must be readable. */
    json_t *object = json_loadb(len > 0 ? event : "", len, JSON_ALLOW_NUL, NULL);
    const json_t *context = json_object_get(object, "requestContext");
    char *answer = NULL;

    *problem = "the event is not a JSON object";
    if (context)
        answer = answer_url(object, context, problem);
    else if (json_is_object(object))
        answer = answer_direct(event, len, problem);
    json_decref(object);
    return answer;
}
