#include "ctl_options.h"

#include "../core/bar_record.h"
#include "../core/number.h"
#include "../core/rating.h"
#include "../core/redis_url.h"
#include "../core/secret_file.h"
#include "../schedule/schedule_time.h"
#include "ctl_time.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 30
#define TIMEOUT_MAX_S 86400
#define MAX_LAG_S 10
#define MAX_LAG_MAX_S 31536000
#define LONG_OPTION 256 /* and its row in the table: above each option of one letter */

/* ---- what each option does with its value ---- */

static bool bad_usage(audit_failure_t *why, const char *what)
{
    return audit_fail(why, "%s (see --help)", what);
}

static bool take_brokers(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->stream.brokers = value;
    return true;
}

static bool take_topic(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->stream.topic = value;
    return value[0] || bad_usage(why, "--topic takes the name of a topic");
}

static bool take_store(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->store = value;
    return true;
}

static bool take_store_ca(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->store_tls.ca = value;
    return true;
}

static bool take_store_certificate(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->store_tls.certificate = value;
    return true;
}

static bool take_store_key(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->store_tls.key = value;
    return true;
}

static bool take_store_name(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->store_tls.name = value;
    return (value[0] && value[0] != '.') ||
           bad_usage(why, "--store-name takes the name of a certificate");
}

static bool take_property(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->properties[out->stream.properties_count++] = value;
    return true;
}

static bool take_timeout(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    int64_t seconds;
    if (!ratings_parse_int(value, strlen(value), 1, TIMEOUT_MAX_S, &seconds))
        return bad_usage(why, "--timeout takes seconds, 1 to 86400");
    out->stream.timeout_ms = (int)seconds * 1000;
    return true;
}

static bool take_talk(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->talks[out->talks_count++] = value;
    return !ratings_talk_id_problem(value, strlen(value)) ||
           bad_usage(why, "--talk takes the id of a talk");
}

static bool take_json(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)value, (void)why;
    return out->json = true;
}

static bool take_repair(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)value, (void)why;
    return out->repair = true;
}

static bool take_rebuild(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)value, (void)why;
    return out->rebuild = true;
}

static bool take_format(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->format = strcmp(value, "csv") == 0 ? CTL_ROWS_CSV : CTL_ROWS_NDJSON;
    return out->format == CTL_ROWS_CSV || strcmp(value, "ndjson") == 0 ||
           bad_usage(why, "--format takes csv or ndjson");
}

static bool take_at(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    return ctl_time_parse(value, &out->at_ms) ||
           bad_usage(why, "--at takes a time like 2026-11-29T12:00:00Z");
}

static bool take_prior(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    return ratings_prior_parse(value, strlen(value), &out->prior) ||
           bad_usage(why, "--prior takes five whole numbers from 1 to 1000, like 1,1,1,1,1");
}

static bool take_talks_url(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->talks_url = value;
    return true;
}

static bool take_stats_url(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->stats.url = value;
    return true;
}

static bool take_stats_header(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    const char *problem = ctl_stats_header_problem(value);
    out->stats.header = value;
    return !problem || audit_fail(why, "--stats-header: %s (see --help)", problem);
}

static bool take_stats_auth(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    const char *problem = ctl_stats_auth_problem(value);
    out->stats.auth = value;
    return !problem || audit_fail(why, "--stats-auth: %s (see --help)", problem);
}

static bool take_max_lag(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    int64_t seconds;
    if (!ratings_parse_int(value, strlen(value), 0, MAX_LAG_MAX_S, &seconds))
        return bad_usage(why, "--max-lag takes seconds, 0 to 31536000");
    out->max_lag_s = (int)seconds;
    return true;
}

static bool take_yes(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)value, (void)why;
    return out->yes = true;
}

static bool take_secret(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)why;
    out->secret = value;
    return true;
}

