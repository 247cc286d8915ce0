#include "aws_credentials.h"

#include "json.h"

#include <string.h>
#include <time.h>

#define US_PER_SECOND INT64_C(1000000)

ratings_aws_age_e ratings_aws_credentials_age(const ratings_aws_credentials_t *credentials,
                                              int64_t now)
{
    if (credentials->expires_at <= now)
        return RATINGS_AWS_EXPIRED;
    return credentials->expires_at - now <= RATINGS_AWS_DUE_US ? RATINGS_AWS_DUE
                                                               : RATINGS_AWS_FRESH;
}

/* Each of them becomes a part of a header. */
static bool copy_visible(const char *text, char *to, size_t size)
{
    size_t length = strlen(text);
    if (length >= size)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    memcpy(to, text, length + 1);
    return true;
}

const char *ratings_aws_credentials_set(const char *key_id, const char *secret, const char *token,
                                        ratings_aws_credentials_t *out)
{
    if (!key_id || !key_id[0])
        return "there is no access key id";
    if (!secret || !secret[0])
        return "there is no secret access key";
    if (!copy_visible(key_id, out->key_id, sizeof out->key_id))
        return "the access key id is none";
    if (!copy_visible(secret, out->secret, sizeof out->secret))
        return "the secret access key is none";
    if (!copy_visible(token ? token : "", out->token, sizeof out->token))
        return "the session token is none";
    out->expires_at = INT64_MAX;
    return NULL;
}

/* ---- answers of metadata services ---- */

/* A time of ISO 8601 in UTC, as AWS writes it: 2026-11-30T12:00:00Z, maybe with a fraction, which
 * is left out. */
static bool read_time(const char *text, int64_t *us)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest && *rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (!rest || strcmp(rest, "Z") != 0)
        return false;
    *us = (int64_t)timegm(&parts) * US_PER_SECOND;
    return true;
}

static const char *string_member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static const char *take_answer_keys(const json_t *answer, ratings_aws_credentials_t *out)
{
    const char *code = string_member(answer, "Code"),
               *expiration = string_member(answer, "Expiration");
    if (code && strcmp(code, "Success") != 0)
        return "its Code is not Success";
    const char *problem = ratings_aws_credentials_set(string_member(answer, "AccessKeyId"),
                                                      string_member(answer, "SecretAccessKey"),
                                                      string_member(answer, "Token"), out);
    if (!problem && expiration && !read_time(expiration, &out->expires_at))
        return "its Expiration is no time";
    return problem;
}

const char *ratings_aws_credentials_from_json(const char *text, size_t len,
                                              ratings_aws_credentials_t *out)
{
    json_t *answer;
    const char *problem = ratings_json_read(text, len, &answer);
    if (!problem)
        problem = take_answer_keys(answer, out);
    json_decref(answer);
    return problem;
}

/* ---- the shared credentials file ---- */

/* Not by a library: Debian's inih cuts lines at 200 bytes, and iniparser at 1024, where session
 * tokens are longer than both. */

typedef struct {
    const char *bytes;
    size_t length;
} slice_t;

static bool is_blank_of_line(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static slice_t trim(slice_t slice)
{
    while (slice.length > 0 && is_blank_of_line(slice.bytes[0])) {
        slice.bytes++;
        slice.length--;
    }
    while (slice.length > 0 && is_blank_of_line(slice.bytes[slice.length - 1]))
        slice.length--;
    return slice;
}

/* Cuts off what comes before the first `end`, and that itself; all of it, if there is none. */
static slice_t cut(slice_t *rest, char end)
{
    const char *found = rest->length ? memchr(rest->bytes, end, rest->length) : NULL;
    slice_t part = {rest->bytes, found ? (size_t)(found - rest->bytes) : rest->length};
    size_t used = part.length + (found ? 1 : 0);
    *rest = (slice_t){rest->bytes + used, rest->length - used};
    return part;
}

static bool slice_is(slice_t slice, const char *word)
{
    return slice.length == strlen(word) && memcmp(slice.bytes, word, slice.length) == 0;
}

/* [name] */
static bool is_section(slice_t line, slice_t *name)
{
    if (line.length < 2 || line.bytes[0] != '[' || line.bytes[line.length - 1] != ']')
        return false;
    *name = trim((slice_t){line.bytes + 1, line.length - 2});
    return true;
}

/* The settings of a profile that are of interest, as texts: what is too long is kept as "" with the
 * problem. */
typedef struct {
    char key_id[RATINGS_AWS_KEY_ID_MAX + 1];
    char secret[RATINGS_AWS_SECRET_MAX + 1];
    char token[RATINGS_AWS_TOKEN_MAX + 1];
    const char *problem;
} profile_t;

static void keep(profile_t *profile, slice_t value, char *to, size_t size)
{
    if (value.length >= size || memchr(value.bytes, '\0', value.length)) {
        profile->problem = "a value of the profile is too long, or no text";
        return;
    }
    memcpy(to, value.bytes, value.length);
    to[value.length] = '\0';
}

static void read_setting(profile_t *profile, slice_t line)
{
    slice_t rest = line, name = trim(cut(&rest, '=')), value = trim(rest);
    if (slice_is(name, "aws_access_key_id"))
        keep(profile, value, profile->key_id, sizeof profile->key_id);
    else if (slice_is(name, "aws_secret_access_key"))
        keep(profile, value, profile->secret, sizeof profile->secret);
    else if (slice_is(name, "aws_session_token"))
        keep(profile, value, profile->token, sizeof profile->token);
}

static bool is_comment(slice_t line)
{
    return line.length == 0 || line.bytes[0] == '#' || line.bytes[0] == ';';
}

/* Returns whether there is such a profile. */
static bool read_profile(slice_t rest, const char *wanted, profile_t *profile)
{
    bool is_inside = false, is_found = false;
    while (rest.length > 0) {
        slice_t line = trim(cut(&rest, '\n')), name;
        if (is_section(line, &name)) {
            is_inside = slice_is(name, wanted);
            is_found |= is_inside;
        } else if (is_inside && !is_comment(line)) {
            read_setting(profile, line);
        }
    }
    return is_found;
}

const char *ratings_aws_credentials_from_profile(const char *text, size_t len, const char *wanted,
                                                 ratings_aws_credentials_t *out, bool *is_found)
{
    profile_t profile = {0};
    *is_found = read_profile((slice_t){text, len}, wanted, &profile);
    const char *problem = profile.problem;
    if (!problem && *is_found)
        problem = ratings_aws_credentials_set(profile.key_id, profile.secret, profile.token, out);
    explicit_bzero(&profile, sizeof profile);
    return problem;
}
