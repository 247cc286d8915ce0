#include "../../src/core/hmac_sha256.h"
#include "../../src/core/secret.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the primitive: RFC 4231, 4.2 to 4.8 ---- */

typedef struct {
    const char *name;
    const char *key;
    size_t key_len;
    const char *data;
    size_t data_len;
    const char *mac; /* hexadecimal digits; the case of a truncated MAC has its first 128 bits */
} vector_t;

#define AA16 "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
#define AA131 AA16 AA16 AA16 AA16 AA16 AA16 AA16 AA16 "\xaa\xaa\xaa"
#define DD10 "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
#define CD10 "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"

static vector_t vectors[] = {
    {"RFC 4231, case 1",
     BYTES("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
     BYTES("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"RFC 4231, case 2: a key shorter than the MAC", BYTES("Jefe"),
     BYTES("what do ya want for nothing?"),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"RFC 4231, case 3: key and data longer than a block", BYTES(AA16 "\xaa\xaa\xaa\xaa"),
     BYTES(DD10 DD10 DD10 DD10 DD10),
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"RFC 4231, case 4",
     BYTES("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15"
           "\x16\x17\x18\x19"),
     BYTES(CD10 CD10 CD10 CD10 CD10),
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"RFC 4231, case 5: truncated to 128 bits",
     BYTES("\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c"),
     BYTES("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"},
    {"RFC 4231, case 6: a key longer than a block", BYTES(AA131),
     BYTES("Test Using Larger Than Block-Size Key - Hash Key First"),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"RFC 4231, case 7: key and data longer than a block", BYTES(AA131),
     BYTES("This is a test using a larger than block-size key and a larger than block-size data. "
           "The key needs to be hashed before being used by the HMAC algorithm."),
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static void assert_digits(const unsigned char *bytes, const char *digits)
{
    char text[2 * RATINGS_HMAC_SIZE + 1] = "";
    for (size_t i = 0; i < strlen(digits) / 2; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(text, digits);
}

/* In one part, and in three, one of them empty. */
static void primitive(void **state)
{
    const vector_t *row = *state;
    const ratings_bytes_t key = {row->key, row->key_len}, whole[] = {{row->data, row->data_len}},
                          parts[] = {{row->data, 3}, {"", 0}, {row->data + 3, row->data_len - 3}};
    unsigned char mac[RATINGS_HMAC_SIZE];
    ratings_hmac_key_t set;
    assert_true(ratings_hmac_set_key(&set, key));
    assert_true(ratings_hmac(&set, whole, 1, mac));
    assert_digits(mac, row->mac);
    memset(mac, 0, sizeof mac);
    assert_true(ratings_hmac(&set, parts, 3, mac));
    assert_digits(mac, row->mac);
}

/* ---- hashes ---- */

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdeX"

static ratings_voter_t voter_of(const char *bytes, const char *scope, const char *identity)
{
    ratings_secret_t secret;
    ratings_voter_t voter;
    assert_true(ratings_secret_set(&secret, bytes, strlen(bytes)));
    assert_true(ratings_secret_voter(&secret, scope, identity, &voter));
    return voter;
}

/* As Python has it: hmac.new(b"0123456789abcdef" * 2, b"mod_ratings voter\0ratings\0ann",
 * "sha256").hexdigest()[:32]. The hashes of a log stay valid. */
static void voter_stays(void **state)
{
    ratings_voter_t voter = voter_of(SECRET, "ratings", "ann");
    (void)state;
    assert_digits(voter.hash, "efcefebbfbeda7f46a3023405aecbed3");
}

typedef struct {
    const char *name;
    const char *secret, *scope, *identity;
} other_t;

static other_t others[] = {
    {"another secret", OTHER, "ratings", "ann"},
    {"another scope", SECRET, "rating", "ann"},
    {"another identity", SECRET, "ratings", "ann "},
    {"no identity", SECRET, "ratings", ""},
    {"the same letters, otherwise divided", SECRET, "ratingsa", "nn"},
    {"the same letters, all of the identity", SECRET, "", "ratingsann"},
};

static void voter_differs(void **state)
{
    const other_t *row = *state;
    ratings_voter_t a = voter_of(SECRET, "ratings", "ann"),
                    b = voter_of(row->secret, row->scope, row->identity);
    assert_memory_not_equal(&a, &b, sizeof a);
}

/* Who has a cookie has a signature of a text, and so must learn nothing of voters. */
static void signature_is_no_voter(void **state)
{
    ratings_secret_t secret;
    unsigned char signature[RATINGS_SIGNATURE_SIZE];
    ratings_voter_t voter = voter_of(SECRET, "", "ann");
    (void)state;
    assert_true(ratings_secret_set(&secret, BYTES(SECRET)));
    assert_true(ratings_secret_sign(&secret, "ann", signature));
    assert_memory_not_equal(signature, voter.hash, sizeof signature);
}

/* ---- the file ---- */

static void source(void **state)
{
    (void)state;
    assert_problem(ratings_secret_source_problem("file:/etc/secret"), NULL);
    for (size_t i = 0; i < 5; i++)
        assert_problem(ratings_secret_source_problem((const char *[]){
                           "", "file:", "/etc/secret", "file:secret", "exec:/bin/cat"}[i]),
                       "it takes file: and the absolute path of a file");
}

#define BYTES_32 "an example of thirty-two bytes.."

typedef struct {
    const char *name;
    const char *content;
    size_t content_len;
    unsigned mode;
    const char *problem; /* NULL: it is read */
    size_t length;       /* of the secret then, the head of the content */
} file_t;

static char of_1024[1024], of_1025[1025];
static const char too_short[] = "it is shorter than 32 bytes",
                  too_long[] = "it is longer than 1024 bytes",
                  too_open[] = "others than its owner and group may read or write it: chmod o-rw";

static file_t files[] = {
    {"32 bytes", BYTES(BYTES_32), 0600, NULL, 32},
    {"a line", BYTES(BYTES_32 "\n"), 0400, NULL, 32},
    {"a line of another system, and an empty one", BYTES(BYTES_32 "\r\n\r"), 0640, NULL, 32},
    {"bytes that are no text", BYTES("\0\n\xff" BYTES_32 "\0"), 0600, NULL, 36},
    {"1024 bytes", of_1024, sizeof of_1024, 0600, NULL, 1024},
    {"1025 bytes", of_1025, sizeof of_1025, 0600, too_long, 0},
    {"nothing", BYTES(""), 0600, too_short, 0},
    {"31 bytes and a line end", &(BYTES_32 "\n")[1], 32, 0600, too_short, 0},
    {"a file that others may read", BYTES(BYTES_32), 0644, too_open, 0},
    {"a file that others may write", BYTES(BYTES_32), 0602, too_open, 0},
};

static void make_file(char *path, const file_t *row)
{
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, row->content, row->content_len), row->content_len);
    assert_int_equal(fchmod(file, row->mode), 0);
    assert_int_equal(close(file), 0);
}

/* The head of the content is the secret, if it makes the same hash. */
static void assert_secret(const ratings_secret_t *loaded, const file_t *row)
{
    ratings_secret_t expected;
    ratings_voter_t a, b;
    assert_true(ratings_secret_set(&expected, row->content, row->length));
    assert_true(ratings_secret_voter(loaded, "", "", &a));
    assert_true(ratings_secret_voter(&expected, "", "", &b));
    assert_memory_equal(&a, &b, sizeof a);
}

static void load(void **state)
{
    const file_t *row = *state;
    char name[] = "file:/tmp/test_secret.XXXXXX", why[128] = "";
    make_file(name + 5, row);
    ratings_secret_t loaded;
    bool is_loaded = ratings_secret_load(name, &loaded, why, sizeof why);
    (void)unlink(name + 5);
    assert_problem(is_loaded ? NULL : why, row->problem);
    if (is_loaded)
        assert_secret(&loaded, row);
}

/* ---- the text of a file ---- */

#define TEXT_MAX (RATINGS_SECRET_TEXT_SIZE - 1)

static char of_text_max[TEXT_MAX], of_text_max_1[TEXT_MAX + 1];

static file_t texts[] = {
    {"a line", BYTES("redis://u:p@h\n"), 0400, NULL, 13},
    {"a line without an end", BYTES("redis://u:p@h"), 0440, NULL, 13},
    {"several lines", BYTES("host=h\npassword='p q'\r\n\n"), 0600, NULL, 21},
    {"blanks, and what httpd would replace", BYTES(" ${HOME} %{x} \n"), 0600, NULL, 14},
    {"16383 bytes", of_text_max, sizeof of_text_max, 0600, NULL, TEXT_MAX},
    {"16384 bytes", of_text_max_1, sizeof of_text_max_1, 0600, "it is longer than 16383 bytes", 0},
    {"no text", BYTES(""), 0600, "it is empty", 0},
    {"line ends alone", BYTES("\n\r\n"), 0600, "it is empty", 0},
    {"a byte of zero", BYTES("redis://\0h"), 0600, "it has a byte of zero", 0},
    {"a text that others may read", BYTES("redis://h"), 0604, too_open, 0},
};

static void load_text(void **state)
{
    const file_t *row = *state;
    char name[] = "file:/tmp/test_secret.XXXXXX", why[128] = "";
    static char text[RATINGS_SECRET_TEXT_SIZE];
    memset(text, 0, sizeof text);
    make_file(name + 5, row);
    bool is_loaded = ratings_secret_text_load(name, text, why, sizeof why);
    (void)unlink(name + 5);
    assert_problem(is_loaded ? NULL : why, row->problem);
    assert_int_equal(strlen(text), row->length);
    assert_memory_equal(text, row->content, row->length);
    for (size_t i = 0; !is_loaded && i < sizeof text; i++)
        assert_int_equal(text[i], 0); /* of what is refused nothing is left either */
}

static void no_text(void **state)
{
    char why[128], text[RATINGS_SECRET_TEXT_SIZE];
    (void)state;
    assert_true(ratings_secret_is_source("file:/etc/secret"));
    assert_true(ratings_secret_is_source("file:"));
    assert_false(ratings_secret_is_source("redis://file:/etc/secret"));
    assert_false(ratings_secret_text_load("file:secret", text, why, sizeof why));
    assert_string_equal(why, "it takes file: and the absolute path of a file");
    assert_false(ratings_secret_text_load("file:/no/such/file", text, why, sizeof why));
    assert_string_equal(why, "No such file or directory");
}

static void no_file(void **state)
{
    ratings_secret_t loaded;
    char why[128], pipe[] = "file:/tmp/test_secret.XXXXXX";
    (void)state;
    assert_false(ratings_secret_load("file:/no/such/file", &loaded, why, sizeof why));
    assert_string_equal(why, "No such file or directory");
    assert_false(ratings_secret_load("file:/tmp", &loaded, why, sizeof why));
    assert_string_equal(why, "it is no regular file");
    assert_non_null(mkdtemp(pipe + 5)); /* a name of its own */
    assert_int_equal(rmdir(pipe + 5), 0);
    assert_int_equal(mkfifo(pipe + 5, 0600), 0);
    bool is_read = ratings_secret_load(pipe, &loaded, why, sizeof why);
    (void)unlink(pipe + 5);
    assert_false(is_read);
    assert_string_equal(why, "it is no regular file");
}

int main(void)
{
    static unit_suite_t suite;
    memset(of_1024, 'x', sizeof of_1024);
    memset(of_1025, 'x', sizeof of_1025);
    memset(of_text_max, 'x', sizeof of_text_max);
    memset(of_text_max_1, 'x', sizeof of_text_max_1);
    unit_add_rows(&suite, primitive, ROWS(vectors));
    unit_add(&suite, "a voter's hash", voter_stays, NULL);
    unit_add_rows(&suite, voter_differs, ROWS(others));
    unit_add(&suite, "a signature is no voter", signature_is_no_voter, NULL);
    unit_add(&suite, "where a secret is", source, NULL);
    unit_add_rows(&suite, load, ROWS(files));
    unit_add_rows(&suite, load_text, ROWS(texts));
    unit_add(&suite, "where no text is", no_text, NULL);
    unit_add(&suite, "what is no file", no_file, NULL);
    return unit_run("secret", &suite);
}
