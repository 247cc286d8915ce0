/* ratingsctl talks, on a real PostgreSQL: the program as it is built, and the table afterwards. */
#include "backend_test.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SCHEDULE "t/schedules/schedule.json"

static char directory[] = "/tmp/ratings-import-XXXXXX";
static char program[PATH_MAX]; /* ratingsctl, as it was built with this test */
static char said[65536];       /* by it, on both streams */
static int port;

/* ---- the server ---- */

static void run_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run_shell(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_int_equal(system(line), 0);
}

static PGconn *connect_as_owner(void)
{
    char url[128];
    snprintf(url, sizeof url, "postgres://owner:secret@127.0.0.1:%d/postgres", port);
    PGconn *owner = PQconnectdb(url);
    assert_int_equal(PQstatus(owner), CONNECTION_OK);
    return owner;
}

/* The first field of the first row, or "". */
static const char *sql_on(PGconn *owner, const char *sql)
{
    static char value[1024];
    PGresult *result = PQexec(owner, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(owner));
    snprintf(value, sizeof value, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return value;
}

static const char *sql(const char *text)
{
    PGconn *owner = connect_as_owner();
    const char *value = sql_on(owner, text);
    PQfinish(owner);
    return value;
}

/* A digest of all rows, and of when each was written. */
static const char *fingerprint(char out[64])
{
    return strcpy(out,
                  sql("SELECT md5(string_agg(t::text || t.xmin, '|' ORDER BY uuid)) FROM talks t"));
}

static int set_up(void **state)
{
    (void)state;
    alarm(TEST_SECONDS);
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(len > 0);
    strcpy(strstr(program, "/t/backend/"), "/ratingsctl");
    assert_non_null(mkdtemp(directory));
    port = free_port();
    run_shell("t/backend/postgres.sh guard %s %d </dev/null >/dev/null 2>&1 &", directory,
              getpid());
    run_shell("t/backend/postgres.sh start %s %d </dev/null >>%s/log 2>&1", directory, port,
              directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    run_shell("t/backend/postgres.sh stop %s immediate </dev/null >>%s/log 2>&1", directory,
              directory);
    return 0;
}

static int without_table(void **state)
{
    (void)state;
    sql("SET client_min_messages = warning; DROP TABLE IF EXISTS talks");
    return 0;
}

/* ---- the program ---- */

/* Its exit code. */
static int ctl(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int ctl(const char *format, ...)
{
    char words[1024], line[PATH_MAX + 2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line,
             "exec 2>&1 </dev/null; "
             "TALKS_CONNECTION=postgres://owner:secret@127.0.0.1:%d/postgres '%s' talks %s",
             port, program, words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    read_end(pipe, said, sizeof said);
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_said(const char *text)
{
    if (!strstr(said, text))
        fail_msg("it said: %s", said);
}

static void assert_ctl(int code, int expected)
{
    if (code != expected)
        fail_msg("exit code %d: %s", code, said);
}

/* The schedule, with one text in the place of another, as a file. */
static const char *edited(const char *from, const char *to)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/edited.json", directory);
    run_shell("sed 's|%s|%s|' " SCHEDULE " >%s", from, to, path);
    return path;
}

/* ---- migrate ---- */

static void migrate_makes_the_table(void **state)
{
    (void)state;
    assert_ctl(ctl("migrate"), 0);
    assert_said("added title, speakers, room");
    assert_ctl(ctl("migrate"), 0);
    assert_said("each column");
    assert_string_equal(sql("SELECT count(*) FROM talks"), "0");
}

static void migrate_adds_columns(void **state)
{
    (void)state;
    sql("CREATE TABLE talks (uuid text PRIMARY KEY, title text, room text)");
    sql("INSERT INTO talks VALUES ('a', 'A', 'Shed')");
    assert_ctl(ctl("migrate"), 0);
    assert_said("added speakers, track, starts_at");
    assert_string_equal(sql("SELECT room FROM talks WHERE url IS NULL"), "Shed");
}

/* ---- import ---- */

static void import_fills_the_table(void **state)
{
    (void)state;
    ctl("migrate");
    assert_ctl(ctl("import " SCHEDULE " --opens '5 min before end' --closes '7 days after end'"),
               0);
    assert_said("schedule JSON 1, 5 talks: 5 added, 0 changed, 0 gone, 0 as before");
    assert_string_equal(
        sql("SET TimeZone = 'UTC'; SELECT concat_ws('/', title, speakers, room, track, starts_at, "
            "ends_at, opens_at, closes_at, language, url) FROM talks WHERE uuid = 'K3MVRE'"),
        "Reading the Tide Tables/{\"Ada Lindqvist\",\"Bo Nakamura\"}/Großer Saal/Harbour & Sea/"
        "2026-11-28 09:45:00+00/2026-11-28 10:30:00+00/2026-11-28 10:25:00+00/2026-12-05 "
        "10:30:00+00/"
        "en/https://tidewater.example/2026/talk/K3MVRE/");
    assert_string_equal(sql("SELECT speakers FROM talks WHERE uuid = 'QW4NNB'"),
                        "{\"Jan \\\"Boje\\\" Petersen\"}");
    assert_string_equal(sql("SELECT speakers FROM talks WHERE uuid = 'TDA7QX'"), "{}");
}

static void twice_is_once(void **state)
{
    char before[64], after[64];
    (void)state;
    fingerprint(before);
    assert_ctl(ctl("import - --opens '5 min before end' --closes '7 days after end' < " SCHEDULE),
               0);
    assert_said("0 added, 0 changed, 0 gone, 5 as before");
    assert_string_equal(fingerprint(after), before);
}

static void dry_run_changes_nothing(void **state)
{
    char before[64], after[64];
    (void)state;
    fingerprint(before);
    assert_ctl(ctl("import %s --dry-run", edited("Nachtwache", "Hundewache")), 0);
    assert_said("changed  QW4NNB  Hundewache\n           title: Nachtwache -> Hundewache\n");
    assert_said("0 added, 1 changed, 0 gone, 4 as before\nnothing is changed");
    assert_string_equal(fingerprint(after), before);
}

/* What the options say nothing of stays: the window. */
static void edited_talks_change(void **state)
{
    (void)state;
    assert_ctl(ctl("import %s", edited("2026-11-29T00:30", "2026-11-29T01:30")), 0);
    assert_said("starts_at: 2026-11-28 23:30:00+00 -> 2026-11-29 00:30:00+00");
    assert_said("0 added, 1 changed, 0 gone, 4 as before");
    assert_string_equal(
        sql("SET TimeZone = 'UTC'; SELECT starts_at || ' ' || opens_at FROM talks WHERE uuid = "
            "'QW4NNB'"),
        "2026-11-29 00:30:00+00 2026-11-29 00:10:00+00");
    assert_ctl(ctl("import %s --opens none", SCHEDULE), 0);
    assert_said("0 added, 5 changed");
    assert_string_equal(sql("SELECT count(opens_at) || ' ' || count(closes_at) FROM talks"), "0 5");
}

static void gone_talks_are_removed(void **state)
{
    (void)state;
    sql("INSERT INTO talks (uuid, title) VALUES ('old-1', 'Old'), ('old-2', E'Older\\x1b[31m')");
    assert_ctl(ctl("import " SCHEDULE), 0);
    assert_said("gone     old-1  Old\n");
    assert_said("gone     old-2  Older?[31m\n");
    assert_said("0 added, 0 changed, 2 gone, 5 as before");
    assert_string_equal(sql("SELECT count(*) FROM talks"), "5");
}

/* Other ids for all talks. */
static void replacing_more_than_half_asks(void **state)
{
    char before[64], after[64];
    (void)state;
    fingerprint(before);
    assert_ctl(ctl("import " SCHEDULE " --id guid"), 2);
    assert_said(
        "5 of the 5 talks are not in the schedule: there is no terminal to ask on: say --yes");
    assert_string_equal(fingerprint(after), before);
    assert_ctl(ctl("import " SCHEDULE " --id guid --dry-run"), 0);
    assert_said("6 added, 0 changed, 5 gone");
    assert_ctl(ctl("import " SCHEDULE " --id guid --yes"), 0);
    assert_string_equal(sql("SELECT count(*) FROM talks WHERE uuid LIKE '5a0c8f1e-%'"), "6");
    assert_ctl(ctl("import " SCHEDULE " --yes"), 0);
}

static void broken_file_changes_nothing(void **state)
{
    char before[64], after[64];
    (void)state;
    fingerprint(before);
    assert_ctl(ctl("import %s", edited("2026-11-29T00:30", "yesterday")), 2);
    assert_said("edited.json, line 166, date: is no time like");
    assert_ctl(ctl("import %s/nothing.json", directory), 2);
    assert_said("cannot be read: No such file");
    assert_ctl(ctl("import %s", directory), 2);
    assert_said("cannot be read: Is a directory");
    assert_ctl(ctl("import /dev/zero"), 2);
    assert_said("is larger than 16 MiB");
    assert_ctl(ctl("import - </dev/null"), 2);
    assert_string_equal(fingerprint(after), before);
}

/* Whatever the schedule was exported as, its talks are the same; the hub's have urls of its own. */
static void another_format_is_no_other_talk(void **state)
{
    static const char *const files[] = {"schedule.xml", "schedule.xcal --zone Europe/Berlin",
                                        "schedule.ics", "schedule.csv --zone Europe/Berlin",
                                        "schedule.json"};
    char before[64], after[64];
    (void)state;
    assert_ctl(ctl("import " SCHEDULE), 0);
    fingerprint(before);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_ctl(ctl("import t/schedules/%s", files[i]), 0);
        assert_said("5 talks: 0 added, 0 changed, 0 gone, 5 as before");
    }
    assert_string_equal(fingerprint(after), before);
    assert_ctl(ctl("import t/schedules/hub.json --dry-run"), 0);
    assert_said("0 added, 5 changed, 0 gone");
}

static void json_report(void **state)
{
    (void)state;
    assert_ctl(ctl("import %s --json", edited("Nachtwache", "Hundewache")), 0);
    assert_said(
        "\"id\": \"QW4NNB\",\n   \"title\": \"Hundewache\",\n   \"field\": \"title\",\n   \"old\": "
        "\"Nachtwache\",\n   \"new\": \"Hundewache\"\n");
    assert_said("\"dryRun\": false");
}

/* ---- export ---- */

/* The schedule that is exported is that which was imported. */
static void export_gives_the_schedule_back(void **state)
{
    (void)state;
    ctl("migrate");
    assert_ctl(ctl("import " SCHEDULE " --closes 'end'"), 0);
    assert_ctl(ctl("export --format frab-json --page 'https://rate.example/#/talk/{id}?x' --zone "
                   "Europe/Berlin "
                   "--title 'Tidewater 2026' >%s/back.json",
                   directory),
               0);
    assert_ctl(ctl("import %s/back.json --dry-run", directory), 0);
    assert_said("schedule JSON 1, 5 talks: 0 added, 0 changed, 0 gone, 5 as before");
    run_shell("grep -qF '\"feedback_url\": \"https://rate.example/#/talk/K3MVRE?x\"' %s/back.json",
              directory);
    run_shell("grep -qF '\"date\": \"2026-11-29T00:30:00+01:00\"' %s/back.json", directory);
    run_shell("grep -qF '\"day_end\": \"2026-11-29T03:59:00+01:00\"' %s/back.json", directory);
    run_shell("test $(grep -c '\"day_end\"' %s/back.json) = 1", directory);
}

/* The clock says which day a talk is of and where a day ends, and it is set in the nights. */
static void days_end_by_the_clock(void **state)
{
    (void)state;
    ctl("migrate");
    sql("INSERT INTO talks (uuid, title, starts_at, ends_at) SELECT 'talk' || n, 'Talk', at, at + "
        "'1 hour' FROM unnest(ARRAY['2026-03-29 03:59+02', '2026-03-29 04:30+02', "
        "'2026-10-25 03:30+01', '2026-10-25 04:00+01']::timestamptz[]) WITH ORDINALITY AS _ (at, "
        "n)");
    assert_ctl(ctl("export --page 'https://rate.example/{id}' --zone Europe/Berlin >%s/days.json",
                   directory),
               0);
    run_shell("test \"$(grep -o '\"\\(day_end\\|code\\)\": \"[^\"]*' %s/days.json | cut -d '\"' "
              "-f 4 | tr '\\n' ' ')\" = '2026-03-29T03:59:00+02:00 talk1 "
              "2026-03-30T03:59:00+02:00 talk2 2026-10-25T03:59:00+01:00 talk3 "
              "2026-10-26T03:59:00+01:00 talk4 '",
              directory);
}

/* The first talk that there can be, in zones where its day begins in 1969. */
static void days_of_1970_may_begin_before(void **state)
{
    static const struct {
        const char *zone, *begins, *ends;
    } rows[] = {
        {"America/New_York", "1969-12-31T04:00:00-05:00", "1970-01-01T03:59:00-05:00"},
        {"UTC", "1969-12-31T04:00:00+00:00", "1970-01-01T03:59:00+00:00"},
        {"Asia/Tokyo", "1970-01-01T04:00:00+09:00", "1970-01-02T03:59:00+09:00"},
    };
    (void)state;
    ctl("migrate");
    sql("INSERT INTO talks (uuid, title, starts_at, ends_at) VALUES ('first', 'Talk', "
        "'1970-01-01 00:30Z', '1970-01-01 01:00Z')");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_ctl(ctl("export --page 'https://rate.example/{id}' --zone %s >%s/first.json",
                       rows[i].zone, directory),
                   0);
        run_shell("grep -qF '\"day_start\": \"%s\"' %s/first.json", rows[i].begins, directory);
        run_shell("grep -qF '\"day_end\": \"%s\"' %s/first.json", rows[i].ends, directory);
        assert_ctl(ctl("import %s/first.json", directory), 0);
        if (i > 0) /* the same talk as by the zone before */
            assert_said("0 changed, 0 gone, 1 as before");
    }
}

static void talks_without_times_are_left_out(void **state)
{
    (void)state;
    sql("INSERT INTO talks (uuid, title) VALUES ('a/b ü', 'No time')");
    assert_ctl(ctl("export --page 'https://rate.example/{id}'"), 1);
    assert_said("1 talks have no start and end, and are left out");
    sql("UPDATE talks SET starts_at = now(), ends_at = now() + '2 hours' WHERE uuid = 'a/b ü'");
    assert_ctl(ctl("export --page 'https://rate.example/{id}'"), 0);
    assert_said("\"feedback_url\": \"https://rate.example/a%2Fb%20%C3%BC\"");
    sql("DELETE FROM talks");
    assert_ctl(ctl("export --page 'https://rate.example/{id}'"), 2);
    assert_said("nothing to export");
}

/* ---- QR codes ---- */

#define CODES "qr %s/codes --page 'https://rate.example/rate/talks/{id}'"

/* As others read it: drawn by librsvg, read by zbar. */
static void assert_code_says(const char *file, const char *page)
{
    run_shell("rsvg-convert --width 300 \"%s/codes/%s\" >%s/code.png", directory, file, directory);
    run_shell("test \"$(zbarimg -q --raw --nodbus %s/code.png)\" = '%s'", directory, page);
}

static void three_talks(void)
{
    sql("CREATE TABLE talks (uuid text PRIMARY KEY, title text)");
    sql("INSERT INTO talks (uuid) VALUES ('opening'), ('a/b ü&<'), ('it''s (1)!')");
}

static void codes_say_the_pages(void **state)
{
    (void)state;
    three_talks();
    run_shell("rm -rf %s/codes", directory);
    umask(077);
    assert_ctl(ctl(CODES, directory), 0);
    umask(022);
    assert_said("3 codes: 3 written, 0 as before; 0 of talks that are gone removed");
    assert_code_says("opening.svg", "https://rate.example/rate/talks/opening");
    assert_code_says("a%2Fb%20%C3%BC%26%3C.svg",
                     "https://rate.example/rate/talks/a%2Fb%20%C3%BC%26%3C");
    run_shell("rsvg-convert --width 300 \"%s/codes/it's%%20(1)!.svg\" >%s/code.png", directory,
              directory);
    run_shell("zbarimg -q --raw --nodbus %s/code.png | grep -qxF \"https://rate.example/rate/talks/"
              "it's%%20(1)!\"",
              directory);
    run_shell("test \"$(stat -c %%a %s/codes/opening.svg)\" = 644", directory);
    assert_ctl(ctl("qr %s/codes --page 'https://rate.example/{id}?a&b={id}'", directory), 0);
    assert_code_says("opening.svg", "https://rate.example/opening?a&b=opening");
}

static void codes_of_gone_talks_are_removed(void **state)
{
    (void)state;
    three_talks();
    run_shell("rm -rf %s/codes", directory);
    assert_ctl(ctl(CODES, directory), 0);
    run_shell("cd %s/codes && echo '<svg/>' >mine.svg && cp opening.svg note.txt && "
              "echo half >.ratingsctl.new",
              directory);
    sql("DELETE FROM talks WHERE uuid = 'opening'");
    assert_ctl(ctl(CODES " --dry-run --json", directory), 0);
    assert_said("\"codes\": 2,\n \"dryRun\": true,\n \"written\": 0,\n \"removed\": 1,\n "
                "\"leftOut\": 0");
    run_shell("test -e %s/codes/opening.svg", directory);
    assert_ctl(ctl(CODES, directory), 0);
    assert_said("2 codes: 0 written, 2 as before; 1 of talks that are gone removed");
    run_shell("cd %s/codes && ! test -e opening.svg && test -e mine.svg && test -e note.txt",
              directory);
    sql("INSERT INTO talks (uuid) VALUES ('new')");
    assert_ctl(ctl(CODES, directory), 0);
    assert_said("3 codes: 1 written, 2 as before");
    run_shell("! test -e %s/codes/.ratingsctl.new", directory);
}

/* By a link of the temporary file's name nothing of others is written, and by a pipe none waits. */
static void what_has_the_temporary_name_goes(void **state)
{
    (void)state;
    three_talks();
    run_shell("cd %s && rm -rf codes && mkdir codes && echo mine >mine.txt && "
              "ln mine.txt codes/.ratingsctl.new",
              directory);
    assert_ctl(ctl(CODES, directory), 0);
    run_shell("cd %s && grep -qx mine mine.txt && rm codes/*.svg && mkfifo codes/.ratingsctl.new",
              directory);
    assert_ctl(ctl(CODES, directory), 0);
    run_shell("test -f %s/codes/opening.svg", directory);
}

static void files_of_others_are_kept(void **state)
{
    (void)state;
    three_talks();
    run_shell("rm -rf %s/codes && mkdir %s/codes && echo mine >%s/codes/opening.svg", directory,
              directory, directory);
    assert_ctl(ctl(CODES, directory), 2);
    assert_said("codes/opening.svg is in the way, and not of ratingsctl talks qr");
    run_shell("grep -qx mine %s/codes/opening.svg", directory);
    run_shell("cd %s/codes && rm opening.svg && mkdir opening.svg", directory);
    assert_ctl(ctl(CODES, directory), 2);
    assert_said("codes/opening.svg is in the way");
}

static void codes_that_cannot_be(void **state)
{
    (void)state;
    three_talks();
    run_shell("rm -rf %s/codes", directory);
    assert_ctl(ctl("qr %s/codes", directory), 2);
    assert_said("talks qr takes --page");
    assert_ctl(ctl("qr"), 2);
    assert_ctl(ctl("qr %s/none/codes --page 'https://rate.example/{id}'", directory), 2);
    assert_said("none/codes cannot be made: No such file or directory");
    sql("INSERT INTO talks (uuid) VALUES (repeat('ü', 50)), ('')");
    assert_ctl(ctl(CODES, directory), 1);
    assert_said("3 codes: 3 written");
    assert_said("2 talks have ids");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/codes", directory);
    int other = open(path, O_RDONLY);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_ctl(ctl(CODES, directory), 2);
    assert_said("another ratingsctl is at work there");
    close(other);
}

/* ---- tables of others ---- */

static void table_of_two_columns_will_do(void **state)
{
    (void)state;
    sql("CREATE TABLE talks (uuid text PRIMARY KEY, title text)");
    assert_ctl(ctl("import " SCHEDULE), 0);
    assert_said("without the columns speakers, room, track, starts_at, ends_at, language, url, "
                "which the table lacks");
    assert_said("5 added");
    assert_ctl(ctl("import " SCHEDULE " --opens end"), 2);
    assert_said("the table talks has no column opens_at: ratingsctl talks migrate adds it");
    assert_ctl(ctl("migrate"), 0);
    assert_ctl(ctl("import " SCHEDULE " --opens end"), 0);
    assert_said("5 changed");
}

static void no_table_is_said(void **state)
{
    (void)state;
    assert_ctl(ctl("import " SCHEDULE), 2);
    assert_said("there is no table talks with uuid and title: ratingsctl talks migrate makes it");
}

static void column_of_type_uuid(void **state)
{
    (void)state;
    sql("CREATE TABLE talks (uuid uuid PRIMARY KEY, title text)");
    assert_ctl(ctl("import " SCHEDULE " --id guid"), 0);
    assert_said("6 added");
    assert_ctl(ctl("import " SCHEDULE " --id guid"), 0);
    assert_said("0 added, 0 changed, 0 gone, 6 as before");
    assert_ctl(ctl("import " SCHEDULE), 2);
    assert_said("PostgreSQL: ERROR:  invalid input syntax for type uuid");
}

/* What does not fit is an error, and is not cut. */
static void narrow_column_is_an_error(void **state)
{
    (void)state;
    sql("CREATE TABLE talks (uuid text PRIMARY KEY, title varchar(20))");
    sql("INSERT INTO talks VALUES ('a', 'A')");
    assert_ctl(ctl("import " SCHEDULE " --yes"), 2);
    assert_said("value too long for type character varying(20)");
    assert_string_equal(sql("SELECT count(*) FROM talks"), "1");
}

static void import_many(int talks, int code)
{
    run_shell("{ echo title,id,start,duration,speakers; seq %d | sed 's/.*/Talk "
              "&,t&,2026-11-28T10:00:00Z,0:45,"
              "Ada; Bo/'; } >%s/many.csv",
              talks, directory);
    assert_ctl(ctl("import %s/many.csv --opens start", directory), code);
}

static void as_many_as_are_allowed(void **state)
{
    (void)state;
    ctl("migrate");
    import_many(20000, 0);
    assert_said("CSV, 20000 talks: 20000 added, 0 changed");
    import_many(20000, 0);
    assert_said("0 added, 0 changed, 0 gone, 20000 as before");
    import_many(20001, 2);
    assert_said("many.csv, line 20002: the schedule has more than 20000 talks");
}

static void one_import_at_a_time(void **state)
{
    PGconn *other = connect_as_owner();
    (void)state;
    ctl("migrate");
    sql_on(other, "BEGIN; SELECT pg_advisory_xact_lock(x'72617469'::int, x'6e6773'::int)");
    assert_ctl(ctl("import " SCHEDULE), 2);
    assert_said("another import is under way");
    sql_on(other, "ROLLBACK; BEGIN; LOCK TABLE talks");
    assert_ctl(ctl("import " SCHEDULE " --timeout 1"), 2);
    assert_said("PostgreSQL: ");
    PQfinish(other);
    assert_string_equal(sql("SELECT count(*) FROM talks"), "0");
}

static void words_are_checked(void **state)
{
    static const char *const wrong[][2] = {
        {"--json", "talks takes import FILE|migrate"},
        {"import", "talks takes import with a file"},
        {"migrate x", "talks takes import with a file"},
        {"export x", "talks takes import with a file"},
        {"export", "talks export takes --page"},
        {"export --page https://x.example/", "--page takes a url with {id} in it"},
        {"import x --id slug", "--id takes code, guid or uid"},
        {"import x --zone Mars", "--zone takes a zone"},
        {"import x --opens noon", "--opens takes a time like \"5 min before end\""},
        {"import x --closes noon", "--closes takes a time like \"7 days after end\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_ctl(ctl("%s", wrong[i][0]), 2);
        assert_said(wrong[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(migrate_makes_the_table, without_table),
        cmocka_unit_test_setup(migrate_adds_columns, without_table),
        cmocka_unit_test_setup(import_fills_the_table, without_table),
        cmocka_unit_test(twice_is_once),
        cmocka_unit_test(dry_run_changes_nothing),
        cmocka_unit_test(edited_talks_change),
        cmocka_unit_test(gone_talks_are_removed),
        cmocka_unit_test(replacing_more_than_half_asks),
        cmocka_unit_test(broken_file_changes_nothing),
        cmocka_unit_test(another_format_is_no_other_talk),
        cmocka_unit_test(json_report),
        cmocka_unit_test_setup(export_gives_the_schedule_back, without_table),
        cmocka_unit_test_setup(days_end_by_the_clock, without_table),
        cmocka_unit_test_setup(days_of_1970_may_begin_before, without_table),
        cmocka_unit_test(talks_without_times_are_left_out),
        cmocka_unit_test_setup(codes_say_the_pages, without_table),
        cmocka_unit_test_setup(codes_of_gone_talks_are_removed, without_table),
        cmocka_unit_test_setup(what_has_the_temporary_name_goes, without_table),
        cmocka_unit_test_setup(files_of_others_are_kept, without_table),
        cmocka_unit_test_setup(codes_that_cannot_be, without_table),
        cmocka_unit_test_setup(table_of_two_columns_will_do, without_table),
        cmocka_unit_test_setup(no_table_is_said, without_table),
        cmocka_unit_test_setup(column_of_type_uuid, without_table),
        cmocka_unit_test_setup(narrow_column_is_an_error, without_table),
        cmocka_unit_test_setup(as_many_as_are_allowed, without_table),
        cmocka_unit_test_setup(one_import_at_a_time, without_table),
        cmocka_unit_test(words_are_checked),
    };
    return cmocka_run_group_tests_name("import", tests, set_up, tear_down);
}
