#include "../../src/core/kafka_refusal.h"
#include "unit.h"

/* ---- SCRAM ---- */

#define VERSION(major, minor, patch) ((major) << 24 | (minor) << 16 | (patch) << 8 | 0xff)

typedef struct {
    const char *name, *reason;
    int version;
    bool is_too_old;
} login_t;

#define REFUSED                                                                                    \
    "sasl_ssl://kafka1:9093/bootstrap: SASL authentication error: Authentication failed during "   \
    "authentication due to invalid credentials with SASL mechanism "

static login_t logins[] = {
    {"SCRAM of Debian 12", REFUSED "SCRAM-SHA-512 (after 5ms in state AUTH_REQ)", VERSION(2, 0, 2),
     true},
    {"the other SCRAM", REFUSED "SCRAM-SHA-256", VERSION(2, 6, 0), true},
    {"SCRAM of a newer librdkafka", REFUSED "SCRAM-SHA-512", VERSION(2, 6, 1), false},
    {"another mechanism", REFUSED "OAUTHBEARER", VERSION(2, 0, 2), false},
    {"a wrong password of PLAIN",
     "SASL authentication error: Authentication failed: Invalid username or password",
     VERSION(2, 0, 2), false},
    {"a broker that has no SCRAM",
     "SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's "
     "supported mechanisms: PLAIN",
     VERSION(2, 0, 2), false},
    {"a broker that has SCRAM alone",
     "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's "
     "supported mechanisms: SCRAM-SHA-256,SCRAM-SHA-512",
     VERSION(2, 0, 2), false},
    {"a listener without SASL",
     "SASL Handshake not supported by broker (required by mechanism SCRAM-SHA-512)",
     VERSION(2, 0, 2), false},
};

static void test_login(void **state)
{
    const login_t *login = *state;
    assert_int_equal(ratings_kafka_scram_is_too_old(login->version, login->reason),
                     login->is_too_old);
}

/* ---- certificates ---- */

static int verify(int error, char *text, size_t size)
{
    return ratings_kafka_verify_certificate(NULL, "kafka1:9093", 1, &error, 0, "", 0, text, size,
                                            NULL);
}

static void test_certificate(void **state)
{
    char text[64] = "before", small[8];
    (void)state;
    assert_int_equal(verify(0, text, sizeof text), 1);
    assert_string_equal(text, "");
    assert_int_equal(verify(10, text, sizeof text), 0); /* X509_V_ERR_CERT_HAS_EXPIRED */
    assert_string_equal(text, "certificate has expired");
    assert_int_equal(verify(10, small, sizeof small), 0);
    assert_string_equal(small, "certifi");
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, test_login, ROWS(logins));
    unit_add(&suite, "certificates", test_certificate, NULL);
    return unit_run("kafka_refusal", &suite);
}
