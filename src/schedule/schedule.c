#include "schedule.h"

#include "schedule_builder.h"

#include <string.h>
#include <strings.h>

/* Which format a text is in, by how it begins; else it is CSV. */
static const struct {
    const char *begins;
    bool (*read)(schedule_reader_t *reader);
} formats[] = {
    {"{", schedule_read_json},
    {"<", schedule_read_xml},
    {"BEGIN:VCALENDAR", schedule_read_ical},
};

static bool read_format(schedule_reader_t *reader)
{
    const char *begin = reader->text + strspn(reader->text, " \t\r\n");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strncasecmp(begin, formats[i].begins, strlen(formats[i].begins)) == 0)
            return formats[i].read(reader);
    return schedule_read_csv(reader);
}

static bool check_whole(schedule_reader_t *reader)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* the byte order mark of some editors */
    if (reader->len > SCHEDULE_SIZE_MAX)
        return schedule_fail(reader->fault, 0, NULL, "is larger than %d MiB",
                             (int)(SCHEDULE_SIZE_MAX >> 20));
    const char *nul = memchr(reader->text, '\0', reader->len);
    if (nul)
        return schedule_fail(reader->fault, schedule_line_of(reader, nul), NULL,
                             "is no text: it has a NUL");
    if (strncmp(reader->text, mark, strlen(mark)) == 0) {
        reader->text += strlen(mark);
        reader->len -= strlen(mark);
    }
    return true;
}

bool schedule_read(const char *text, size_t len, const schedule_options_t *options, schedule_t *out,
                   schedule_fault_t *fault)
{
    schedule_reader_t reader = {text, len, options, out, fault};
    *out = (schedule_t){0};
    *fault = (schedule_fault_t){0};
    return check_whole(&reader) && read_format(&reader) && schedule_finish(&reader);
}
