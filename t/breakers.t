# Circuit breakers: what opens that of a backend, and what does not.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::Tool ();

my %own   = (topic => 'ratings-breakers', database => 12);
my @usual = (qr/RT030[12]: /, qr/RT0305: /, qr/RT0501: /);
my $one   = "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n";

redis(database => 12)->call('FLUSHDB'); # another test uses it for another topic

sub start {
    my ($name, $directives, %options) = @_;
    my $httpd = own_httpd(name => $name, %own, %options, before => "RatingsBreakerFailures 3\n$directives")->expect_log(@usual);
    $httpd->start;
    ok(wait_ready(port => $httpd->port), "$name: ready") or diag(get('/readyz', port => $httpd->port)->body);
    return ($httpd, port => $httpd->port);
}

sub read_of { my $talk = shift; return get("/ratings?talkId=$talk", @_) }

# A database whose talks take a while to be found.
sub slow_talks {
    my ($seconds) = @_;
    (my $url = $ENV{TALKS_CONNECTION}) =~ s{/postgres\?}{/slow?} or die $ENV{TALKS_CONNECTION};
    system(qw(psql -X -q), $ENV{TALKS_CONNECTION}, '-c', 'drop database if exists slow') == 0 or die 'drop database';
    system(qw(psql -X -q), $ENV{TALKS_CONNECTION}, '-c', 'create database slow') == 0 or die 'create database';
    my $view = "create view talks as select t.uuid, t.title from (select pg_sleep($seconds) offset 0) s, "
        . q{(select 'slow-' || n as uuid, 'A talk'::text as title from generate_series(1, 99) n) t};
    system(qw(psql -X -q), $url, '-c', $view) == 0 or die 'create view';
    return $url;
}

# ---- a backend that has eaten the time of the next one ----

{
    local $ENV{TALKS_CONNECTION} = slow_talks(0.4);
    my ($httpd, @at) = start('slow-talks', "RatingsDeadline 600ms\n", sizes => $one);
    is(read_of('slow-1', @at)->status, 200, 'a slow PostgreSQL: a talk is read');
    my $redis = redis();
    expect_log(qr/RT0301: /); # the other httpd's projector waits as well
    for my $n (2 .. 7) {
        $redis->call(qw(CLIENT PAUSE 1000)); # until after the deadline, of which PostgreSQL leaves Redis a third
        is(read_of("slow-$n", @at)->status, 503, 'no time is left for Redis: 503');
        ok(wait_until(sub { eval { redis()->call('PING') } }, 5), 'Redis answers again');
    }
    is(read_of('slow-8', @at)->status, 200, 'and Redis is asked by the next request');
    ok(!$httpd->log->has(qr/RT020[12]: /), 'no circuit breaker was opened');
    $httpd->stop;
}

# ---- a pool that is too small ----

{
    my $port = $ENV{HTTP_PORT} + 8;
    local $ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:$port/";
    my $function = RatingsTest::Tool->new('function', $port);
    my ($httpd, @at) = start('small-pool', "RatingsStatsPool 1\nRatingsStatsTimeout 500ms\n", sizes => $one);
    my @talks = new_talks(8);
    for my $n (1 .. @talks) { is(rate($talks[ $n - 1 ], 1, @at)->status, 200, 'a rating') for 1 .. $n }
    $function->command('slow 400');
    my @answers = in_children(scalar @talks, sub {
        my $answer = read_of($talks[ $_[0] ], @at);
        return { status => $answer->status, stats => json($answer->body)->{stats} };
    })->();
    is(join(' ', map { $_->{status} } @answers), join(' ', (200) x @talks), 'eight ask at once, with one handle for the function');
    cmp_ok(scalar(grep { !$_->{stats} } @answers), '>=', 6, 'most have waited for the handle in vain');
    ok(histogram_of($talks[-1], @at)->{stats}, 'the next one asks the function, which was well throughout');
    ok(!$httpd->log->has(qr/RT0204: /), 'no circuit breaker was opened');
    $httpd->stop;
}

# ---- corruption is no outage ----

{
    my ($httpd, @at) = start('corruption', "RatingsBreakerFailures 1\n", sizes => $one);
    my $talk = new_talk();
    my $key  = [ 'Idempotency-Key' => '"corrupt"' ];
    is(post(to_json({ talkId => $talk, value => 4 }), @at, headers => $key)->status, 200, 'a rating with a key');
    $httpd->expect_log(qr/RT0305: /);
    for my $round (1 .. 5) {
        my $redis = redis(database => 12);
        my ($keys) = grep { /^ratings:keys:/ } @{ $redis->call('KEYS', 'ratings:keys:*') };
        for my $field (@{ $redis->call('HKEYS', $keys) }) { $redis->call('HSET', $keys, $field, 'no use') }
        my $status = post(to_json({ talkId => $talk, value => 4 }), @at, headers => $key)->status;
        like($status, qr/^20[02]$/, "a use of a key that nobody wrote, round $round: the rating is recorded") or diag($status);
        ok(wait_until(sub { ($redis->call('HVALS', $keys) // [])->[0] =~ /^\d/ }, 20), 'and the store is rebuilt');
    }
    ok(wait_until(sub { my $answer = histogram_of($talk, @at); $answer && $answer->{ratings}{4} == 1 }, 20), 'the rating counts once');
    ok(!$httpd->log->has(qr/RT0202: /), 'no circuit breaker was opened');
    $httpd->stop;
}

finish();
