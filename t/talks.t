# GET /talks and GET /talks/ID: pages, searching, orders, ratings; hidden results stay hidden.
use strict;
use warnings;
use utf8;
use Encode qw(encode_utf8 decode_utf8);
use IPC::Open2 qw(open2);
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;
use RatingsTest::Windows;

my %own = (topic => 'ratings-talks-' . int(time) . "-$$", database => 13);
my $one = mpm() eq 'prefork' # one child, which knows the list
    ? "StartServers 1\nMinSpareServers 1\nMaxSpareServers 1\nMaxRequestWorkers 1\n"
    : "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n";

sub listed { my ($query, @at) = @_; return get('/talks' . (length $query ? "?$query" : ''), @at) }
sub decoded { my ($response) = @_; return json($response->body) // {} }
sub ids_of { my ($response) = @_; return join ' ', map { $_->{talkId} } @{ decoded($response)->{talks} // [] } }
sub q_of { my ($text) = @_; return 'q=' . RatingsTest::escape(encode_utf8($text)) }

# All pages of a query, their ids joined by a bar
sub pages {
    my ($query, @at) = @_;
    my ($cursor, @pages) = ('');
    for (1 .. 50) {
        my $page = listed($query . $cursor, @at);
        push @pages, ids_of($page);
        my $next = decoded($page)->{next} or return join '|', @pages;
        $cursor = "&cursor=$next";
    }
    return 'no end';
}

# ---- a schedule ----

my $columns = ', title text, speakers text[], room text, track text, starts_at timestamptz, ends_at timestamptz, '
    . 'opens_at timestamptz, closes_at timestamptz, language text, url text';
make_database('schedule', $columns);
make_database('bare', ', title varchar(255)');
make_database('odd',  ', title text, starts_at timestamp');
RatingsTest::psql("alter database schedule set timezone = 'Europe/Berlin'");

sub add_talks {
    in_database('schedule', encode_utf8(<<'END'));
insert into talks (uuid, title, speakers, track, room, starts_at, ends_at, language, url) values
    ('zig',    'Zig in anger',              '{"Ann Lee","Bo"}',        'Systems', 'A', '2026-11-29 09:00+01', '2026-11-29 09:30+01', 'en', 'https://example.org/zig'),
    ('cafe',   'Café society',              '{"Zoë Übel"}',            'Web',     'B', '2026-11-29 10:00+01', null, 'fr', null),
    ('late',   'after midnight',            '{}',                      'Web',     'A', '2026-11-30 00:30+01', null, null, null),
    ('russian','Привет, Мир',               '{"Иван"}',                'Web',     'A', '2026-11-29 10:00+01', null, 'ru', null),
    ('quoted', 'A "quoted" \ title, <b>',   '{"O''Brien, \"Flo\""}',   null,      null, null, null, null, null),
    ('same-b', 'Same title',                null,                      'Systems', null, null, null, null, null),
    ('same-a', 'same Title',                null,                      'Systems', null, null, null, null, null),
    ('untitled', null,                      null,                      null,      null, null, null, null, null);
insert into talks (uuid) values ('');
END
    return;
}
add_talks();
my $by_title = 'untitled quoted late cafe same-a same-b zig russian';

{
    my ($httpd, @at) = start_with('talks', 'schedule', \%own, before => "RatingsTalkTTL 0\n");

    # ---- a page ----

    my $all = listed('', @at);
    is($all->status, 200, 'the talks');
    is(ids_of($all), $by_title, 'by their titles, without case and accents; those without an id are none');
    is($all->header('Content-Type'), 'application/json', 'as JSON');
    is($all->header('Cache-Control'), 'no-cache', 'to be validated');
    is(decoded($all)->{timeZone}, 'Europe/Berlin', 'the days are those of the session');
    ok(!exists decoded($all)->{next}, 'one page');
    my %talk = map { $_->{talkId} => $_ } @{ decoded($all)->{talks} };
    is_deeply($talk{zig}, {
        talkId => 'zig', title => 'Zig in anger', speakers => [ 'Ann Lee', 'Bo' ], room => 'A', track => 'Systems', language => 'en',
        url => 'https://example.org/zig', day => '2026-11-29', startsAt => '2026-11-29T08:00:00Z', endsAt => '2026-11-29T08:30:00Z',
    }, 'a talk, with all that is known');
    is_deeply($talk{untitled}, { talkId => 'untitled' }, 'what is unknown is left out');
    is($talk{quoted}{title}, 'A "quoted" \ title, <b>', 'a title that needs escapes');
    is_deeply($talk{quoted}{speakers}, [ q(O'Brien, "Flo") ], 'a speaker who does');
    is_deeply($talk{late}{speakers}, [], 'no speakers');

    for my $limit (1, 2, 3, 7, 8) {
        my $query = "limit=$limit";
        is(pages($query, @at) =~ tr/|/ /r, $by_title, "in pages of $limit");
        is(pages("$query&sort=start", @at) =~ tr/|/ /r, 'zig cafe russian late untitled quoted same-a same-b', "by their starts, in pages of $limit");
    }
    is(pages('limit=3', @at), 'untitled quoted late|cafe same-a same-b|zig russian', 'a page is as long as the limit');

    # ---- validation ----

    my $tag = $all->header('ETag');
    like($tag, qr/^"[0-9a-f]{24}"$/, 'a strong entity tag');
    my $unchanged = listed('', @at, headers => [ 'If-None-Match' => $tag ]);
    is($unchanged->status, 304, 'nothing has changed');
    is($unchanged->body, '', 'a 304 has no body');
    problem_ok(listed('', @at, headers => [ 'If-Match' => '"other"' ]), 412, 'If-Match');
    my $head = client(@at)->request('HEAD', '/talks');
    is_deeply($head->stable_headers, $all->stable_headers, 'HEAD says as much as GET');
    is($head->body, '', 'without a body');

    # ---- searching ----

    for my $row (
        [ 'ZIG', 'zig' ], [ 'cafe', 'cafe' ], [ 'CAFÉ', 'cafe' ], [ "cafe\x{301}", 'cafe' ], [ 'zoe', 'cafe' ], [ 'ubel zoe', 'cafe' ], [ 'ПРИВЕТ', 'russian' ],
        [ 'иван мир', 'russian' ], [ 'same', 'same-a same-b' ], [ 'ann society', '' ], [ 'ann anger', 'zig' ], [ '"quoted" \\', 'quoted' ], [ '%', '' ], [ '_', '' ],
        [ "'", 'quoted' ], [ ' ', $by_title ], [ 'nobody', '' ], [ "\x{1F600}", '' ],
        )
    {
        my ($text, $expected) = @$row;
        is(ids_of(listed(q_of($text), @at)), $expected, 'found by ' . encode_utf8($text));
    }
    is(pages('limit=1&' . q_of('same'), @at), 'same-a|same-b', 'what is found has pages, too');
    is(ids_of(listed('track=Web', @at)), 'late cafe russian', 'a track');
    is(ids_of(listed('track=web', @at)), '', 'is compared byte by byte');
    is(ids_of(listed('day=2026-11-29', @at)), 'cafe zig russian', 'a day');
    is(ids_of(listed('day=2026-11-30&track=Web', @at)), 'late', 'a day of the zone, and a track');
    is(ids_of(listed('day=2026-11-29&track=Web&sort=start&' . q_of('o'), @at)), 'cafe', 'all together');

    # ---- what is none of it ----

    for my $query ('q=', 'q=%FF', 'q=%0a', 'q=a&q=b', 'sort=size', 'day=today', 'limit=0', 'limit=101', 'include=all', 'page=2', 'talkId=zig', 'cursor=', 'cursor=74', 'cursor=zz', 'q=%2') {
        my $response = listed($query, @at);
        problem_ok($response, 400, "?$query");
        is($response->header('Content-Type'), 'application/problem+json', "?$query: a problem document");
    }
    my $next = decoded(listed('limit=1', @at))->{next};
    problem_ok(listed("sort=start&cursor=$next", @at), 400, 'a cursor of another order');
    problem_ok(listed('sort=score', @at), 501, 'talks are not ranked');
    for my $method (qw(POST DELETE PUT)) {
        for my $path ('/talks', '/talks/zig') {
            my $response = client(@at)->request($method, $path, []);
            problem_ok($response, 405, "$method $path");
            is($response->header('Allow'), 'GET, HEAD, OPTIONS', "$method $path: what it takes");
        }
    }

    # ---- one talk ----

    my $zig = get('/talks/zig', @at);
    is($zig->status, 200, 'one talk');
    is_deeply(decoded($zig), $talk{zig}, 'as it is in the list');
    is(get('/talks/zig', @at, headers => [ 'If-None-Match' => $zig->header('ETag') ])->status, 304, 'it is validated');
    is_deeply(decoded(get('/talks/zig?include=ratings', @at)), { %{ $talk{zig} }, ratings => { map { $_ => 0 } 1 .. 5 }, stats => { avg => 0, totalCount => 0 } }, 'with its ratings');
    problem_ok(get("/talks/$_", @at), 404, "no talk /talks/$_") for 'nobody', 'zig/', 'zig/more', 'ZIG', 'caf%C3%A9', '%01', '', 'x' x 300;
    problem_ok(get("/talks/zig?$_", @at), 400, "/talks/zig?$_") for 'q=a', 'include=x', 'include=ratings&include=ratings', 'limit=1';

    # ---- ratings ----

    is(rate($_->[0], $_->[1], @at)->status, 200, "a rating of $_->[0]") for [ zig => 5 ], [ zig => 4 ], [ cafe => 1 ];
    my %rated = map { $_->{talkId} => $_ } @{ decoded(listed('include=ratings', @at))->{talks} };
    is_deeply($rated{zig}, { %{ $talk{zig} }, %{ histogram_of('zig', @at) } }, 'the members that GET /ratings answers');
    is_deeply($rated{cafe}{stats}, { avg => 1, totalCount => 1 }, 'statistics of the counts');
    is_deeply($rated{late}{stats}, { avg => 0, totalCount => 0 }, 'no ratings');
    for my $value (1 .. 5) { # each is there at once
        is(rate('late', $value, @at)->status, 200, "late: $value");
        my ($late) = grep { $_->{talkId} eq 'late' } @{ decoded(listed('include=ratings&track=Web', @at))->{talks} };
        is($late->{stats}{totalCount}, $value, "late: a rating that was answered with 200 is counted ($value)");
    }

    # ---- edits ----

    in_database('schedule', "update talks set title = 'Zag' where uuid = 'zig'; delete from talks where uuid = 'same-a'");
    is(ids_of(listed('limit=4&' . q_of('zag'), @at)), 'zig', 'an edit is seen');
    is(pages('limit=2', @at), 'untitled quoted|late cafe|same-b zig|russian', 'and so is a talk that is gone');
    $httpd->stop;
}

# ---- tables that lack columns, or have others ----

in_database('bare', "insert into talks values ('b', 'Second'), ('a', 'First')");
{
    my ($httpd, @at) = start_with('bare', 'bare', \%own, before => "RatingsTalkTTL 0\n");
    is_deeply(decoded(listed('', @at))->{talks}, [ { talkId => 'a', title => 'First' }, { talkId => 'b', title => 'Second' } ], 'a table of ids and titles');
    is(ids_of(listed('sort=start', @at)), 'a b', 'whose talks have no starts');
    is_deeply(decoded(get('/talks/a', @at)), { talkId => 'a', title => 'First' }, 'one of them');
    is(rate('a', 3, @at)->status, 200, 'which can be rated');
    in_database('bare', "alter table talks add starts_at timestamptz; update talks set starts_at = '2026-01-01 12:00Z' where uuid = 'b'");
    is(ids_of(listed('sort=start', @at)), 'b a', 'a column that is added is seen');
    $httpd->stop;
}
RatingsTest::psql(q{alter database bare set timezone = '<q"\z>-1'});
{
    my ($httpd, @at) = start_with('zone', 'bare', \%own, before => "RatingsTalkTTL 0\n");
    is(decoded(listed('', @at))->{timeZone}, '<Q"\Z>-1', 'PostgreSQL has zones that JSON escapes');
    $httpd->stop;
}
in_database('odd', "insert into talks values ('a', 'First')");
{
    my ($httpd, @at) = start_with('odd', 'odd', \%own, before => "RatingsTalkTTL 0\nRatingsBreakerFailures 2\n");
    for (1 .. 4) {
        my $response = listed('', @at);
        problem_ok($response, 503, 'a column of another type');
        ok($response->header('Retry-After'), 'is to be mended');
    }
    ok($httpd->log->has(qr/RT0501: .*must be timestamptz/), 'the log says which');
    is(rate('a', 3, @at)->status, 200, 'and stops no rating');
    $httpd->stop;
}

# ---- for how long the list is known ----

{
    my ($httpd, @at) = start_with('known', 'schedule', \%own, before => "RatingsTalkTTL 1h\n", sizes => $one);
    is(listed(q_of('zag'), @at)->status, 200, 'the list is read');
    in_database('schedule', "insert into talks (uuid, title) values ('new', 'Zag again')");
    is(ids_of(listed(q_of('zag'), @at)), 'zig', 'and known for RatingsTalkTTL');
    is(get('/talks/new', @at)->status, 200, 'a talk by its id is looked up');
    $httpd->stop;
}

# ---- how it is read anew ----

my $slack = slower(3);
my @asked = ('-X', '-q', '-A', '-t', RatingsTest::Windows::connection_to('schedule'));

# The table cannot be read until the code that is returned is called.
sub lock_talks {
    my $psql = open2(my $from, my $to, 'psql', @asked);
    print {$to} "begin; lock table talks;\n\\echo locked\n";
    is(scalar <$from>, "locked\n", 'the table is locked');
    return sub { close $to; waitpid $psql, 0 };
}
sub readers_that_wait { return 0 + RatingsTest::run_program('psql', '-c', q(select count(*) from pg_stat_activity where datname = 'schedule' and wait_event_type = 'Lock'), @asked)->{out} }

{
    my $ttl = 6 * $slack;
    my ($httpd, @at) = start_with('renewed', 'schedule', \%own, sizes => $one,
        before => "RatingsTalkTTL ${ttl}s\nRatingsTalksTimeout ${\(3 * $slack)}s\nRatingsBreakerFailures 1000\n");
    my ($title, $slowest) = ('zag', 0);
    my $found = sub {
        my $begun    = time;
        my $response = listed(q_of($title), @at);
        $slowest = max($slowest, time - $begun);
        return $response->status == 200 ? ids_of($response) : $response->status;
    };
    # The key of what is searched for is PostgreSQL's, too; it reads no table.
    is($found->(), 'zig new', 'the list is read');
    my $read_at = time;
    in_database('schedule', "insert into talks (uuid, title) values ('newest', 'Zag at last')");
    my $unlock = lock_talks();
    $slowest = 0;
    ok(wait_until(sub { $found->() eq 'zig new' && readers_that_wait() }, $ttl), 'half of RatingsTalkTTL over, the list is read anew');
    cmp_ok(time - $read_at, '>=', $ttl / 2, 'no earlier');
    is($found->(), 'zig new', 'requests are answered meanwhile') for 1 .. 5;
    is(readers_that_wait(), 1, 'and one thread reads for all');
    cmp_ok($slowest, '<', 1 * $slack, 'no request has waited for it');
    $unlock->();
    ok(wait_until(sub { $found->() eq 'zig new newest' }, 3), 'what it has read is there');
    cmp_ok($slowest, '<', 1 * $slack, 'still none has waited');

    $unlock = lock_talks();
    ok(wait_until(sub { $found->(); readers_that_wait() }, $ttl), 'while a thread reads');
    my $begun = time;
    $httpd->stop;
    cmp_ok(time - $begun, '<', 3 * $slack, 'httpd stops');
    $unlock->();

    $httpd->start;
    ok(wait_ready(@at), 'and starts');
    is($found->(), 'zig new newest', 'the list is read');
    $unlock = lock_talks();
    is(wait_until(sub { my $answer = $found->(); $answer ne 'zig new newest' && $answer }, $ttl + 3), 503, 'no list is served that is older than RatingsTalkTTL');
    $unlock->();
    ok(wait_until(sub { $found->() eq 'zig new newest' }, 3), 'it is read once it can be');
    $httpd->stop;
}

# ---- hidden, and ranked ----

my $hiding = <<'END';
<Location "/closed">
    RatingsEndpoint talks
    RatingsHide until-closed
</Location>
<Location "/few">
    RatingsEndpoint talks
    RatingsHide below=3
</Location>
<Location "/open">
    RatingsEndpoint talks
    RatingsHide never
    RatingsOrigin https://wall.example
</Location>
END
in_database('schedule', 'delete from talks; insert into talks (uuid, title) values ' . join ', ', map { "('$_', '$_')" } qw(h1 h2 h3 s1 s2 s3));
{
    my %ranked = (%own, topic => "$own{topic}-ranked", database => 10);
    my ($httpd, @at) = start_with('ranked', 'schedule', \%ranked, before => "RatingsTalkTTL 0\nRatingsRankingPrior 1,1,1,1,1\n", after => $hiding);
    my %values = (h1 => [ 1, 1, 1, 1 ], h2 => [ 5, 5, 5, 5 ], h3 => [3], s1 => [ 2, 2, 2 ], s2 => [ 5, 5, 5 ]);
    for my $id (sort keys %values) { rate($id, $_, @at)->status == 200 or diag("$id not rated") for @{ $values{$id} } }
    in_database('schedule', "update talks set closes_at = now() + interval '1 hour' where uuid in ('h1', 'h2'); update talks set closes_at = '2020-01-01' where uuid like 's%'");
    my $order = sub { my ($path, $query) = @_; return ids_of(get("$path?sort=score" . ($query // ''), @at)) };

    is($order->('/open'), 'h2 s2 h3 s1 h1 s3', 'the best first, those without ratings last');
    is(pages_of('/open', 'sort=score&limit=2', @at), 'h2 s2|h3 s1|h1 s3', 'in pages');
    is($order->('/closed'), 's2 s1 h1 h2 h3 s3', 'hidden ones are among those without ratings, by title');
    is(pages_of('/closed', 'sort=score&limit=1', @at), 's2|s1|h1|h2|h3|s3', 'in pages');
    my @cursors = map { decoded(get("/closed?sort=score&limit=$_", @at))->{next} } 3, 4;
    unlike(pack('H*', $_), qr/^r-/, 'a cursor at a hidden talk has no score') for @cursors;
    for my $path ('/few', '/talks') { # the sample's has no rule of its own: both of the server hold
        problem_ok(get("$path?sort=score", @at), 501, "$path: no order by scores where few ratings are hidden");
    }

    my @wall = (@at, headers => [ Origin => 'https://wall.example' ]);
    is(get($_, @wall)->header('Access-Control-Allow-Origin'), 'https://wall.example', "$_ of another origin") for '/open', '/open/s2';
    is(get('/talks', @wall)->header('Access-Control-Allow-Origin'), undef, 'where no origin is named, none may');

    my %seen;
    for my $path ('/open', '/closed', '/few', '/talks') {
        $seen{$path} = { map { $_->{talkId} => $_ } @{ decoded(get("$path?include=ratings", @at))->{talks} } };
    }
    my $hidden = sub { my ($path) = @_; return join ' ', grep { $seen{$path}{$_}{hidden} } sort keys %{ $seen{$path} } };
    is($hidden->('/open'), '', '/open hides nothing');
    is($hidden->('/closed'), 'h1 h2 h3', '/closed: what is open');
    is($hidden->('/few'), 'h3 s3', '/few: what has few ratings');
    is($hidden->('/talks'), 'h1 h2 h3 s3', '/talks: what is hidden anywhere');
    is_deeply({ %{ $seen{'/closed'}{h1} }, talkId => 0, title => 0, closesAt => 0, until => 0 }, { %{ $seen{'/closed'}{h2} }, talkId => 0, title => 0, closesAt => 0, until => 0 },
        'nothing tells hidden talks apart');
    for my $talk (qw(h1 h2)) {
        my $alone = decoded(get("/closed/$talk?include=ratings", @at));
        is_deeply($alone, $seen{'/closed'}{$talk}, "$talk by itself says the same");
        ok($alone->{hidden} && !$alone->{ratings} && !$alone->{stats} && $alone->{totalCount} == 4, "$talk: a number alone");
    }
    is(decoded(get('/talks/s2?include=ratings', @at))->{stats}{avg}, 5, 'what is not hidden is shown');
    $httpd->stop;
}

sub pages_of {
    my ($path, $query, @at) = @_;
    my ($cursor, @pages) = ('');
    for (1 .. 20) {
        my $page = get("$path?$query$cursor", @at);
        push @pages, ids_of($page);
        my $next = decoded($page)->{next} or return join '|', @pages;
        $cursor = "&cursor=$next";
    }
    return 'no end';
}

drop_databases();
finish();
