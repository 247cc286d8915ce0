/* Which properties of librdkafka the administrator may set, and to what: the module's promises rest
 * on the others. Names that are aliases of each other stand each in a row of its own. */
#include "../../core/number.h"
#include "stream_config.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct {
    const char *key, *reason;
    const char *settled; /* what the module sets, which may be said again; NULL: nothing may */
    const char *synonym; /* another spelling of that, or NULL */
    int64_t least, most; /* with most > 0: any whole number from least to most */
} rule_t;

#define BROKERS "the brokers are those of RatingsStream"
#define TIMEOUT "use RatingsStreamTimeout"
#define ALL_REPLICAS "a 200 means that all in-sync replicas have the event"
#define POSITION "the position is kept in the store"
#define BY_HAND "the projector takes its partitions itself, as a member of no group"
#define ONCE "an event that is sent again must not count twice"
#define SINGLY "events are appended one at a time, without transactions"
#define CALLBACKS "the module serves librdkafka's callbacks, and no queue of events"
#define PARTITION "a talk's partition must never change"
#define MOCK "a broker that is made up forgets what it acknowledged"
#define MEMORY "the projector's memory is bounded by it"
#define SOON "a broker that has recovered is to be found soon"
#define PROMPT "a POST waits for it until its rating is visible"

/* clang-format off */
#define NEVER(key_, reason_) {.key = key_, .reason = reason_}
#define STAYS(key_, settled_, synonym_, reason_) \
    {.key = key_, .reason = reason_, .settled = settled_, .synonym = synonym_}
#define RANGE(key_, least_, most_, reason_) \
    {.key = key_, .reason = reason_, .least = least_, .most = most_}

static const rule_t rules[] = {
    NEVER("bootstrap.servers", BROKERS),
    NEVER("metadata.broker.list", BROKERS),
    NEVER("topic.blacklist", "the topic could not be seen"),
    NEVER("allow.auto.create.topics", "the module creates the topic itself"),
    NEVER("test.mock.num.brokers", MOCK),
    NEVER("test.mock.broker.rtt", MOCK),
    NEVER("plugin.library.paths", "a plugin may change what is sent and read"),
    NEVER("api.version.request", "an idempotent producer has to know what the broker can"),
    NEVER("internal.termination.signal", "signals are httpd's"),
    NEVER("enabled_events", CALLBACKS),
    NEVER("log.queue", CALLBACKS),
    NEVER("enable_sasl_queue", CALLBACKS),

    STAYS("acks", "all", "-1", ALL_REPLICAS),
    STAYS("request.required.acks", "all", "-1", ALL_REPLICAS),
    STAYS("enable.idempotence", "true", NULL, ONCE),
    NEVER("enable.gapless.guarantee", "an event that is given up would take the producer with it"),
    NEVER("transactional.id", SINGLY),
    NEVER("transaction.timeout.ms", SINGLY),
    NEVER("partitioner", PARTITION),
    STAYS("queuing.strategy", "fifo", NULL, "events keep their order"),
    NEVER("message.timeout.ms", TIMEOUT),
    NEVER("delivery.timeout.ms", TIMEOUT),
    NEVER("delivery.report.only.error", "every event's delivery is waited for"),
    RANGE("max.in.flight.requests.per.connection", 1, 5, ONCE),
    RANGE("max.in.flight", 1, 5, ONCE),
    RANGE("message.send.max.retries", 1, INT32_MAX, ONCE),
    RANGE("retries", 1, INT32_MAX, ONCE),
    RANGE("linger.ms", 0, 1000, PROMPT),
    RANGE("queue.buffering.max.ms", 0, 1000, PROMPT),
    RANGE("queue.buffering.max.messages", 1000, 1000000, "fewer would refuse ratings, more would take a child's memory"),
    RANGE("message.max.bytes", 65536, 1000000000, "an event has to fit"),

    NEVER("group.id", "it is mod_ratings.TOPIC, which shows the projector's lag"),
    NEVER("group.instance.id", BY_HAND),
    NEVER("group.protocol", BY_HAND),
    NEVER("group.protocol.type", BY_HAND),
    NEVER("group.remote.assignor", BY_HAND),
    NEVER("partition.assignment.strategy", BY_HAND),
    STAYS("isolation.level", "read_committed", NULL, "what a transaction took back must not count"),
    NEVER("auto.offset.reset", "a projector that skips records would lose ratings"),
    NEVER("enable.auto.commit", POSITION),
    NEVER("auto.commit.enable", POSITION),
    NEVER("auto.commit.interval.ms", POSITION),
    NEVER("enable.auto.offset.store", POSITION),
    NEVER("offset.store.method", POSITION),
    NEVER("offset.store.path", POSITION),
    NEVER("offset.store.sync.interval.ms", POSITION),
    NEVER("enable.partition.eof", "the projector needs it"),
    NEVER("queued.min.messages", MEMORY),
    NEVER("queued.max.messages.kbytes", MEMORY),
    RANGE("fetch.queue.backoff.ms", 0, 1000, PROMPT),
    RANGE("fetch.wait.max.ms", 0, 1000, PROMPT),
    RANGE("fetch.error.backoff.ms", 0, 10000, SOON),

    RANGE("reconnect.backoff.ms", 0, 10000, SOON),
    RANGE("reconnect.backoff.max.ms", 0, 10000, SOON),
    RANGE("retry.backoff.ms", 1, 10000, SOON),
    RANGE("retry.backoff.max.ms", 1, 10000, SOON),
    RANGE("topic.metadata.refresh.fast.interval.ms", 1, 10000, SOON),
};
/* clang-format on */

static bool refuse_property(char *why, size_t size, const char *what, const char *reason)
{
    (void)snprintf(why, size, "%s: %s", what, reason);
    return false;
}

static bool says_the_same(const rule_t *rule, const char *value)
{
    return strcasecmp(value, rule->settled) == 0 ||
           (rule->synonym && strcasecmp(value, rule->synonym) == 0);
}

static bool is_value_allowed(const rule_t *rule, const char *value, char *why, size_t size)
{
    char what[64];
    int64_t number;
    if (rule->most > 0) {
        (void)snprintf(what, sizeof what, "it takes a whole number from %d to %d", (int)rule->least,
                       (int)rule->most);
        return ratings_parse_int(value, strlen(value), rule->least, rule->most, &number) ||
               refuse_property(why, size, what, rule->reason);
    }
    if (!rule->settled)
        return refuse_property(why, size, "not to be set", rule->reason);
    (void)snprintf(what, sizeof what, "it stays %s", rule->settled);
    return says_the_same(rule, value) || refuse_property(why, size, what, rule->reason);
}

/* A value that librdkafka does not know may be a secret, given to the wrong property. */
static void leave_out_value(const char *key, char *why, size_t size)
{
    static const char quoting[] = "Invalid value \"";
    if (strncmp(why, quoting, sizeof quoting - 1) == 0)
        (void)snprintf(why, size, "librdkafka does not know this value of %s", key);
}

/* Before librdkafka sees it, which loads a plugin at once. */
bool ratings_stream_property_ok(const char *key, const char *value, char *why, size_t size)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(key, rules[i].key) == 0 && !is_value_allowed(&rules[i], value, why, size))
            return false;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool good = rd_kafka_conf_set(conf, key, value, why, size) == RD_KAFKA_CONF_OK;
    rd_kafka_conf_destroy(conf);
    if (!good)
        leave_out_value(key, why, size);
    return good;
}
