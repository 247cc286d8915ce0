#include "audit_options.h"

#include "../core/number.h"
#include "../core/rating.h"
#include "../core/redis_url.h"
#include "build_version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 30
#define TIMEOUT_MAX_S 86400

static const char help[] =
    "ratings-audit [OPTION...]: compares the store with the log, and mends it\n"
    "\n"
    "  --brokers HOST:PORT,...  Kafka (default: the variable STREAMS_CONNECTION)\n"
    "  --topic NAME             the log (default: ratings)\n"
    "  --store redis://...      Redis (default: the variable RATINGS_CONNECTION)\n"
    "  -X PROPERTY=VALUE        a property of librdkafka; may be repeated\n"
    "  --timeout SECONDS        gives up when nothing comes for so long (default: 30)\n"
    "  --talk ID                this talk alone; may be repeated\n"
    "  --json                   the result as one JSON document\n"
    "  --repair                 mends talks that differ, then audits again\n"
    "  --rebuild                has the service rebuild the whole store, and audits nothing\n"
    "  --help, --version\n"
    "\n"
    "Exit code 0: store and log agree. 1: they do not. 2: that could not be found out, and "
    "standard\n"
    "error says why.\n";

enum {
    OPT_BROKERS = 256,
    OPT_TOPIC,
    OPT_STORE,
    OPT_TIMEOUT,
    OPT_TALK,
    OPT_JSON,
    OPT_REPAIR,
    OPT_REBUILD,
    OPT_HELP,
    OPT_VERSION
};

static const struct option names[] = {
    {"brokers", required_argument, NULL, OPT_BROKERS},
    {"topic", required_argument, NULL, OPT_TOPIC},
    {"store", required_argument, NULL, OPT_STORE},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"talk", required_argument, NULL, OPT_TALK},
    {"json", no_argument, NULL, OPT_JSON},
    {"repair", no_argument, NULL, OPT_REPAIR},
    {"rebuild", no_argument, NULL, OPT_REBUILD},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static audit_options_e bad(audit_failure_t *why, const char *what)
{
    audit_fail(why, "%s (see --help)", what);
    return AUDIT_OPTIONS_BAD;
}

/* Names the option as far as that can be a name: what is behind it may be a secret. */
static audit_options_e unknown(char **argv, audit_failure_t *why)
{
    const char *word = argv[optind - 1];
    if (optopt && optopt < OPT_BROKERS)
        audit_fail(why, "-%c is not an option, or its value is missing (see --help)", optopt);
    else
        audit_fail(why, "%.*s is not an option, or its value is missing or too much (see --help)",
                   (int)strspn(word, "-abcdefghijklmnopqrstuvwxyz"), word);
    return AUDIT_OPTIONS_BAD;
}

static audit_options_e take_timeout(audit_options_t *out, audit_failure_t *why)
{
    int64_t seconds;
    if (!ratings_parse_int(optarg, strlen(optarg), 1, TIMEOUT_MAX_S, &seconds))
        return bad(why, "--timeout takes seconds, 1 to 86400");
    out->timeout_ms = (int)seconds * 1000;
    return AUDIT_OPTIONS_GOOD;
}

static audit_options_e take_talk(audit_options_t *out, audit_failure_t *why)
{
    const char *problem = ratings_talk_id_problem(optarg, strlen(optarg));
    out->talks[out->talks_count++] = optarg;
    return problem ? bad(why, "--talk takes the id of a talk") : AUDIT_OPTIONS_GOOD;
}

static audit_options_e take_option(int option, audit_options_t *out, const char **properties,
                                   audit_failure_t *why)
{
    switch (option) {
    case OPT_BROKERS:
        out->stream.brokers = optarg;
        break;
    case OPT_TOPIC:
        out->stream.topic = optarg;
        break;
    case OPT_STORE:
        out->store = optarg;
        break;
    case 'X':
        properties[out->stream.properties_count++] = optarg;
        break;
    case OPT_TIMEOUT:
        return take_timeout(out, why);
    case OPT_TALK:
        return take_talk(out, why);
    case OPT_JSON:
        out->json = true;
        break;
    case OPT_REPAIR:
        out->repair = true;
        break;
    default:
        out->rebuild = true;
        break;
    }
    return AUDIT_OPTIONS_GOOD;
}

static audit_options_e check(const audit_options_t *options, audit_failure_t *why)
{
    ratings_redis_url_t url;
    bool has_stream = options->stream.brokers && options->stream.brokers[0];
    if (options->rebuild && (options->repair || options->json || options->talks_count > 0))
        return bad(why, "--rebuild goes with neither --repair nor --json nor --talk");
    if (!has_stream && !options->rebuild)
        return bad(why, "neither --brokers nor STREAMS_CONNECTION says where Kafka is");
    if (has_stream && strpbrk(options->stream.brokers, "/@")) /* shown as they are */
        return bad(why, "the brokers are host:port[,host:port...]");
    if (!options->store || !options->store[0])
        return bad(why, "neither --store nor RATINGS_CONNECTION says where Redis is");
    if (!options->stream.topic[0])
        return bad(why, "--topic takes the name of a topic");
    const char *problem = ratings_redis_url_parse(options->store, &url);
    if (!problem)
        return AUDIT_OPTIONS_GOOD;
    audit_fail(why, "the address of the store: %s (see --help)", problem);
    return AUDIT_OPTIONS_BAD;
}

static audit_options_e show(int option)
{
    if (option == OPT_HELP)
        (void)fputs(help, stdout);
    else
        (void)printf("ratings-audit %s (%s)\n", RATINGS_VERSION, RATINGS_REVISION);
    return AUDIT_OPTIONS_SHOWN;
}

audit_options_e audit_options_read(int argc, char **argv, audit_options_t *out,
                                   audit_failure_t *why)
{
    const char **properties = calloc((size_t)argc, sizeof *properties);
    audit_options_e end = AUDIT_OPTIONS_GOOD;
    int option;
    *out = (audit_options_t){
        .stream = {getenv("STREAMS_CONNECTION"), "ratings", properties, 0, 0},
        .store = getenv("RATINGS_CONNECTION"),
        .talks = calloc((size_t)argc, sizeof *out->talks),
        .timeout_ms = TIMEOUT_S * 1000,
    };
    if (!properties || !out->talks)
        return bad(why, "memory ran out");
    opterr = 0;
    while (end == AUDIT_OPTIONS_GOOD &&
           (option = getopt_long(argc, argv, "X:", names, NULL)) != -1) {
        if (option == OPT_HELP || option == OPT_VERSION)
            return show(option);
        end = option == '?' ? unknown(argv, why) : take_option(option, out, properties, why);
    }
    if (end == AUDIT_OPTIONS_GOOD && optind < argc)
        return bad(why, "there are options alone, no other words");
    out->stream.timeout_ms = out->timeout_ms;
    return end == AUDIT_OPTIONS_GOOD ? check(out, why) : end;
}

void audit_options_free(audit_options_t *options)
{
    free((void *)(uintptr_t)options->stream.properties);
    free(options->talks);
}