static bool take_reason(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->reason = value;
    return ratings_bar_reason_is_valid(value, strlen(value)) ||
           bad_usage(why, "--reason takes 1 to 255 bytes of UTF-8 without control characters");
}

static bool take_dry_run(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)value, (void)why;
    return out->dry_run = true;
}

static bool take_id_rule(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    static const char *const names[] = {
        [SCHEDULE_BY_CODE] = "code", [SCHEDULE_BY_GUID] = "guid", [SCHEDULE_BY_UID] = "uid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        out->schedule.id = (schedule_id_e)i;
        if (strcmp(value, names[i]) == 0)
            return true;
    }
    return bad_usage(why, "--id takes code, guid or uid");
}

static bool take_zone(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->schedule.zone = value;
    return schedule_zone_exists(value) ||
           bad_usage(why, "--zone takes a zone that this machine knows, like Europe/Berlin");
}

static bool take_opens(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    return schedule_relative_parse(value, &out->schedule.opens) ||
           bad_usage(why, "--opens takes a time like \"5 min before end\", or none");
}

static bool take_closes(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    return schedule_relative_parse(value, &out->schedule.closes) ||
           bad_usage(why, "--closes takes a time like \"7 days after end\", or none");
}

static bool take_schedule_format(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    (void)out;
    return strcmp(value, "frab-json") == 0 || bad_usage(why, "--format takes frab-json");
}

static bool take_page(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->page = value;
    bool is_url = strncmp(value, "https://", 8) == 0 || strncmp(value, "http://", 7) == 0;
    return (is_url && strstr(value, "{id}") && !ratings_talk_id_problem(value, strlen(value))) ||
           bad_usage(why,
                     "--page takes a url with {id} in it, like https://rate.example/talk/{id}");
}

static bool take_title(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->title = value;
    return !ratings_talk_id_problem(value, strlen(value)) ||
           bad_usage(why, "--title takes 1 to 255 bytes of UTF-8 without control characters");
}

static bool take_httpd(ctl_options_t *out, const char *value, audit_failure_t *why)
{
    out->httpd = value;
    return value[0] || bad_usage(why, "--httpd takes a program");
}

/* ---- the table ---- */

#define TAKEN_BY_ALL 0
#define HAS_ADDRESSES (CTL_TAKES_STREAM | CTL_TAKES_STORE | CTL_TAKES_STATUS | CTL_TAKES_SCHEDULE)

