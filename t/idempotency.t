# Idempotency-Key: the same rating sent again counts once, by the log alone.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience = sanitized() ? 60 : 30;
my $serial   = 0;
my @away     = (qr/RT020[1-4]: circuit breaker/, qr/RT030[12]: /, qr/RT0501: request \S+ answered with (503|202)/);

sub new_key { return sprintf '%s-%d-%d', join('', map { chr(97 + rand 26) } 1 .. 12), $$, ++$serial }
sub keyed { my ($talk, $value, $key, @options) = @_; return rate($talk, $value, headers => [ 'Idempotency-Key' => $key ], @options) }
sub counts { my ($talk, @options) = @_; my $answer = histogram_of($talk, @options); return $answer && $answer->{ratings} }
sub counted { my ($talk, @options) = @_; my $counts = counts($talk, @options); return $counts && join '', map { $counts->{$_} } 1 .. 5 }

ok(wait_ready(), 'ready') or BAIL_OUT('the service does not become ready');

# ---- once, and the same answer ----

{
    my ($talk, $other) = new_talks(2);
    my $key   = new_key();
    my $begun = time;
    my $first = keyed($talk, 4, qq("$key"));
    is($first->status, 200, 'a rating with a key is taken');
    for my $spelled (qq("$key"), $key, qq( "$key";v=1)) {
        my $again = keyed($talk, 4, $spelled);
        is($again->status, 200, "sent again as $spelled it is a 200");
        is($again->body, $first->body, "sent again as $spelled it has the same answer");
    }
    is(counted($talk), '00010', 'and counts once');
    problem_ok(keyed($talk, 2, $key), 422, 'another value under the same key is a 422');
    is(counted($talk), '00010', 'and counts for nothing');
    is(keyed($other, 2, $key)->status, 200, 'another talk may have the same key');
    is(counted($other), '01000', 'and counts it');
    is(rate($talk, 4)->status, 200, 'a rating without a key');
    is(counted($talk), '00020', 'counts each time');
    is(post_form("talkId=$talk&value=4", headers => [ 'Idempotency-Key' => $key ])->status, 200, 'a form with the key');
    is(counted($talk), '00020', 'is the same rating');
    my @events = map { json($_->{payload}) } grep { ($_->{key} // '') eq $talk } topic_since($begun - 1);
    is(scalar(grep { ($_->{idempotencyKey} // '') eq $key } @events), 6, 'each of them is in the log') or diag(to_json(\@events));
    is($events[0]{idempotencyWindow}, 86_400_000, 'with its window');
}

# ---- keys that are none ----

{
    my $talk = new_talk();
    for my $bad ('""', '"open', '"a", "b"', 'a b', "\"caf\xC3\xA9\"", '"' . 'x' x 256 . '"', 'x' x 256, '') {
        problem_ok(keyed($talk, 5, $bad), 400, 'a 400 for the key ' . substr($bad, 0, 20));
    }
    is(counted($talk), '00000', 'nothing was recorded');
    is(keyed($talk, 5, '"' . 'x' x 255 . '"')->status, 200, 'a key may have 255 characters');
}

# ---- at once, over all children ----

{
    my $clients = mpm() eq 'prefork' ? 12 : 24;
    my ($same, $mixed) = new_talks(2);
    my ($one, $two) = (new_key(), new_key());
    my @results = in_children($clients, sub {
        my ($index) = @_;
        my ($first, $second) = (keyed($same, 3, $one), keyed($mixed, 1 + $index % 2, $two));
        return { same => $first->status, mixed => $second->status, value => 1 + $index % 2, body => $second->body };
    })->();
    is(scalar(grep { ($_->{same} // 0) == 200 } @results), $clients, 'the same rating from many clients at once: each is a 200')
        or diag(to_json(\@results));
    is(counted($same), '00100', 'and counts once');
    my %statuses;
    $statuses{ $_->{value} }{ $_->{mixed} }++ for @results;
    my ($winner) = grep { $statuses{$_}{200} } 1, 2;
    is_deeply(\%statuses, { $winner => { 200 => $clients / 2 }, 3 - $winner => { 422 => $clients / 2 } },
        'of two values at once one counts, and the other is a 422') or diag(to_json(\%statuses));
    is(counted($mixed), $winner == 1 ? '10000' : '01000', 'the one that was answered with 200');
}

# ---- the store is lost: the log tells it all again ----

{
    my $talk = new_talk();
    my @keys = map { new_key() } 1 .. 5;
    keyed($talk, $_ % 5 + 1, $keys[ $_ % 5 ]) for 0 .. 19;
    keyed($talk, 5, $keys[0]);
    is(counted($talk), '11111', 'five keys, sent four times each and once with another value');
    # what other tests have written into the topic is read again, too
    expect_log(qr/RT0305: the store is rebuilt/, qr/RT0304: /, @away);
    my $lost = generation();
    redis()->call('FLUSHALL');
    ok(wait_until(sub { rebuilt_since($lost) }, $patience), 'the store is rebuilt');
    is(counted($talk), '11111', 'a rebuild comes to the same counts');
    is(keyed($talk, 1, $keys[0])->status, 200, 'a key is known after it');
    problem_ok(keyed($talk, 2, $keys[0]), 422, 'with its value');
    is(counted($talk), '11111', 'and counts no more');
}

# ---- the first was a 202: the key tells what became of it ----

{
    my $talk = new_talk();
    my $key  = new_key();
    expect_log(@away);
    rate($talk, 5);
    stack('pause', 'redis');
    my $first = keyed($talk, 2, $key);
    is($first->status, 202, 'with a store that hangs a rating with a key is a 202');
    is(keyed($talk, 2, $key)->status, 202, 'and so it is when it is sent again');
    stack('resume', 'redis');
    my $again;
    ok(wait_until(sub { ($again = keyed($talk, 2, $key))->status == 200 }, $patience), 'sent again it becomes a 200') or diag($again->raw);
    ok(wait_until(sub { (counted($talk) // '') eq '01001' }, $patience), 'it is counted once') or diag(counted($talk));
    problem_ok(keyed($talk, 3, $key), 422, 'another value is a 422');
}

# ---- Kafka hangs: the first is a 504, or a 503 ----

{
    my $talk = new_talk();
    my $key  = new_key();
    expect_log(@away, qr/RT0501: request \S+ answered with 504/);
    rate($talk, 5);
    stack('pause', 'kafka');
    my $first = keyed($talk, 2, $key);
    like($first->status, qr/^50[34]$/, 'with a log that hangs a rating is a 504 or a 503');
    stack('resume', 'kafka');
    my $again;
    ok(wait_until(sub { ($again = keyed($talk, 2, $key))->status == 200 }, $patience), 'sent again it becomes a 200') or diag($again->raw);
    ok(wait_until(sub { (counted($talk) // '') eq '01001' }, $patience), 'it is counted once') or diag(counted($talk));
}

# ---- the window ----

{
    my $httpd = own_httpd(name => 'window', topic => 'ratings-window', database => 10, before => "RatingsIdempotencyWindow 4s\n");
    my @at    = (port => $httpd->port);
    my $talk  = new_talk();
    my $key   = new_key();
    $httpd->expect_log(qr/RT0501: request \S+ answered with 202/);
    $httpd->start;
    ok(wait_ready(@at), 'ready');
    my $begun = time;
    is(keyed($talk, 1, $key, @at)->status, 200, 'a key with a window of four seconds');
    problem_ok(keyed($talk, 2, $key, @at), 422, 'holds') if time < $begun + 2;
    my $later;
    ok(wait_until(sub { ($later = keyed($talk, 2, $key, @at))->status == 200 }, 20, 0.2), 'and is as good as new after it');
    cmp_ok(time - $begun, '>=', 3.9, 'not before');
    is(counted($talk, @at), '11000', 'both ratings count');
    $httpd->stop;
}

# ---- a log that cannot tell ----

{
    my $httpd = own_httpd(name => 'no-time', topic => 'ratings-no-time', database => 11);
    my @at    = (port => $httpd->port);
    my $talk  = new_talk();
    stack(qw(kafka-tool TopicCommand --bootstrap-server), $ENV{STREAMS_CONNECTION}, qw(--create --if-not-exists --topic ratings-no-time
        --partitions 2 --config cleanup.policy=delete --config retention.ms=-1 --config retention.bytes=-1
        --config message.timestamp.type=CreateTime));
    $httpd->expect_log(qr/RT0307: topic 'ratings-no-time' keeps no append times/, qr/RT0501: .* 202: the store has no use of its idempotency key/);
    $httpd->start;
    ok(wait_ready(@at), 'a topic without append times is served');
    is(rate($talk, 5, @at)->status, 200, 'ratings without a key are taken');
    problem_ok(keyed($talk, 5, new_key(), @at), 501, 'with one they are refused');
    is(counted($talk, @at), '00001', 'and not recorded');
    like(join('', $httpd->log->lines), qr/RT0307/, 'the log says why');
    set_topic('ratings-no-time', add => 'message.timestamp.type=LogAppendTime');
    my $key = new_key();
    ok(wait_until(sub { keyed($talk, 4, $key, @at)->status == 200 }, 20), 'when the topic keeps them, keys are taken, without a restart');
    is(keyed($talk, 4, $key, @at)->status, 200, 'twice');
    is(counted($talk, @at), '00011', 'and count once');
    set_topic('ratings-no-time', add => 'message.timestamp.type=CreateTime');
    my ($taken, $refused) = (0);
    ok(wait_until(sub {
        my $status = keyed($talk, 3, new_key(), @at)->status;
        $taken++ if $status =~ /^20[02]$/;
        return $refused = $status == 501;
    }, 20), 'when it keeps them no more, keys are refused');
    is(counted($talk, @at), "00${taken}11", 'what was taken meanwhile is counted');
    ok(wait_until(sub { (grep { /RT0307: / } $httpd->log->lines) == 2 }, 20), 'and the log says so again, though a request was first to find it');
    is(rate($talk, 2, @at)->status, 200, 'a rating without a key is taken');
    set_topic('ratings-no-time', add => 'message.timestamp.type=LogAppendTime');
    $key = new_key();
    ok(wait_until(sub { keyed($talk, 1, $key, @at)->status == 200 }, 20), 'keys are taken when it keeps them again, though no request without one has come since');
    is(keyed($talk, 1, $key, @at)->status, 200, 'twice');
    is(counted($talk, @at), "11${taken}11", 'and count once');
    $httpd->stop;
}

# ---- switched off ----

{
    my $httpd = own_httpd(name => 'no-window', topic => 'ratings-no-window', database => 12, before => "RatingsIdempotencyWindow 0\n");
    my @at    = (port => $httpd->port);
    my $talk  = new_talk();
    $httpd->start;
    ok(wait_ready(@at), 'ready');
    problem_ok(keyed($talk, 5, new_key(), @at), 501, 'without a window a key is refused');
    is(rate($talk, 5, @at)->status, 200, 'and no other rating');
    $httpd->stop;
}

finish();
