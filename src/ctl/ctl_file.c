#include "ctl_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_STEP ((size_t)64 * 1024)

/* One byte more than `size` is read, to know that there is one. */
static char *read_whole(FILE *file, const char *path, size_t size, size_t *len,
                        audit_failure_t *why)
{
    char *text = NULL;
    size_t room = 0, got;
    *len = 0;
    do {
        if (room - *len < 2) {
            char *more = realloc(text, room + FILE_STEP);
            if (!more) {
                (void)audit_no_memory(why);
                free(text);
                return NULL;
            }
            text = more;
            room += FILE_STEP;
        }
        got = fread(text + *len, 1, room - *len - 1, file);
        *len += got;
    } while (got > 0 && *len <= size);
    if (ferror(file))
        (void)audit_fail(why, "%s cannot be read: %s", path, strerror(errno));
    else if (*len > size)
        (void)audit_fail(why, "%s is larger than %zu MiB", path, size >> 20);
    else {
        text[*len] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

char *ctl_file_read(const char *path, size_t size, size_t *len, audit_failure_t *why)
{
    bool is_standard = strcmp(path, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(path, "rbe");
    if (!file) {
        (void)audit_fail(why, "%s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    char *text = read_whole(file, is_standard ? "standard input" : path, size, len, why);
    if (!is_standard)
        (void)fclose(file);
    return text;
}