static const struct ctl_option_t {
    const char *name;     /* of one letter: -X, else --name */
    const char *argument; /* NULL: it takes none */
    const char *help;
    unsigned group; /* CTL_TAKES_... */
    bool (*take)(ctl_options_t *out, const char *value, audit_failure_t *why);
} table[] = {
    {"brokers", "HOST:PORT,...", "Kafka (default: the variable STREAMS_CONNECTION)",
     CTL_TAKES_STREAM, take_brokers},
    {"topic", "NAME", "the log (default: ratings)", CTL_TAKES_STREAM | CTL_TAKES_STORE, take_topic},
    {"store", "redis://...", "Redis (default: the variable RATINGS_CONNECTION)", CTL_TAKES_STORE,
     take_store},
    {"store-ca", "PATH", "of rediss://, as RatingsStoreTLSCA (default: the system's)",
     CTL_TAKES_STORE, take_store_ca},
    {"store-certificate", "FILE", "the client's, as RatingsStoreTLSCertificate", CTL_TAKES_STORE,
     take_store_certificate},
    {"store-key", "FILE", "of that, as RatingsStoreTLSKey", CTL_TAKES_STORE, take_store_key},
    {"store-name", "NAME", "of Redis's certificate, as RatingsStoreTLSName", CTL_TAKES_STORE,
     take_store_name},
    {"X", "PROPERTY=VALUE", "a property of librdkafka; may be repeated", CTL_TAKES_STREAM,
     take_property},
    {"timeout", "SECONDS", "gives up when nothing comes for so long (default: 30)", TAKEN_BY_ALL,
     take_timeout},
    {"talk", "ID", "this talk alone; may be repeated", CTL_TAKES_TALKS, take_talk},
    {"json", NULL, "the result as one JSON document", CTL_TAKES_JSON, take_json},
    {"repair", NULL, "as the command repair", CTL_TAKES_MENDING, take_repair},
    {"rebuild", NULL, "as the command rebuild --yes", CTL_TAKES_MENDING, take_rebuild},
    {"format", "csv|ndjson", "how the rows are written (default: csv)", CTL_TAKES_EXPORT,
     take_format},
    {"at", "TIME", "as it was then, by the log's times, like 2026-11-29T12:00:00Z",
     CTL_TAKES_EXPORT, take_at},
    {"prior", "N1,N2,N3,N4,N5", "of the interval, as RatingsRankingPrior (default: 1,1,1,1,1)",
     CTL_TAKES_EXPORT, take_prior},
    {"talks", "postgres://...", "PostgreSQL (default: the variable TALKS_CONNECTION)",
     CTL_TAKES_STATUS | CTL_TAKES_SCHEDULE, take_talks_url},
    {"stats", "http://...", "the Lambda (default: the variable RATINGS_LAMBDA_URL)",
     CTL_TAKES_STATUS, take_stats_url},
    {"stats-header", "HEADER", "\"NAME: VALUE\", as RatingsStatsHeader; VALUE may be file:PATH",
     CTL_TAKES_STATUS, take_stats_header},
    {"stats-auth", "aws-sigv4", "or aws-sigv4:REGION, as RatingsStatsAuth (default: off)",
     CTL_TAKES_STATUS, take_stats_auth},
    {"max-lag", "SECONDS", "how old what is not applied may be (default: 10)", CTL_TAKES_STATUS,
     take_max_lag},
    {"httpd", "PROGRAM", "that is run (default: apache2ctl, apachectl, apache2 or httpd)",
     CTL_TAKES_HTTPD, take_httpd},
    {"yes", NULL, "without the question", CTL_TAKES_YES, take_yes},
    {"secret", "file:PATH", "as RatingsVoterSecret; with it a VOTER is an identity, else its hash",
     CTL_TAKES_SECRET, take_secret},
    {"reason", "TEXT", "why, for those who may read the log", CTL_TAKES_REASON, take_reason},
    {"dry-run", NULL, "shows what it would do, and changes nothing",
     CTL_TAKES_VOTER | CTL_TAKES_SCHEDULE, take_dry_run},
    {"id", "code|guid|uid", "what names a talk (default: code, the end of its url)",
     CTL_TAKES_SCHEDULE, take_id_rule},
    {"zone", "NAME", "of times that name none, like Europe/Berlin", CTL_TAKES_SCHEDULE, take_zone},
    {"opens", "TIME", "when a talk can be rated, like \"5 min before end\"", CTL_TAKES_SCHEDULE,
     take_opens},
    {"format", "frab-json", "how the schedule is exported", CTL_TAKES_SCHEDULE,
     take_schedule_format},
    {"page", "URL", "of a talk's page, with {id} in it; for export and qr", CTL_TAKES_SCHEDULE,
     take_page},
    {"title", "TEXT", "of the conference; for export", CTL_TAKES_SCHEDULE, take_title},
    {"closes", "TIME", "until when, like \"7 days after end\"", CTL_TAKES_SCHEDULE, take_closes},
};

#define ROWS (sizeof table / sizeof *table)
enum { OPTION_HELP = LONG_OPTION + ROWS, OPTION_VERSION };

static bool is_taken(size_t row, unsigned takes)
{
    return table[row].group == TAKEN_BY_ALL || table[row].group & takes;
}

static bool is_letter(size_t row)
{
    return !table[row].name[1];
}

