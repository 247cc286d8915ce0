#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "file:";

bool ratings_secret_is_source(const char *value)
{
    return strncmp(value, prefix, sizeof prefix - 1) == 0;
}

const char *ratings_secret_source_problem(const char *source)
{
    if (!ratings_secret_is_source(source) || source[sizeof prefix - 1] != '/')
        return "it takes file: and the absolute path of a file";
    return NULL;
}

const char *ratings_secret_source_path(const char *source)
{
    return source + sizeof prefix - 1;
}

/* What is wrong with an open file, NULL: nothing. */
static const char *file_problem(int file)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return strerror(errno);
    if (!S_ISREG(about.st_mode))
        return "it is no regular file";
    if (about.st_mode & (S_IROTH | S_IWOTH))
        return "others than its owner and group may read or write it: chmod o-rw";
    return NULL;
}

/* A regular file is read by one call, as far as there is room. */
static const char *read_file(int file, char *bytes, size_t size, size_t *length)
{
    const char *problem = file_problem(file);
    if (problem)
        return problem;
    ssize_t got = read(file, bytes, size);
    if (got < 0)
        return strerror(errno);
    *length = (size_t)got;
    return NULL;
}

/* O_NONBLOCK: opening what is no file does not wait for anybody. */
bool ratings_secret_file_read(const char *path, char *bytes, size_t size, size_t *length,
                              bool *is_missing, char *why, size_t why_size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *is_missing = file < 0 && (errno == ENOENT || errno == ENOTDIR);
    const char *problem = file < 0 ? strerror(errno) : read_file(file, bytes, size, length);
    if (problem)
        (void)snprintf(why, why_size, "%s", problem);
    if (file >= 0)
        (void)close(file);
    return problem == NULL;
}

size_t ratings_secret_trim(const char *bytes, size_t length)
{
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
        length--;
    return length;
}

/* ---- texts ---- */

_Static_assert(RATINGS_SECRET_TEXT_SIZE == 16384, "the sentence about the file names this limit");

/* Ends what was read; NULL, or what is wrong with it. */
static const char *end_text(char *text, size_t length)
{
    if (length == RATINGS_SECRET_TEXT_SIZE)
        return "it is longer than 16383 bytes";
    length = ratings_secret_trim(text, length);
    text[length] = '\0';
    if (length == 0)
        return "it is empty";
    return strlen(text) < length ? "it has a byte of zero" : NULL;
}

bool ratings_secret_text_load(const char *source, char *text, char *why, size_t size)
{
    size_t length = 0;
    bool is_missing;
    const char *problem = ratings_secret_source_problem(source);
    if (!problem &&
        !ratings_secret_file_read(ratings_secret_source_path(source), text,
                                  RATINGS_SECRET_TEXT_SIZE, &length, &is_missing, why, size))
        return false;
    if (!problem)
        problem = end_text(text, length);
    if (!problem)
        return true;
    explicit_bzero(text, length);
    (void)snprintf(why, size, "%s", problem);
    return false;
}
