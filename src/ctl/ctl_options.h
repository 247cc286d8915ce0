/* What the command line and the environment say: one table of options for all commands, of which
 * each command takes some. One thread. */
#ifndef RATINGS_CTL_OPTIONS_H
#define RATINGS_CTL_OPTIONS_H

#include "../core/ranking.h"
#include "../core/tls.h"
#include "../schedule/schedule.h"
#include "audit_failure.h"
#include "audit_stream.h"
#include "ctl_probe.h"
#include "ctl_rows.h"

#include <stdio.h>

/* Groups of options that a command takes. */
enum {
    CTL_TAKES_STREAM = 1 << 0,  /* --brokers, -X */
    CTL_TAKES_STORE = 1 << 1,   /* --store, --store-ca, -certificate, -key, -name */
    CTL_TAKES_TALKS = 1 << 2,   /* --talk */
    CTL_TAKES_JSON = 1 << 3,    /* --json */
    CTL_TAKES_MENDING = 1 << 4, /* --repair, --rebuild: commands of their own since */
    CTL_TAKES_EXPORT = 1 << 5,  /* --format, --at, --prior */
    CTL_TAKES_STATUS = 1 << 6,  /* --talks, --stats..., --max-lag */
    CTL_TAKES_YES = 1 << 7,     /* --yes */
    CTL_TAKES_VOTER = 1 << 8,   /* --dry-run */
    CTL_TAKES_REASON = 1 << 9,  /* --reason */
    CTL_TAKES_SECRET = 1 << 10, /* --secret */
    CTL_TAKES_SCHEDULE =
        1
        << 11, /* --talks, --id, --zone, --opens, --closes, --dry-run, --page, --title, --format */
    CTL_TAKES_HTTPD = 1 << 12, /* --httpd */
};

#define CTL_ADDRESSES 4      /* the brokers, and those of the store, PostgreSQL and the Lambda */
#define CTL_AT_END INT64_MAX /* no point in time: to the end of the log */

typedef struct {
    audit_stream_options_t stream;    /* its timeout is that of each wait, for whichever server */
    const char **properties;          /* those of `stream`, while they are read */
    const char *store;                /* redis://... */
    ratings_tls_settings_t store_tls; /* for rediss://... */
    const char **talks;               /* these alone; all when there are none */
    int talks_count;
    char **words; /* what stands beside the options */
    int words_count;
    ctl_rows_format_e format;
    const char *talks_url;     /* of PostgreSQL; NULL: not known */
    ctl_stats_options_t stats; /* its URL NULL: not known */
    int max_lag_s;
    ratings_prior_t prior;
    int64_t at_ms;      /* milliseconds since 1970, or CTL_AT_END */
    const char *secret; /* file:PATH; NULL: none is given, and voters are named by their hashes */
    const char *reason; /* NULL: none is given */
    schedule_options_t schedule;
    const char *httpd;        /* the program; NULL: not given */
    const char *page, *title; /* of an exported schedule; NULL: not given */
    bool json, repair, rebuild, yes, dry_run;
    char *loaded[CTL_ADDRESSES]; /* of addresses that are in files; NULL: not read */
} ctl_options_t;

typedef enum {
    CTL_OPTIONS_GOOD,
    CTL_OPTIONS_HELP,    /* --help: the options are not to be used */
    CTL_OPTIONS_VERSION, /* --version: nor are they */
    CTL_OPTIONS_BAD
} ctl_options_e;

/* Reads `argv`, after its first word, as options of the groups in `takes`. `*out` must be freed in
 * any case; it points into `argv` and the environment, but for the addresses that were read from
 * files. No reason repeats a value, which may hold a password. */
ctl_options_e ctl_options_read(int argc, char **argv, unsigned takes, ctl_options_t *out,
                               audit_failure_t *why);
void ctl_options_free(ctl_options_t *options);

/* A line for each option of the groups in `takes`. */
void ctl_options_help(unsigned takes, FILE *out);

#endif