void ctl_options_help(unsigned takes, FILE *out)
{
    for (size_t row = 0; row < ROWS; row++) {
        char left[64];
        if (!is_taken(row, takes))
            continue;
        (void)snprintf(left, sizeof left, "%s%s %s", is_letter(row) ? "-" : "--", table[row].name,
                       table[row].argument ? table[row].argument : "");
        (void)fprintf(out, "  %-24s %s\n", left, table[row].help);
    }
    (void)fputs("  --help, --version\n", out);
    if (takes & HAS_ADDRESSES)
        (void)fputs("An address, and a value of -X, may be file:PATH, a file that holds it.\n",
                    out);
}

/* ---- reading ---- */

/* What getopt_long wants: for each long option its number, for each letter "X:". */
typedef struct {
    struct option names[ROWS + 3];
    char letters[2 * ROWS + 1];
} syntax_t;

static void make_syntax(syntax_t *syntax, unsigned takes)
{
    size_t names = 0;
    char *letter = syntax->letters;
    for (size_t row = 0; row < ROWS; row++) {
        int argument = table[row].argument ? required_argument : no_argument;
        if (!is_taken(row, takes))
            continue;
        if (is_letter(row))
            letter = stpcpy(stpcpy(letter, table[row].name), argument ? ":" : "");
        else
            syntax->names[names++] =
                (struct option){table[row].name, argument, NULL, LONG_OPTION + (int)row};
    }
    *letter = '\0';
    syntax->names[names++] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    syntax->names[names++] = (struct option){"version", no_argument, NULL, OPTION_VERSION};
    syntax->names[names] = (struct option){NULL, 0, NULL, 0};
}

static size_t row_of(int option)
{
    size_t row = option >= LONG_OPTION ? (size_t)(option - LONG_OPTION) : 0;
    while (option < LONG_OPTION && !(is_letter(row) && table[row].name[0] == option))
        row++;
    return row;
}

/* Names the option as far as that can be a name: what is behind it may be a secret. */
static ctl_options_e unknown_option(char **argv, audit_failure_t *why)
{
    const char *word = argv[optind - 1];
    if (optopt && optopt < LONG_OPTION)
        audit_fail(why, "-%c is not an option, or its value is missing (see --help)", optopt);
    else
        audit_fail(why, "%.*s is not an option, or its value is missing or too much (see --help)",
                   (int)strspn(word, "-abcdefghijklmnopqrstuvwxyz"), word);
    return CTL_OPTIONS_BAD;
}

static ctl_options_e read_options(int argc, char **argv, unsigned takes, ctl_options_t *out,
                                  audit_failure_t *why)
{
    syntax_t syntax;
    int option;
    make_syntax(&syntax, takes);
    opterr = 0;
    while ((option = getopt_long(argc, argv, syntax.letters, syntax.names, NULL)) != -1) {
        if (option == OPTION_HELP || option == OPTION_VERSION)
            return option == OPTION_HELP ? CTL_OPTIONS_HELP : CTL_OPTIONS_VERSION;
        if (option == '?')
            return unknown_option(argv, why);
        if (!table[row_of(option)].take(out, optarg, why))
            return CTL_OPTIONS_BAD;
    }
    out->words = argv + optind;
    out->words_count = argc - optind;
    return CTL_OPTIONS_GOOD;
}

/* ---- addresses that are in files ---- */

/* The address in place of the file that names it. */
static bool load_address(const char *what, const char **address, char **loaded,
                         audit_failure_t *why)
{
    char text[RATINGS_SECRET_TEXT_SIZE], reason[128];
    if (!*address || !ratings_secret_is_source(*address))
        return true;
    if (!ratings_secret_text_load(*address, text, reason, sizeof reason))
        return audit_fail(why, "the file of %s: %s (see --help)", what, reason);
    *address = *loaded = strdup(text);
    explicit_bzero(text, sizeof text);
    return *loaded || audit_no_memory(why);
}

