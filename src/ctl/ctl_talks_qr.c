/* ratingsctl talks qr: a directory of QR codes, one for the page of each talk. */
#include "ctl_page.h"
#include "ctl_qr.h"
#include "ctl_talks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CODE_SIZE_MAX ((size_t)1 << 20) /* the largest code is smaller */

static const char suffix[] = ".svg", temporary[] = ".ratingsctl.new";

typedef struct {
    const ctl_talks_t *of;
    const char *path;
    int directory;
    char **names; /* of the files that there have to be */
    size_t count;
} codes_t;

/* ---- one file ---- */

/* What a file of the directory is. */
typedef enum { FILE_NONE, FILE_SAME, FILE_OURS, FILE_FOREIGN } file_e;

/* `svg` NULL: it is the same as none. A file that cannot be read is not ours. */
static file_e examine_file(const codes_t *it, const char *name, const char *svg)
{
    static char text[CODE_SIZE_MAX];
    int file = openat(it->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return errno == ENOENT ? FILE_NONE : FILE_FOREIGN;
    ssize_t len = read(file, text, sizeof text - 1);
    (void)close(file);
    text[len > 0 ? len : 0] = '\0';
    if (svg && strcmp(text, svg) == 0)
        return FILE_SAME;
    return strncmp(text, ctl_qr_head, strlen(ctl_qr_head)) == 0 ? FILE_OURS : FILE_FOREIGN;
}

static bool fail_at_file(const codes_t *it, const char *what, const char *name,
                         audit_failure_t *why)
{
    return audit_fail(why, "%s/%s cannot be %s: %s", it->path, name, what, strerror(errno));
}

/* A file of its own: what has that name may be left over, or a link to another or a pipe. httpd
 * reads it as somebody else, whatever the umask is. */
static bool write_temporary(const codes_t *it, const char *svg)
{
    size_t len = strlen(svg);
    if (unlinkat(it->directory, temporary, 0) != 0 && errno != ENOENT)
        return false;
    int file = openat(it->directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool good = file >= 0 && write(file, svg, len) == (ssize_t)len && fchmod(file, 0644) == 0;
    return file >= 0 && close(file) == 0 && good;
}

static bool write_code(const codes_t *it, const char *name, const char *svg, audit_failure_t *why)
{
    if (write_temporary(it, svg) && renameat(it->directory, temporary, it->directory, name) == 0)
        return true;
    (void)fail_at_file(it, "written", name, why);
    (void)unlinkat(it->directory, temporary, 0);
    return false;
}

static bool put_code(const codes_t *it, const char *name, const char *svg,
                     ctl_talks_codes_t *report, audit_failure_t *why)
{
    file_e file = examine_file(it, name, svg);
    if (file == FILE_FOREIGN)
        return audit_fail(why, "%s/%s is in the way, and not of ratingsctl talks qr", it->path,
                          name);
    report->codes++;
    if (file == FILE_SAME)
        return true;
    report->written++;
    return it->of->options->dry_run || write_code(it, name, svg, why);
}

/* ---- all talks ---- */

/* NULL: memory ran out. */
static char *file_name_of(const char *id)
{
    char *escaped = ctl_page_escape(id), *name = NULL;
    if (escaped && asprintf(&name, "%s%s", escaped, suffix) < 0)
        name = NULL;
    free(escaped);
    return name;
}

static bool draw_code(const codes_t *it, const char *name, const char *page,
                      ctl_talks_codes_t *report, audit_failure_t *why)
{
    if (strlen(name) > NAME_MAX) {
        report->left_out++;
        return true;
    }
    char *svg = ctl_qr_svg(page, why);
    bool good = svg && put_code(it, name, svg, report, why);
    free(svg);
    return good;
}

static bool make_code(codes_t *it, const char *id, ctl_talks_codes_t *report, audit_failure_t *why)
{
    char *name = file_name_of(id), *page = ctl_page_of(it->of->options->page, id);
    bool good = name && page ? draw_code(it, name, page, report, why) : audit_no_memory(why);
    free(page);
    if (name)
        it->names[it->count++] = name;
    return good;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_wanted_name(const codes_t *it, const char *name)
{
    return bsearch(&name, it->names, it->count, sizeof *it->names, compare_names) != NULL;
}

static bool is_code(const char *name)
{
    size_t len = strlen(name);
    return len >= sizeof suffix - 1 && strcmp(name + len - (sizeof suffix - 1), suffix) == 0;
}

/* Those of talks that are gone; whatever else is there is somebody's. */
static bool remove_gone(const codes_t *it, DIR *directory, ctl_talks_codes_t *report,
                        audit_failure_t *why)
{
    for (const struct dirent *entry; (entry = readdir(directory));) {
        const char *name = entry->d_name;
        if (!is_code(name) || is_wanted_name(it, name) || examine_file(it, name, NULL) != FILE_OURS)
            continue;
        report->removed++;
        if (!it->of->options->dry_run && unlinkat(it->directory, name, 0) != 0)
            return fail_at_file(it, "removed", name, why);
    }
    return true;
}

static bool clean_up(codes_t *it, ctl_talks_codes_t *report, audit_failure_t *why)
{
    DIR *directory = opendir(it->path);
    if (!directory)
        return audit_fail(why, "%s cannot be read: %s", it->path, strerror(errno));
    qsort(it->names, it->count, sizeof *it->names, compare_names);
    bool good = remove_gone(it, directory, report, why);
    (void)closedir(directory);
    return good;
}

/* ---- the directory ---- */

/* No two at a time: they have one temporary file. */
static bool open_directory(codes_t *it, audit_failure_t *why)
{
    if (mkdir(it->path, 0755) != 0 && errno != EEXIST)
        return audit_fail(why, "%s cannot be made: %s", it->path, strerror(errno));
    it->directory = open(it->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (it->directory < 0)
        return audit_fail(why, "%s cannot be read: %s", it->path, strerror(errno));
    return flock(it->directory, LOCK_EX | LOCK_NB) == 0 ||
           audit_fail(why, "%s cannot be locked, another ratingsctl is at work there: %s", it->path,
                      strerror(errno));
}

static bool make_codes(codes_t *it, const PGresult *rows, ctl_talks_codes_t *report,
                       audit_failure_t *why)
{
    int count = PQntuples(rows);
    it->names = calloc((size_t)count + 1, sizeof *it->names);
    if (!it->names)
        return audit_no_memory(why);
    for (int row = 0; row < count; row++) {
        const char *id = PQgetvalue(rows, row, CTL_TALKS_ROW_ID);
        if (ratings_talk_id_problem(id, strlen(id)))
            report->left_out++;
        else if (!make_code(it, id, report, why))
            return false;
    }
    return clean_up(it, report, why);
}

bool ctl_talks_qr_write(const ctl_talks_t *of, const char *path, const PGresult *rows,
                        ctl_talks_codes_t *report, audit_failure_t *why)
{
    codes_t it = {.of = of, .path = path, .directory = -1};
    bool good = open_directory(&it, why) && make_codes(&it, rows, report, why);
    for (size_t i = 0; i < it.count; i++)
        free(it.names[i]);
    free(it.names);
    if (it.directory >= 0)
        (void)close(it.directory);
    return good;
}
