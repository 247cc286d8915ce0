#include "ctl_qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN 4 /* modules */
#define SCALE 8  /* pixels of a module, where a page does not say how large the picture is */

const char ctl_qr_head[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" data-generator=\"ratingsctl talks qr\"";

static bool is_dark(const QRcode *code, int x, int y)
{
    return x < code->width && code->data[y * code->width + x] & 1; /* the others say what for */
}

/* A rectangle for each run of dark modules in a row. */
static void draw_row(FILE *out, const QRcode *code, int y)
{
    for (int x = 0, end; x < code->width; x = end) {
        for (end = x + 1; end < code->width && is_dark(code, end, y) == is_dark(code, x, y); end++)
            ;
        if (is_dark(code, x, y))
            (void)fprintf(out, "M%d %dh%dv1h-%dz", x + MARGIN, y + MARGIN, end - x, end - x);
    }
}

static void write_escaped(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '<':
            (void)fputs("&lt;", out);
            break;
        default:
            (void)fputc(*text, out);
        }
}

static void draw(FILE *out, const QRcode *code, const char *text)
{
    int side = code->width + 2 * MARGIN;
    (void)fprintf(out,
                  "%s viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
                  "shape-rendering=\"crispEdges\">\n<title>",
                  ctl_qr_head, side, side, SCALE * side, SCALE * side);
    write_escaped(out, text);
    (void)fprintf(out, "</title>\n<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>\n<path d=\"", side,
                  side);
    for (int y = 0; y < code->width; y++)
        draw_row(out, code, y);
    (void)fputs("\"/>\n</svg>\n", out);
}

char *ctl_qr_svg(const char *text, audit_failure_t *why)
{
    char *svg = NULL;
    size_t len;
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (!code) {
        (void)audit_fail(why, "no QR code can be made of %s: %s", text, strerror(errno));
        return NULL;
    }
    FILE *out = open_memstream(&svg, &len);
    if (out)
        draw(out, code, text);
    QRcode_free(code);
    if (!out || fclose(out) != 0) {
        (void)audit_no_memory(why);
        free(svg);
        return NULL;
    }
    return svg;
}