/* Of what the command takes: it needs no file of another. */
static bool load_addresses(ctl_options_t *out, unsigned takes, audit_failure_t *why)
{
    const struct {
        const char *what, **address;
        unsigned group;
    } all[CTL_ADDRESSES] = {
        {"the brokers", &out->stream.brokers, CTL_TAKES_STREAM},
        {"the address of the store", &out->store, CTL_TAKES_STORE},
        {"the address of PostgreSQL", &out->talks_url, CTL_TAKES_STATUS | CTL_TAKES_SCHEDULE},
        {"the address of the Lambda", &out->stats.url, CTL_TAKES_STATUS},
    };
    for (size_t i = 0; i < CTL_ADDRESSES; i++)
        if (takes & all[i].group &&
            !load_address(all[i].what, all[i].address, &out->loaded[i], why))
            return false;
    return true;
}

/* ---- checks ---- */

static bool check_store(const ctl_options_t *options, audit_failure_t *why)
{
    ratings_redis_url_t url;
    if (!options->store || !options->store[0])
        return bad_usage(why, "neither --store nor RATINGS_CONNECTION says where Redis is");
    const char *problem = ratings_redis_url_parse(options->store, &url);
    if (problem)
        return audit_fail(why, "the address of the store: %s (see --help)", problem);
    const ratings_tls_settings_t *tls = &options->store_tls;
    if (!url.has_tls && (tls->ca || tls->certificate || tls->key || tls->name))
        return bad_usage(why, "--store-ca and its like are for a store at rediss://");
    return true;
}

static bool check_options(const ctl_options_t *options, unsigned takes, audit_failure_t *why)
{
    const char *brokers = options->stream.brokers;
    if (options->rebuild && (options->repair || options->json || options->talks_count > 0))
        return bad_usage(why, "--rebuild goes with neither --repair nor --json nor --talk");
    if (takes & CTL_TAKES_STREAM && !options->rebuild && (!brokers || !brokers[0]))
        return bad_usage(why, "neither --brokers nor STREAMS_CONNECTION says where Kafka is");
    if (takes & CTL_TAKES_STREAM && brokers && strpbrk(brokers, "/@")) /* shown as they are */
        return bad_usage(why, "the brokers are host:port[,host:port...]");
    return !(takes & CTL_TAKES_STORE) || check_store(options, why);
}

ctl_options_e ctl_options_read(int argc, char **argv, unsigned takes, ctl_options_t *out,
                               audit_failure_t *why)
{
    *out = (ctl_options_t){
        .properties = calloc((size_t)argc, sizeof *out->properties),
        .talks = calloc((size_t)argc, sizeof *out->talks),
        .store = getenv("RATINGS_CONNECTION"),
        .talks_url = getenv("TALKS_CONNECTION"),
        .stats = {.url = getenv("RATINGS_LAMBDA_URL")},
        .max_lag_s = MAX_LAG_S,
        .prior = {{1, 1, 1, 1, 1}},
        .at_ms = CTL_AT_END,
    };
    out->stream = (audit_stream_options_t){
        .brokers = getenv("STREAMS_CONNECTION"),
        .topic = "ratings",
        .properties = out->properties,
        .timeout_ms = TIMEOUT_S * 1000,
        .has_progress = true,
    };
    if (!out->properties || !out->talks) {
        audit_no_memory(why);
        return CTL_OPTIONS_BAD;
    }
    ctl_options_e end = read_options(argc, argv, takes, out, why);
    if (end != CTL_OPTIONS_GOOD)
        return end;
    return load_addresses(out, takes, why) && check_options(out, takes, why) ? CTL_OPTIONS_GOOD
                                                                             : CTL_OPTIONS_BAD;
}

void ctl_options_free(ctl_options_t *options)
{
    for (size_t i = 0; i < CTL_ADDRESSES; i++)
        free(options->loaded[i]);
    free(options->properties);
    free(options->talks);
}
