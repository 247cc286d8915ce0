# A talk's window: when it may be rated, and what a rating outside of it is answered.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::Windows;

my @usual = (qr/RT020[1-4]: circuit breaker/, qr/RT030[12]: /, qr/RT0305: /, qr/RT0501: /);
my $slack = sanitized() ? 3 : 1;
my %own   = (topic => 'ratings-windows', database => 12);

sub talk { return talk_within('with_windows', @_) }
sub edit { return edit_talk('with_windows', @_) }
sub start { my ($name, $database, $directives) = @_; return start_with($name, $database, \%own, before => $directives) }

# A 403, with the bounds of the window that are known
sub refused_ok {
    my ($response, $name, %bound) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $problem = problem_ok($response, 403, $name);
    for my $member (qw(opens closes)) {
        is($problem->{"${member}At"}, defined $bound{$member} ? rfc3339($bound{$member}) : undef, "$name: ${member}At");
    }
    return $problem;
}

make_database('with_windows', ', opens_at timestamptz, closes_at timestamptz');
make_database('without_windows', '');

# ---- open, to come, closed ----

{
    my ($httpd, @at) = start('windows', 'with_windows', "RatingsTalkTTL 1h\n");
    my $now = int time;
    for my $open ({}, { opens_at => $now - 60 }, { closes_at => $now + 600 }, { opens_at => $now - 60, closes_at => $now + 600 },
        { opens_at => '-infinity', closes_at => 'infinity' })
    {
        is(rate(talk(%$open), 4, @at)->status, 200, 'open: ' . to_json($open));
    }

    my ($opens, $closes) = ($now + 3600.25, $now + 7200);
    my $response = rate(talk(opens_at => $opens, closes_at => $closes), 4, @at);
    refused_ok($response, 'to come', opens => $opens, closes => $closes);
    my $left = $opens - time;
    ok($response->header('Retry-After') >= $left && $response->header('Retry-After') <= $left + 30, 'to come: Retry-After until the opening')
        or diag($response->header('Retry-After') . " for $left");
    is($response->header('Cache-Control'), 'no-store', 'to come: no cache keeps it');
    $response = post_form('value=5&talkId=' . talk(opens_at => $opens), @at);
    refused_ok($response, 'to come, without an end, by a form', opens => $opens);

    for my $closed ({ closes => $now - 1 }, { opens => $now - 20, closes => $now - 10 }, { opens => $now + 20, closes => $now + 10 }) {
        my $response = rate(talk(opens_at => $closed->{opens}, closes_at => $closed->{closes}), 4, @at);
        refused_ok($response, 'closed: ' . to_json($closed), %$closed);
        is($response->header('Retry-After'), undef, 'closed: no Retry-After');
    }
    refused_ok(rate(talk(opens_at => 'infinity'), 4, @at), 'an opening that never comes');
    refused_ok(rate(talk(closes_at => '-infinity'), 4, @at), 'an end before all times');

    my $closed = talk(closes_at => $now - 1);
    is(histogram_of($closed, @at)->{stats}{totalCount}, 0, 'a talk that is closed can be read');
    is(post(to_json({ talkId => $closed, value => 6 }), @at)->status, 400, 'what is no rating is a 400 first');
    is(rate("$closed-none", 5, @at)->status, 404, 'a talk that does not exist is a 404');

    # ---- on the second, while the look-up is cached ----

    my $opening = time + 2 * $slack;
    my $talk = talk(opens_at => $opening, closes_at => $opening + 2 * $slack);
    my (%first, %last);
    while (time < $opening + 3 * $slack) {
        my $before = time;
        my $status = rate($talk, 5, @at)->status;
        $first{$status} //= $before;
        $last{$status} = time;
        push @{ $first{order} }, $status if !$first{order} || $first{order}[-1] != $status;
        sleep 0.01;
    }
    is(join(' ', @{ $first{order} }), '403 200 403', 'a window opens and closes');
    ok($last{200} > $opening && $first{200} < $opening + 0.5 * $slack, 'it opens on the second') or diag("$first{200} for $opening");
    ok($last{200} < $opening + 2.5 * $slack, 'it closes on the second') or diag("$last{200} for $opening");

    # ---- a body that comes after the end ----

    my $end  = time + 2 * $slack;
    my $late = talk(closes_at => $end);
    is(rate($late, 5, @at)->status, 200, 'a rating in time');
    my $slow = client(@at);
    my $body = to_json({ talkId => $late, value => 5 });
    $slow->send("POST /ratings HTTP/1.1\r\nHost: main.test\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n{");
    wait_until(sub { time > $end }, 5, 0.02);
    $slow->send(substr $body, 1);
    refused_ok($slow->receive('POST'), 'a rating whose body comes after the end', closes => $end);
    is(total(histogram_of($late, @at)), 1, 'does not count');

    # ---- without PostgreSQL ----

    $end = time + 4 * $slack;
    my $known = talk(closes_at => $end);
    is(rate($known, 5, @at)->status, 200, 'a talk that is known');
    expect_log(@usual);
    stack('stop', 'postgres');
    is(rate($known, 5, @at)->status, 200, 'can be rated without PostgreSQL') if time < $end - 1;
    ok(wait_until(sub { rate($known, 5, @at)->status == 403 }, 6), 'until it closes');
    ok(time >= $end, 'and not before');
    stack('start', 'postgres');
    $httpd->stop;
}

