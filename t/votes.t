# The ratings of voters in the store: what somebody does to them by hand is found out before it is counted on or shown,
# and the store rebuilt from the log, with the same numbers; an event that repeats changes nothing, whatever came between.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience = 15;
my $database = 15;
my $topic    = 'ratings-votes-' . int(time) . "-$$";
my $secret   = secret_file('votes.secret', 'v' x 40);
my $httpd = own_httpd(
    name => 'votes', topic => $topic, database => $database,
    conf => RatingsTest::Httpd::backends(topic => $topic, database => $database) . RatingsTest::Httpd::locations()
        . qq(RatingsVoterSecret "file:$secret"\n<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\n</Location>\n),
);
my @at    = (port => $httpd->port);
my $redis = redis(database => $database);
$redis->call('FLUSHDB');
$httpd->expect_log(qr/RT0305: the store is rebuilt/, qr/RT0501: request \S+ answered with (202|503)/, qr/RT0301: the projector is stalled/);
$httpd->start;
ok(wait_ready(@at), 'ready') or BAIL_OUT('the service does not become ready');

my ($talk, $other) = map { new_talk() } 1 .. 2;

sub ask { return client(@at)->request(@_) }

# `value` undef: withdraws. Asked again while the store is being rebuilt, which is harmless: a voter has one rating.
sub vote {
    my ($user, $value, $id, @headers) = @_;
    my @as = ('X-User' => $user, @headers);
    my $status;
    wait_until(sub {
        my $response = defined $value
            ? ask('POST', '/ratings', [ 'Content-Type' => 'application/json', @as ], to_json({ talkId => $id, value => $value }))
            : ask('DELETE', "/ratings?talkId=$id", \@as);
        $status = $response->status;
        return $status == 200 || $status == 204;
    }, $patience);
    return $status;
}

sub rebuilds { return scalar grep { /RT0305: the store is rebuilt/ } $httpd->log->lines }

# Counts of both talks, and what ann and ben have given, as soon as they are answered
sub seen {
    my @seen;
    for my $id ($talk, $other) {
        my $answer;
        wait_until(sub { $answer = histogram_of($id, @at) }, $patience);
        push @seen, join '', map { $answer->{ratings}{$_} // '?' } 1 .. 5;
        for my $user (qw(ann ben)) {
            my $own;
            wait_until(sub { $own = ask('GET', "/ratings/mine?talkId=$id", [ 'X-User' => $user ]); return $own->status != 503 }, $patience);
            push @seen, $own->status == 200 ? json($own->body)->{rating}{value} : $own->status;
        }
    }
    return join ' ', @seen;
}

sub audit_agrees {
    my $report;
    wait_until(sub {
        $report = qx($ENV{RATINGS_AUDIT} --json --topic $topic --store $ENV{RATINGS_CONNECTION}/$database 2>&1);
        return $? == 0 && !grep { $_->{lag} } @{ json($report)->{partitions} };
    }, $patience) and return 'agrees';
    return "the audit: $report";
}

# ---- what the log says ----

is(vote('ann', 5, $talk), 200, 'ann gives 5');
is(vote('ben', 4, $talk), 200, 'ben gives 4');
is(rate($talk, 4, @at)->status, 200, 'somebody gives 4');
is(vote('ann', 2, $talk, 'Idempotency-Key' => '"two"'), 200, 'ann changes to 2');
is(vote('ann', 3, $talk), 200, 'and to 3');
is(vote('ann', 2, $talk, 'Idempotency-Key' => '"two"'), 200, 'the change to 2 is sent again');
is(vote('ben', 4, $talk, 'Idempotency-Key' => '"two"'), 200, 'ben uses the same key');
is(vote('ben', undef, $other), 204, 'ben withdraws what he never gave');
is(vote('ann', 1, $other), 200, 'ann rates another talk');
my $expected = '00120 3 4 10000 1 404';
is(seen(), $expected, 'each voter has the last rating that was new');
is(audit_agrees(), 'agrees', 'and so says the audit');
is_deeply({ %{ $redis->hash("ratings/$other") } }, { 1 => 1, anonymous => 0 }, 'a talk says how many of its ratings are anonymous');

# ---- what somebody does to the store ----

my ($voters, $counts) = ("ratings:voters/$talk", "ratings/$talk");
my @rows = (
    [ 'a voters\' key that is gone',         sub { $redis->call('DEL', $voters) } ],
    [ 'a voters\' key of another type',      sub { $redis->call('DEL', $voters); $redis->call('SET', $voters, 'x') } ],
    [ 'a voter who was added',               sub { $redis->call('HSET', $voters, 'x' x 16, 5) } ],
    [ 'a number of anonymous ratings',       sub { $redis->call('HINCRBY', $counts, 'anonymous', 1) } ],
    [ 'a number of anonymous ratings gone',  sub { $redis->call('HDEL', $counts, 'anonymous') } ],
    [ 'a count',                             sub { $redis->call('HINCRBY', $counts, 5, 3) } ],
);
for my $row (@rows) {
    my ($name, $damage) = @$row;
    for my $found_by ([ 'a vote', sub { vote('ann', 3, $talk) } ], [ 'a look at the own rating', sub { seen() } ]) {
        my $before = rebuilds();
        $damage->();
        $found_by->[1]->();
        ok(wait_until(sub { rebuilds() == $before + 1 }, $patience), "$name is found by $found_by->[0]");
        is(seen(), $expected, 'and the numbers are the same');
        is(audit_agrees(), 'agrees', 'by the audit, too');
    }
}

# ---- repaired by the audit ----

$redis->call('DEL', $voters, $counts);
my $repair = qx($ENV{RATINGS_AUDIT} --repair --topic $topic --store $ENV{RATINGS_CONNECTION}/$database 2>&1);
is($? >> 8, 0, 'the audit repairs a talk with voters') or diag($repair);
my $before = rebuilds();
is(vote('ben', 4, $talk), 200, 'its next vote is counted');
is(seen(), $expected, 'as it must be');
is(rebuilds(), $before, 'without a rebuild');

$redis->call('FLUSHDB');
ok(wait_until(sub { rebuilds() == $before + 1 }, $patience), 'a store that was flushed is rebuilt');
is(seen(), $expected, 'with the same numbers');
is(audit_agrees(), 'agrees', 'by the audit, too');

$httpd->stop;
done_testing();
