#include "form.h"

#include "number.h"

#include <string.h>

typedef struct {
    const char *text;
    size_t len;
} slice_t;

bool ratings_form_well_formed(const char *form, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (form[i] == '%' && (len - i < 3 || ratings_hex_digit(form[i + 1]) < 0 ||
                               ratings_hex_digit(form[i + 2]) < 0))
            return false;
    return true;
}

/* Returns the text before the first `separator`, or all of it; `*rest` begins after the separator.
 */
static slice_t split_at(slice_t *rest, char separator)
{
    const char *end = rest->len > 0 ? memchr(rest->text, separator, rest->len) : NULL;
    slice_t head = {rest->text, end ? (size_t)(end - rest->text) : rest->len};
    size_t consumed = head.len + (end ? 1 : 0);

    if (consumed > 0)
        rest->text += consumed;
    rest->len -= consumed;
    return head;
}

/* Removes the first byte of `*encoded`, which is not empty and well formed, and decodes it. */
static char decode_byte(slice_t *encoded)
{
    const char *text = encoded->text;
    size_t used = *text == '%' ? 3 : 1;

    encoded->text += used;
    encoded->len -= used;
    if (*text == '%')
        return (char)(16 * ratings_hex_digit(text[1]) + ratings_hex_digit(text[2]));
    if (*text == '+')
        return ' ';
    return *text;
}

static size_t decode_field(slice_t encoded, char *out, size_t size)
{
    size_t len = 0;

    while (encoded.len > 0) {
        char byte = decode_byte(&encoded);

        if (len < size)
            out[len] = byte;
        len++;
    }
    return len;
}

static bool decodes_to(slice_t encoded, const char *name)
{
    while (encoded.len > 0 && *name != '\0')
        if (decode_byte(&encoded) != *name++)
            return false;
    return encoded.len == 0 && *name == '\0';
}

size_t ratings_form_field(const char *form, size_t len, const char *name, char *out, size_t size,
                          size_t *out_len)
{
    slice_t rest = {form, len};
    size_t found = 0;

    while (rest.len > 0) {
        slice_t value = split_at(&rest, '&');
        slice_t field = split_at(&value, '=');

        if (decodes_to(field, name)) {
            *out_len = decode_field(value, out, size);
            found++;
        }
    }
    return found;
}

size_t ratings_form_fields(const char *form, size_t len)
{
    slice_t rest = {form, len};
    size_t fields = 0;

    while (rest.len > 0)
        fields += split_at(&rest, '&').len > 0;
    return fields;
}