# ---- edits ----

{
    my ($httpd, @at) = start('edits', 'with_windows', "RatingsTalkTTL 2s\n");
    ok(wait_until(sub { rate(talk(), 5, @at)->status == 200 }, 20), 'PostgreSQL has recovered');
    my $talk = talk();
    is(rate($talk, 5, @at)->status, 200, 'a talk without bounds');
    edit($talk, closes_at => time - 1);
    ok(wait_until(sub { rate($talk, 5, @at)->status == 403 }, 2 + 2 * $slack), 'is closed by an edit within RatingsTalkTTL');
    edit($talk, closes_at => undef);
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 2 + 2 * $slack), 'and opened again');
    $httpd->stop;
}

# ---- repeats ----

{
    my ($httpd, @at) = start('repeats', 'with_windows', "RatingsTalkTTL 0\n");
    my $talk = talk();
    my @key  = (headers => [ 'Idempotency-Key' => '"first"' ]);
    is(rate($talk, 5, @at, @key)->status, 200, 'a rating with a key');
    is(rate($talk, 4, @at)->status, 200, 'and one without');
    my $before = histogram_of($talk, @at);
    my $end = int time - 1;
    edit($talk, closes_at => $end);
    my $since = time;
    my $again = rate($talk, 5, @at, @key);
    is($again->status, 200, 'after the end the same rating with the same key is answered as before');
    is($again->body, to_json({ rating => { talk_uuid => $talk, value => 5 } }), 'word for word');
    problem_ok(rate($talk, 1, @at, @key), 422, 'another rating with the same key as well');
    refused_ok(rate($talk, 5, @at, headers => [ 'Idempotency-Key' => '"second"' ]), 'one with a key that was not used', closes => $end);
    refused_ok(rate($talk, 5, @at), 'one without a key', closes => $end);
    is_deeply(histogram_of($talk, @at), $before, 'nothing of it counts');
    is(scalar(grep { ($_->{key} // '') eq $talk } topic_since($since, $own{topic})), 0, 'nor is any of it in the log');

    # what is in the log counts, whatever the window is by now
    my $lost = redis(database => $own{database})->call('HGET', 'ratings:log', 'generation');
    redis(database => $own{database})->call('FLUSHDB');
    ok(wait_until(sub { (redis(database => $own{database})->call('HGET', 'ratings:log', 'generation') // $lost) ne $lost && histogram_of($talk, @at) }, 20), 'the store is rebuilt');
    is_deeply(histogram_of($talk, @at), $before, 'a rebuild after the end counts the same');
    is(rate($talk, 5, @at, @key)->status, 200, 'and the key still answers');

    expect_log(@usual);
    stack('stop', 'redis');
    problem_ok(rate($talk, 5, @at, @key), 503, 'without Redis nobody knows what became of a key');
    refused_ok(rate($talk, 5, @at), 'and without a key nobody needs to', closes => $end);
    stack('start', 'redis');
    ok(wait_until(sub { rate($talk, 5, @at, @key)->status == 200 }, 20), 'until Redis has recovered');
    $httpd->stop;
}

# ---- voters ----

{
    my $secret = secret_file('windows.secret', "a secret of the tests, thirty-two bytes or more\n");
    my ($httpd, @at) = start_with('window-voters', 'with_windows', { topic => 'ratings-window-voters', database => 6 }, before => qq(RatingsVoterSecret "file:$secret"\n),
        after => qq(<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\n</Location>\n));
    my @ann = ('X-User' => 'ann');
    my $withdraw = sub { my ($talk, @headers) = @_; return client(@at)->request('DELETE', "/ratings?talkId=$talk", \@headers) };
    my ($opens, $end) = (int(time) + 3600, int(time) - 1);
    my $talk = talk();
    is(rate($talk, 5, @at, headers => \@ann)->status, 200, 'a voter rates an open talk');
    is($withdraw->($talk, @ann)->status, 204, 'and withdraws the rating');
    for my $voter ([], \@ann) {
        refused_ok(rate(talk(closes_at => $end), 5, @at, headers => $voter), 'after the end nobody rates', closes => $end);
    }
    my $soon   = time + 2 * $slack;
    my $closed = talk(closes_at => $soon);
    is(rate($closed, 4, @at, headers => \@ann)->status, 200, 'a rating in time');
    ok(wait_until(sub { time > $soon }, 10), 'which is over');
    refused_ok(rate($closed, 5, @at, headers => \@ann), 'is not to be changed after the end', closes => $soon);
    is(json(get("/ratings/mine?talkId=$closed", @at, headers => \@ann)->body)->{rating}{value}, 4, 'though the voter sees it');
    my $since = time;
    my $late   = $withdraw->($closed, @ann);
    refused_ok($late, 'nor to be withdrawn', closes => $soon);
    is($late->header('Retry-After'), undef, 'at any time');
    my $early = $withdraw->(talk(opens_at => $opens), @ann);
    refused_ok($early, 'nor before the opening', opens => $opens);
    ok($early->header('Retry-After') > 3500, 'until which there is time');
    is(scalar(grep { ($_->{key} // '') eq $closed } topic_since($since, 'ratings-window-voters')), 0, 'nothing of it is in the log');
    $httpd->stop;
}

# ---- columns that are not there, and come later ----

{
    my ($httpd, @at) = start('columns', 'without_windows', "RatingsTalkTTL 1s\n");
    in_database('without_windows', "insert into talks values ('here')");
    is(rate('here', 5, @at)->status, 200, 'a table without the columns');
    in_database('without_windows', 'alter table talks add closes_at timestamptz');
    is(rate('here', 5, @at)->status, 200, 'a column of nothing');
    in_database('without_windows', 'update talks set closes_at = now()');
    ok(wait_until(sub { rate('here', 5, @at)->status == 403 }, 5 + 1 + 2 * $slack), 'is seen without a restart');
    in_database('without_windows', 'alter table talks drop closes_at');
    ok(wait_until(sub { rate('here', 5, @at)->status == 200 }, 1 + 2 * $slack), 'and so is that it went');
    ok(!$httpd->log->has(qr/RT0201|RT0501/), 'nobody has complained');
    in_database('without_windows', 'alter table talks add closes_at date');
    ok(wait_until(sub { get('/readyz', @at)->status == 503 }, 5 + 2 * $slack), 'a column of another type is a failure that readiness shows');
    ok(wait_until(sub { $httpd->log->has(qr/opens_at and closes_at of table talks must be timestamptz/) }, 5), 'and the log explains');
    $httpd->stop;
}

drop_databases();

finish();
