#include "utf8.h"

typedef struct {
    unsigned char mask, lead; /* a first byte of this form ... */
    unsigned char bytes;      /* ... begins this many bytes */
    int32_t least;            /* smaller code points have a shorter form */
} form_t;

static const form_t forms[] = {
    {0x80, 0x00, 1, 0x0},
    {0xE0, 0xC0, 2, 0x80},
    {0xF0, 0xE0, 3, 0x800},
    {0xF8, 0xF0, 4, 0x10000},
};

#define CODE_POINT_MAX 0x10FFFF
#define SURROGATE_FIRST 0xD800
#define SURROGATE_LAST 0xDFFF

static const form_t *form_of(unsigned char first)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if ((first & forms[i].mask) == forms[i].lead)
            return &forms[i];
    return NULL;
}

static int32_t code_point(const form_t *form, const char *text)
{
    int32_t point = (unsigned char)text[0] & (unsigned char)~form->mask;

    for (size_t i = 1; i < form->bytes; i++) {
        unsigned char byte = (unsigned char)text[i];

        if ((byte & 0xC0) != 0x80)
            return -1;
        point = point << 6 | (byte & 0x3F);
    }
    return point;
}

int32_t ratings_utf8_next(const char *text, size_t len, size_t *used)
{
    const form_t *form = len > 0 ? form_of((unsigned char)*text) : NULL;
    int32_t point;

    if (!form || len < form->bytes)
        return -1;
    point = code_point(form, text);
    if (point < form->least || point > CODE_POINT_MAX)
        return -1;
    if (point >= SURROGATE_FIRST && point <= SURROGATE_LAST)
        return -1;
    *used = form->bytes;
    return point;
}
