#include "../../src/core/certificate_error.h"
#include "unit.h"

typedef struct {
    const char *name;
    int error;        /* of openssl/x509_vfy.h */
    const char *text; /* NULL: none */
} row_t;

static row_t rows[] = {
    {"nothing is wrong", 0, NULL},
    {"X509_V_ERR_CERT_HAS_EXPIRED", 10, "certificate has expired"},
    {"X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY", 20, "unable to get local issuer certificate"},
};

static void tells(void **state)
{
    const row_t *row = *state;
    const char *text = ratings_certificate_error(row->error);
    if (row->text)
        assert_string_equal(text, row->text);
    else
        assert_null(text);
}

static void tells_what_it_does_not_know(void **state)
{
    (void)state;
    assert_non_null(ratings_certificate_error(12345));
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, tells, ROWS(rows));
    unit_add(&suite, "an error of a newer OpenSSL", tells_what_it_does_not_know, NULL);
    return unit_run("certificate_error", &suite);
}
