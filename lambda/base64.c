#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

/* Four digits, of which the last `padding` (0, 1, 2) are '=', make three bytes less `padding`. */
static bool decode_group(const char *text, size_t padding, char *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? digit(text[i]) : 0;

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3 - padding; i++)
        out[i] = (char)(bits >> (16 - 8 * i) & 0xFF);
    return (bits & ((1U << 8 * padding) - 1)) == 0;
}

static size_t padding_of(const char *text, size_t len)
{
    if (len == 0 || text[len - 1] != '=')
        return 0;
    return text[len - 2] == '=' ? 2 : 1;
}

static bool decode_all(const char *text, size_t len, size_t padding, char *out)
{
    for (size_t i = 0; i < len; i += 4, out += 3)
        if (!decode_group(text + i, i + 4 == len ? padding : 0, out))
            return false;
    return true;
}

bool lambda_base64_decode(const char *text, size_t len, char **out, size_t *out_len)
{
    size_t padding;

    *out = NULL;
    if (len % 4 != 0)
        return false;
    padding = padding_of(text, len);
    *out_len = len / 4 * 3 - padding;
    *out = malloc(*out_len + 1);
    if (*out && decode_all(text, len, padding, *out))
        return true;
    free(*out);
    *out = NULL;
    return false;
}
