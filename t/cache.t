# What is remembered: answers, talks, statistics; for how long, and what ends it.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time sleep);
use RatingsTest;

my @usual = (qr/RT020[1-4]: .* is (away|back)/, qr/RT030[12]: /, qr/RT0305: /, qr/RT0501: /);
my %own   = (topic => 'ratings-cache', database => 8);
my $slack = sanitized() ? 3 : 1;

sub start {
    my ($name, $directives, %options) = @_;
    my $httpd = own_httpd(name => $name, %own, %options, before => $directives)->expect_log(@usual);
    $httpd->start;
    ok(wait_ready(port => $httpd->port), "$name: ready");
    return ($httpd, port => $httpd->port);
}

sub fives { my ($talk, @at) = @_; my $answer = histogram_of($talk, @at); return $answer ? $answer->{ratings}{5} : -1 }

# By hand, past the module: nobody is told.
sub edit { my ($talk, $count) = @_; redis(database => 8)->call('HSET', "ratings/$talk", 5, $count) }

# ---- answers ----

{
    my ($httpd, @at) = start('answers', "RatingsCacheTTL 3s\n");
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    my $first = get("/ratings?talkId=$talk", @at);
    my $begun = time;
    edit($talk, 7);
    my $second = get("/ratings?talkId=$talk", @at);
    is($second->body, $first->body, 'an answer is given again, without the store being read') if time - $begun < 1;
    is($second->header('ETag'), $first->header('ETag'), 'with the same entity tag');
    is(get("/ratings?talkId=$talk", @at, headers => [ 'If-None-Match' => $first->header('ETag') ])->status, 304, 'and is validated by it');
    ok(wait_until(sub { fives($talk, @at) == 7 }, 3 + 2 * $slack), 'an edit of the store by hand is seen after RatingsCacheTTL');
    is(rate($talk, 5, @at)->status, 200, 'another rating');
    is(fives($talk, @at), 8, 'is seen at once');
    edit($talk, 2);
    $httpd->stop;
}

{
    my ($httpd, @at) = start('no-answers', "RatingsCacheTTL 0\n");
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    for my $count (3, 4, 1) {
        is(histogram_of($talk, @at)->{ratings}{1}, 0, 'an answer');
        edit($talk, $count);
        is(fives($talk, @at), $count, 'RatingsCacheTTL 0: the store is read for each answer');
    }
    $httpd->stop;
}

# ---- what another host applies ----

{
    my ($one, @one) = start('one', "RatingsCacheTTL 1h\n");
    my ($two, @two) = start('two', "RatingsCacheTTL 1h\n", port => 2);
    my $talk = new_talk();
    my %late;
    for my $n (1 .. 10) {
        is(fives($talk, @$_), $n - 1, "both hosts know $n rating(s) less one") for \@one, \@two;
        is(rate($talk, 5, $n % 2 ? @one : @two)->status, 200, 'a rating on one of them');
        is(fives($talk, $n % 2 ? @one : @two), $n, 'which shows it at once');
        ok(wait_until(sub { fives($talk, $n % 2 ? @two : @one) == $n }, 1 + $slack), 'and the other within a second');
    }
    $_->stop for $one, $two;
}

# ---- the store is away ----

{
    my ($httpd, @at) = start('store-away', "RatingsCacheTTL 1h\n");
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    is(fives($talk, @at), 1, 'is shown');
    expect_log(@usual);
    stack('stop', 'redis');
    ok(wait_until(sub { get("/ratings?talkId=$talk", @at)->status == 503 }, 1 + 3 * $slack), 'without a store answers are given for no more than a second');
    stack('start', 'redis');
    ok(wait_until(sub { fives($talk, @at) == 1 }, 20), 'and again when it is back');
    $httpd->stop;
}

# ---- talks ----

{
    my ($httpd, @at) = start('talks', "RatingsTalkTTL 3s\n");
    my $talk = new_talk();
    my $none = "none-$talk";
    is(get("/ratings?talkId=$none", @at)->status, 404, 'a talk that does not exist');
    new_talks(1, $none);
    is(get("/ratings?talkId=$none", @at)->status, 200, 'is there as soon as it exists');
    is(rate($talk, 5, @at)->status, 200, 'a talk');
    my $begun = time;
    delete_talks($talk);
    is(rate($talk, 5, @at)->status, 200, 'is known for RatingsTalkTTL, also without the row') if time - $begun < 2;
    ok(wait_until(sub { get("/ratings?talkId=$talk", @at)->status == 404 }, 3 + 2 * $slack), 'and no longer');
    is(rate($talk, 5, @at)->status, 404, 'for POST as well');
    expect_log(@usual);
    stack('stop', 'postgres');
    stack('start', 'postgres');
    $httpd->stop;
}

{
    my ($httpd, @at) = start('talks-known', '');
    my ($talk, $other) = new_talks(2);
    is(rate($talk, 5, @at)->status, 200, 'a talk that is known');
    expect_log(@usual);
    stack('stop', 'postgres');
    is(rate($talk, 5, @at)->status, 200, 'can be rated without PostgreSQL');
    is(fives($talk, @at), 2, 'and read');
    is(get("/ratings?talkId=$other", @at)->status, 503, 'one that is not known cannot');
    stack('start', 'postgres');
    ok(wait_until(sub { rate($other, 5, @at)->status == 200 }, 20), 'until PostgreSQL is back');
    $httpd->stop;
}

{
    my ($httpd, @at) = start('talks-unknown', "RatingsTalkTTL 0\n");
    my $talk = new_talk();
    for (1 .. 3) {
        is(fives($talk, @at), 0, 'a talk');
        delete_talks($talk);
        is(get("/ratings?talkId=$talk", @at)->status, 404, 'RatingsTalkTTL 0: it is looked up for each request');
        is(rate($talk, 5, @at)->status, 404, 'POST or GET');
        new_talks(1, $talk);
    }
    $httpd->stop;
}

# ---- statistics ----

{
    my ($httpd, @at) = start('statistics', "RatingsCacheTTL 0\n");
    my ($talk, $same, $other) = new_talks(3);
    rate($_,     4, @at) for ($talk) x 3, ($same) x 3;
    rate($other, 4, @at) for 1 .. 4;
    ok(histogram_of($talk, @at)->{stats}, 'statistics');
    expect_log(@usual);
    stack('stop', 'lambda');
    is_deeply(histogram_of($same, @at)->{stats}, { avg => 4, totalCount => 3 }, 'are remembered by their counts, whatever the talk');
    ok(!exists histogram_of($other, @at)->{stats}, 'other counts are asked for');
    stack('start', 'lambda');
    ok(wait_until(sub { histogram_of($other, @at)->{stats} }, 20), 'when the Lambda is back');
    $httpd->stop;
}

{
    my ($httpd, @at) = start('no-memo', "RatingsStatsMemo Off\n");
    my $talk = new_talk();
    rate($talk, 4, @at);
    ok(histogram_of($talk, @at)->{stats}, 'statistics');
    expect_log(@usual);
    stack('stop', 'lambda');
    ok(!exists histogram_of($talk, @at)->{stats}, 'RatingsStatsMemo Off: the Lambda is called for each answer');
    stack('start', 'lambda');
    ok(wait_until(sub { histogram_of($talk, @at)->{stats} }, 20), 'and again when it is back');
    $httpd->stop;
}

finish();
