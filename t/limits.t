# How long a request may take, and how many may wait: whatever hangs.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $topic    = 'ratings-limits';
my @trouble  = (qr/RT020[1-4]: circuit breaker opened/, qr/RT0301: /, qr/RT0501: /);
my $patient  = "RatingsTalksTimeout 20s\nRatingsStoreTimeout 20s\nRatingsStreamTimeout 20s\nRatingsStatsTimeout 20s\nRatingsVisibilityTimeout 20s\n";
my $no_break = "RatingsBreakerFailures 1000000\n";
my $forgetful = "RatingsTalkTTL 0\nRatingsCacheTTL 0\nRatingsStatsMemo Off\n"; # each request needs its backends

# The other httpd, which looks on, has the same backends.
expect_log(@trouble);

sub timed { my ($ask) = @_; my $begun = time; my $answer = $ask->(); return ($answer, time - $begun) }

sub start {
    my ($name, $directives) = @_;
    my $httpd = own_httpd(name => $name, topic => $topic, database => 14, before => $directives);
    $httpd->expect_log(@trouble);
    $httpd->start;
    ok(wait_ready(port => $httpd->port), "$name: ready");
    return $httpd;
}

# ---- RatingsDeadline: the waits for several backends do not add up to more ----

{
    my $httpd = start('deadline', "$patient$no_break${forgetful}RatingsDeadline 2s\n");
    my @at    = (port => $httpd->port);
    # what hangs, and what a POST and a GET may end in
    my @rows = (
        [ [qw(postgres)],             [503],        [503] ],
        [ [qw(redis)],                [202],        [503] ],
        [ [qw(kafka)],                [ 503, 504 ], [200] ],
        [ [qw(lambda)],               [200],        [200] ],
        [ [qw(redis lambda)],         [202],        [503] ],
        [ [qw(kafka redis)],          [ 503, 504 ], [503] ],
    );
    for my $row (@rows) {
        my ($servers, $post, $get) = @$row;
        my $talk = new_talk();
        is(rate($talk, 4, @at)->status, 200, "@$servers: well before");
        stack('pause', @$servers);
        my ($answer, $took) = timed(sub { rate($talk, 5, @at) });
        ok((grep { $answer->status == $_ } @$post), "@$servers: POST is @$post") or diag($answer->status);
        cmp_ok($took, '<', 3.5, sprintf '%s: POST ends by its deadline', "@$servers");
        ($answer, $took) = timed(sub { get("/ratings?talkId=$talk", @at) });
        ok((grep { $answer->status == $_ } @$get), "@$servers: GET is @$get") or diag($answer->status);
        cmp_ok($took, '<', 3.5, sprintf '%s: GET ends by its deadline', "@$servers");
        stack('resume', @$servers);
        ok(wait_until(sub { rate($talk, 4, @at)->status == 200 && histogram_of($talk, @at) }, 20), "@$servers: well again");
    }
    $httpd->stop;
}

# ---- RatingsWaitersMax: no more wait than that, the others are answered at once ----

SKIP: {
    skip 'a child of prefork has one thread', 1 if mpm() eq 'prefork';
    my $sizes = "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n";
    my $httpd = own_httpd(name => 'waiters', topic => $topic, database => 14, sizes => $sizes,
        before => "$patient$no_break${forgetful}RatingsDeadline 3s\nRatingsWaitersMax 3\n");
    my @at   = (port => $httpd->port);
    my $talk = new_talk();
    $httpd->expect_log(@trouble);
    $httpd->start;
    ok(wait_ready(@at), 'waiters: ready');
    # what hangs, what is asked for, what it ends in beyond the limit, and when its time has passed
    my @rows = (
        [ 'postgres', sub { get("/ratings?talkId=$talk", @at) }, 503, 503 ],
        [ 'redis',    sub { get("/ratings?talkId=$talk", @at) }, 503, 503 ],
        [ 'lambda',   sub { get("/ratings?talkId=$talk", @at) }, 200, 200 ],
        [ 'redis',    sub { rate($talk, 2, @at) },               202, 202 ], # it is durable
        [ 'kafka',    sub { rate($talk, 2, @at) },               503, 504 ],
    );
    for my $row (@rows) {
        my ($server, $ask, $too_many, $at_deadline) = @$row;
        ok(wait_until(sub { rate($talk, 1, @at)->status == 200 && histogram_of($talk, @at) }, 20), "$server: well before");
        stack('pause', $server);
        my $patience = 0.25; # for so long after the last good answer the bulkhead lets more than its limit wait
        select undef, undef, undef, 2 * $patience;
        my @all = in_children(10, sub { my ($answer, $took) = timed($ask); return { status => $answer->status, took => $took } })->();
        my @waited = grep { $_->{took} > 2 } @all;
        my @quick  = grep { $_->{took} <= 2 } @all;
        cmp_ok(scalar @waited, '<=', 3, "$server: no more than three wait");
        cmp_ok(scalar @waited, '>=', 1, "$server: and some do");
        is(join(' ', grep { $_ != $too_many } map { $_->{status} } @quick), '', "$server: the others are answered at once with $too_many");
        is(join(' ', grep { $_ != $at_deadline } map { $_->{status} } @waited), '', "$server: those that waited until the deadline get $at_deadline");
        stack('resume', $server);
    }
    ok(wait_until(sub { rate($talk, 1, @at)->status == 200 && histogram_of($talk, @at) }, 20), 'well after all');
}

finish();
