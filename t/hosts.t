# Two httpds on one store and one topic, as on two hosts: one projects, the other follows.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience = sanitized() ? 60 : 30;
my $topic    = 'ratings-hosts';
my @away     = (qr/RT020[1-4]: circuit breaker/, qr/RT030[12]: /, qr/RT0305: the store is rebuilt/,
    qr/RT0501: request \S+ answered with (50[34]|202)/, qr/RT0206: /);

sub total_at { my ($talk, $host) = @_; my $answer = histogram_of($talk, port => $host->port); return $answer ? total($answer) : undef }
sub lease { return (split /:/, redis(database => 9)->call('GET', 'ratings:projector') // '')[1] // 0 }

my @hosts = map { own_httpd(name => "host$_", port => $_, topic => $topic, database => 9) } 1, 2;
for my $host (@hosts) { $host->expect_log(@away); $host->start; ok(wait_ready(port => $host->port), $host->name . ' is ready') }
my ($one, $two) = @hosts;

# ---- each shows what the other took ----

{
    my $talk = new_talk();
    for my $host ($one, $two) {
        is(rate($talk, 4, port => $host->port)->status, 200, 'a rating is visible on ' . $host->name) for 1 .. 3;
        ok(defined total_at($talk, $host), $host->name . ' shows it');
    }
    for my $host ($one, $two) {
        ok(wait_until(sub { (total_at($talk, $host) // 0) == 6 }, 5), $host->name . ' shows the ratings of both');
    }
}

# ---- what stalled both has passed: both are ready, also the one that only follows from then on ----

{
    expect_log(qr/RT0301: |RT020[1-4]: /);
    my $replica = 'the store is a read-only replica: name its primary';
    redis()->call('REPLICAOF', '127.0.0.1', 1);
    for my $host (@hosts) {
        ok(wait_until(sub { $host->log->has(qr/RT0301: .*READONLY/) }, $patience), $host->name . ' is stalled by a store that takes no writes');
        my $said = wait_until(sub { (json(get('/readyz', port => $host->port)->body)->{backends}{store}{reason} // '') eq $replica }, $patience);
        ok($said, 'and says so') or diag(get('/readyz', port => $host->port)->body);
    }
    redis()->call(qw(REPLICAOF NO ONE));
    for my $host (@hosts) {
        my $ready = wait_until(sub { get('/readyz', port => $host->port)->status == 200 }, $patience);
        ok($ready, $host->name . ' is ready when the store takes them again') or diag(get('/readyz', port => $host->port)->body);
    }
}

# ---- the same key on both counts once ----

{
    my $talk = new_talk();
    my @key  = (headers => [ 'Idempotency-Key' => '"both-hosts"' ]);
    is(rate($talk, 2, port => $_->port, @key)->status, 200, 'a key on ' . $_->name) for $one, $two;
    is(rate($talk, 3, port => $two->port, @key)->status, 422, 'another value on the other host is a 422');
    ok(wait_until(sub { (total_at($talk, $_) // 0) == 1 }, 5), 'counted once on ' . $_->name) for $one, $two;
}

# ---- the store is lost: neither host shows less ----

{
    my $talk = new_talk();
    rate($talk, 5, port => $one->port) for 1 .. 4;
    wait_until(sub { (total_at($talk, $two) // 0) == 4 }, 5);
    redis(database => 9)->call('FLUSHDB');
    my (%less, %answered);
    my $until = time + $patience;
    while (time < $until && grep { ($answered{ $_->name } || 0) < 30 } @hosts) {
        for my $host (@hosts) {
            my $seen = total_at($talk, $host) // next;
            $answered{ $host->name }++;
            $less{ $host->name }++ if $seen < 4;
        }
    }
    is_deeply(\%less, {}, 'no host shows less than before');
    cmp_ok($answered{ $_->name } || 0, '>=', 30, $_->name . ' answers again') for @hosts;
}

# ---- what the host that follows finds wrong is mended by the one that projects ----

{
    my $talk     = new_talk();
    my $holder   = lease();
    my ($follows) = grep { my $host = $_; !grep { $_ == $holder } $host->processes } @hosts;
    is(rate($talk, 2, port => $one->port)->status, 200, 'a rating');
    my $redis = redis(database => 9);
    $redis->call('DEL', "ratings/$talk");
    $redis->call('SET', "ratings/$talk", 'by hand');
    ok(wait_until(sub { (total_at($talk, $follows) // 0) == 1 }, $patience), 'a key overwritten by hand: asked for at the host that follows, it is mended');
    is($redis->call('HGET', 'ratings:log', 'suspect'), undef, 'and no suspicion is left');
}

# ---- the topic is recreated: both begin anew ----

{
    my $talk = new_talk();
    rate($talk, 5, port => $one->port) for 1 .. 10;
    ok(wait_until(sub { (total_at($talk, $two) // 0) == 10 }, 5), 'both have seen ten ratings');
    stack(qw(kafka-tool TopicCommand --bootstrap-server), $ENV{STREAMS_CONNECTION}, qw(--delete --topic), $topic);
    for my $host (@hosts) {
        ok(wait_until(sub { rate($talk, 1, port => $host->port)->status == 200 }, $patience), $host->name . ' takes ratings again');
        ok(wait_until(sub { defined total_at($talk, $host) }, $patience), $host->name . ' shows ratings again');
    }
    my $counts;
    ok(wait_until(sub { my $all = histogram_of($talk, port => $two->port); $all && ($counts = $all->{ratings})->{5} == 0 }, $patience),
        'what was in the old topic is gone') or diag(to_json($counts));
    cmp_ok($counts->{1}, '>=', 2, 'what is in the new one counts');
}

# ---- the host that projects dies: the other goes on ----

{
    my $talk = new_talk();
    # the circuit breaker of Kafka may still be open for a moment after the topic was missing
    for my $host (@hosts) { ok(wait_until(sub { rate($talk, 3, port => $host->port)->status == 200 }, $patience), 'a rating on ' . $host->name) }
    my $holder = wait_until(\&lease, 10);
    my ($dies) = grep { my $host = $_; grep { $_ == $holder } $host->processes } @hosts;
    ok($dies, 'the lease is held by one of the two') or diag($holder);
    my ($stays) = grep { $_ != ($dies // 0) } @hosts;
    $dies->expect_log(qr/exit signal|child/);
    kill 'KILL', reverse $dies->processes;
    ok(wait_until(sub { rate($talk, 3, port => $stays->port)->status == 200 }, $patience), 'the other host projects');
    ok(wait_until(sub { (total_at($talk, $stays) // 0) >= 3 }, 5), 'and shows all ratings');
    $stays->stop;
}

finish();
