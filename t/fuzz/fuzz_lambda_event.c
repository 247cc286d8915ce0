/* What AWS invokes the function with: the answer to a request is a response of payload format 2.0,
 * to anything else statistics or a problem. */
#include "../../lambda/base64.h"
#include "../../lambda/payload.h"
#include "fuzz.h"

#include <jansson.h>

#include <string.h>

static void check_response(const json_t *response, const json_t *status)
{
    json_t *body = json_loads(json_string_value(json_object_get(response, "body")),
                              JSON_REJECT_DUPLICATES, NULL);
    json_int_t code = json_integer_value(status);
    MUST(code == 200 || code == 400 || code == 405);
    MUST(json_is_object(json_object_get(response, "headers")));
    MUST(json_is_object(body));
    MUST(!json_object_get(body, "totalCount") == (code != 200));
    json_decref(body);
}

static void check_answer(const char *text)
{
    json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const json_t *status = json_object_get(answer, "statusCode");
    MUST(json_is_object(answer));
    if (status)
        check_response(answer, status);
    else
        MUST(json_is_integer(json_object_get(answer, "totalCount")));
    json_decref(answer);
}

static void check_base64(const char *text, size_t len)
{
    char *bytes;
    size_t size;
    if (lambda_base64_decode(text, len, &bytes, &size))
        MUST(len % 4 == 0 && size <= len / 4 * 3 && size + 3 > len / 4 * 3);
    else
        MUST(!bytes);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *problem;
    char *answer = lambda_payload_answer((const char *)data, size, &problem);
    MUST(!answer == !!problem);
    MUST(!problem || !strpbrk(problem, "\"\\"));
    if (answer)
        check_answer(answer);
    free(answer);
    check_base64((const char *)data, size);
    return 0;
}
