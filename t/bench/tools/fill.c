/* Fills a topic with ratings as the module writes them: fill BROKERS TOPIC EVENTS TALKS ZIPF VOTERS
 *
 * ZIPF is the exponent of the talks' popularity: 0, all are alike; 1, as the web has it. Each event
 * is of one of VOTERS voters; 0: all are anonymous. In bulk: large batches of one topic, which the
 * module makes under load alone. Ends with 1 when an event was not taken by the brokers. */
#include "../../../src/core/event.h"

#include <librdkafka/rdkafka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_MS 60000
#define POLL_EVERY 1000
#define TEXT 512

typedef struct {
    rd_kafka_t *handle;
    const char *topic;
    double *share; /* share[i]: of the talks 0..i, of 1 */
    size_t talks, voters;
    uint64_t random;
    long failed;
} fill_t;

static _Noreturn void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "fill: %s: %s\n", what, why);
    exit(1);
}

/* xorshift64*: the same events at each run. https://en.wikipedia.org/wiki/Xorshift */
static uint64_t draw(fill_t *fill)
{
    fill->random ^= fill->random >> 12;
    fill->random ^= fill->random << 25;
    fill->random ^= fill->random >> 27;
    return fill->random * UINT64_C(0x2545F4914F6CDD1D);
}

static double draw_share(fill_t *fill)
{
    return (double)(draw(fill) >> 11) / (double)(UINT64_C(1) << 53);
}

static void make_shares(fill_t *fill, double exponent)
{
    double sum = 0;
    fill->share = malloc(fill->talks * sizeof *fill->share);
    if (!fill->share)
        die("shares", "out of memory");
    for (size_t i = 0; i < fill->talks; i++)
        fill->share[i] = sum += pow((double)(i + 1), -exponent);
    for (size_t i = 0; i < fill->talks; i++)
        fill->share[i] /= sum;
}

static size_t draw_talk(fill_t *fill)
{
    double wanted = draw_share(fill);
    size_t low = 0, high = fill->talks - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (fill->share[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- the records ---- */

static rd_kafka_headers_t *make_headers(fill_t *fill)
{
    uint64_t a = draw(fill), b = draw(fill);
    char id[37];
    (void)snprintf(id, sizeof id, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32),
                   (unsigned)(a >> 16 & 0xFFFF), (unsigned)(a & 0xFFF), (unsigned)(b >> 52),
                   (unsigned long long)(b & UINT64_C(0xFFFFFFFFFFFF)));
    const char *const headers[][2] = {
        {"ce_specversion", "1.0"},
        {"ce_id", id},
        {"ce_type", RATINGS_EVENT_TYPE},
        {"ce_source", "/mod_ratings"},
        {"ce_time", "2026-11-23T20:42:56.457178Z"},
        {"content-type", "application/json"},
    };
    const size_t count = sizeof headers / sizeof headers[0];
    rd_kafka_headers_t *list = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_header_add(list, headers[i][0], -1, headers[i][1], -1);
    return list;
}

static rd_kafka_resp_err_t produce(fill_t *fill, const char *key, char *value, size_t length,
                                   rd_kafka_headers_t *headers)
{
    rd_kafka_resp_err_t code;
    do { /* a full queue is waited for: reports are taken meanwhile */
        code = rd_kafka_producev(fill->handle, RD_KAFKA_V_TOPIC(fill->topic),
                                 RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(value, length),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE),
                                 RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(fill->handle, 100);
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && fill->failed == 0);
    return code;
}

/* Any that are different. */
static ratings_voter_t voter_of(size_t n)
{
    uint64_t half[] = {(n + 1) * UINT64_C(0x9E3779B97F4A7C15),
                       (n + 1) * UINT64_C(0xD1B54A32D192ED03)};
    ratings_voter_t voter;
    memcpy(voter.hash, half, sizeof voter.hash);
    return voter;
}

static void add_event(fill_t *fill)
{
    ratings_event_t event = {.key = {.text = ""}};
    size_t length;
    (void)snprintf(event.rating.talk_id, sizeof event.rating.talk_id, "bench-talk-%05zu",
                   draw_talk(fill));
    event.rating.value = RATINGS_VALUE_MIN + (int)(draw(fill) % RATINGS_VALUES);
    event.has_voter = fill->voters > 0;
    if (event.has_voter)
        event.voter = voter_of(draw(fill) % fill->voters);
    char *value = ratings_event_encode(&event, &length);
    if (!value)
        die("encoding", "out of memory");
    rd_kafka_headers_t *headers = make_headers(fill);
    rd_kafka_resp_err_t code = produce(fill, event.rating.talk_id, value, length, headers);
    if (code)
        die("producing", rd_kafka_err2str(code));
}

/* ---- the producer ---- */

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    fill_t *fill = opaque;
    (void)handle;
    fill->failed += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_t *make_producer(fill_t *fill, const char *brokers)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers},
        {"partitioner", "murmur2"},
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"linger.ms", "50"},
        {"batch.num.messages", "10000"},
        {"batch.size", "1000000"},
        {"queue.buffering.max.messages", "200000"},
    };
    char why[TEXT];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why))
            die(settings[i][0], why);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, fill);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!handle)
        die("the producer", why);
    return handle;
}

int main(int argc, char **argv)
{
    fill_t fill = {.random = UINT64_C(0x9E3779B97F4A7C15)};
    if (argc != 7)
        die("usage", "fill BROKERS TOPIC EVENTS TALKS ZIPF VOTERS");
    long events = strtol(argv[3], NULL, 10), talks = strtol(argv[4], NULL, 10);
    if (events < 1 || talks < 1)
        die("usage", "EVENTS and TALKS are numbers from 1 on");
    fill.topic = argv[2];
    fill.talks = (size_t)talks;
    fill.voters = (size_t)strtoul(argv[6], NULL, 10);
    make_shares(&fill, strtod(argv[5], NULL));
    fill.handle = make_producer(&fill, argv[1]);
    for (long i = 0; i < events && fill.failed == 0; i++) {
        add_event(&fill);
        if (i % POLL_EVERY == 0)
            rd_kafka_poll(fill.handle, 0);
    }
    bool good = rd_kafka_flush(fill.handle, FLUSH_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_destroy(fill.handle);
    free(fill.share);
    if (!good || fill.failed > 0)
        die("producing", "the brokers did not take all events");
    return 0;
}
