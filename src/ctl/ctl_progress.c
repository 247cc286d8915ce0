#include "ctl_progress.h"

#include "../core/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_US 100000
#define BAR_MIN 5
#define BAR_MAX 40
#define COLUMNS_DEFAULT 80

static int terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : COLUMNS_DEFAULT;
}

static double share_done(const ctl_progress_t *progress)
{
    return progress->total > 0 && progress->done < progress->total
               ? (double)progress->done / (double)progress->total
               : 1;
}

/* "[=====     ] ", or nothing. */
static void draw_bar(double share, int room, char bar[BAR_MAX + 4])
{
    int width = room - 3 < BAR_MAX ? room - 3 : BAR_MAX;
    int filled = (int)(share * width);
    bar[0] = '\0';
    if (width < BAR_MIN)
        return;
    memset(bar + 1, '=', (size_t)filled);
    memset(bar + 1 + filled, ' ', (size_t)(width - filled));
    bar[0] = '[';
    memcpy(bar + 1 + width, "] ", 3);
}

void ctl_progress_line(const ctl_progress_t *progress, int columns, char *line, size_t size)
{
    char bar[BAR_MAX + 4], counts[64];
    const double share = share_done(progress);
    int said = snprintf(counts, sizeof counts, "%3d%%  %" PRId64 " of %" PRId64, (int)(share * 100),
                        progress->done, progress->total);
    draw_bar(share, columns - 2 - (int)strlen(progress->what) - said, bar);
    (void)snprintf(line, size, "%s %s%s", progress->what, bar, counts);
    if (columns > 0 && (size_t)columns <= size && strlen(line) >= (size_t)columns)
        line[columns - 1] = '\0';
}

static void draw_line(const ctl_progress_t *progress)
{
    char line[256];
    ctl_progress_line(progress, terminal_columns(), line, sizeof line);
    (void)fprintf(stderr, "\r%s", line);
    (void)fflush(stderr);
}

void ctl_progress_begin(ctl_progress_t *progress, const char *what, int64_t total)
{
    *progress = (ctl_progress_t){
        .is_shown = isatty(STDERR_FILENO) == 1,
        .what = what,
        .total = total,
    };
    ctl_progress_add(progress, 0);
}

void ctl_progress_add(ctl_progress_t *progress, int64_t more)
{
    progress->done += more;
    if (!progress->is_shown || ratings_monotonic() < progress->next_at)
        return;
    progress->next_at = ratings_monotonic() + REDRAW_US;
    draw_line(progress);
}

void ctl_progress_end(ctl_progress_t *progress)
{
    if (progress->is_shown)
        (void)fprintf(stderr, "\r%*s\r", terminal_columns() - 1, "");
    progress->is_shown = false;
}
