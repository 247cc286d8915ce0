# A talk stays in one partition for ever: by how many partitions talks are routed is in the log itself.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience = sanitized() ? 60 : 30;
my $database = 13;
my @kafka    = ('--bootstrap-server', $ENV{STREAMS_CONNECTION});
my $run      = int(time) . "-$$";
my @usual    = (qr/RT0305: the store is rebuilt/, qr/RT030[12]: /, qr/RT0306: /, qr/RT0501: request \S+ answered with (503|202)/);
my $serial   = 0;

sub own {
    my ($name, @options) = @_;
    redis(database => $database)->call('FLUSHDB');
    my $topic = "ratings-$name-$run";
    my $httpd = own_httpd(name => $name, topic => $topic, database => $database, after => "RatingsTopicPartitions 1\n", @options)->expect_log(@usual);
    return ($httpd, $topic, port => $httpd->port);
}

sub add_partitions { my ($topic, $count) = @_; return stack('kafka-tool', 'TopicCommand', @kafka, '--alter', '--topic', $topic, '--partitions', $count) }
sub keyed { my ($talk, $value, @at) = @_; return rate($talk, $value, @at, headers => [ 'Idempotency-Key' => qq("key of $talk") ])->status }
sub counted { my ($talk, @at) = @_; my $answer = histogram_of($talk, @at); return $answer && join '', map { $answer->{ratings}{$_} } 1 .. 5 }
sub stored { my ($field) = @_; return redis(database => $database)->call('HGET', 'ratings:log', $field) }
sub routing_records { my ($topic) = @_; return grep { ($_->{key} // '') eq 'ratings:routing' } topic_since(0, $topic) }

# Where each talk's events lie: talk => "0", or "0 2"
sub places {
    my ($topic, @talks) = @_;
    my %places;
    $places{ $_->{key} // '' }{ $_->{partition} } = 1 for topic_since(0, $topic);
    return { map { $_ => join ' ', sort keys %{ $places{$_} || {} } } @talks };
}

# The store is lost and all that httpd remembers, too.
sub lose_all {
    my ($httpd, @at) = @_;
    $httpd->stop;
    redis(database => $database)->call('FLUSHDB');
    $httpd->start;
    return ok(wait_ready(@at), 'ready, with the log alone');
}

# Each talk has one rating of 4, whose key is known, in the partition of before.
sub same_again {
    my ($name, $topic, $talks, @at) = @_;
    my @talks = @$talks;
    is(join(' ', map { keyed($_, 4, @at) } @talks), join(' ', (200) x @talks), "$name: the same ratings again are taken");
    is(join(' ', map { counted($_, @at) // '?' } @talks), join(' ', ('00010') x @talks), "$name: and are counted once");
    is_deeply(places($topic, @talks), { map { $_ => 0 } @talks }, "$name: each talk is where it was");
    return;
}

# ---- a new topic: the log says it before the first event ----

{
    my ($httpd, $topic, @at) = own('routed');
    my @talks = new_talks(6);
    $httpd->start;
    ok(wait_ready(@at), 'ready');
    is(keyed($_, 4, @at), 200, 'a rating') for @talks;
    my @records = topic_since(0, $topic);
    is($records[0]{key}, 'ratings:routing', 'the first record says how talks are routed');
    is_deeply(json($records[0]{payload}), { version => 1, partitions => 1 }, 'by the partitions that there were');
    my %headers = @{ $records[0]{headers} };
    is($headers{ce_type}, 'ratings.routing.settled.v1', 'and what it is');
    is(scalar(routing_records($topic)), 1, 'once');
    is(stored('partitions') . ' ' . stored('routing'), '1 0', 'the store repeats it');

    add_partitions($topic, 3);
    lose_all($httpd, @at);
    same_again('partitions were added, all else was lost', $topic, \@talks, @at);
    is(stored('partitions') . ' ' . stored('routing'), '1 0', 'the store has it from the log');
    is(scalar(routing_records($topic)), 1, 'which says it once');
    is(keyed(new_talk(), 1, @at), 200, 'a new talk is taken');
    ok(!(grep { $_->{partition} } topic_since(0, $topic)), 'and goes where they all are');

    # a store that has lost the field for it, and still has the number itself
    $httpd->stop;
    redis(database => $database)->call('HDEL', 'ratings:log', 'routing');
    $httpd->start;
    ok(wait_until(sub { (stored('routing') // 0) > 0 }, $patience), 'a store of before such records: the service writes into the log what the store says');
    is(stored('partitions'), 1, 'which is the same');
    is(join(' ', map { json($_->{payload})->{partitions} } routing_records($topic)), '1 1', 'as all records say');
    my $output = qx($ENV{RATINGS_AUDIT} --topic $topic --store $ENV{RATINGS_CONNECTION}/$database 2>&1);
    is($?, 0, 'the audit knows the records') or diag($output);
    redis(database => $database)->call('HSET', 'ratings:log', 'partitions', 3) if $httpd->stop;
    $output = qx($ENV{RATINGS_AUDIT} --topic $topic --store $ENV{RATINGS_CONNECTION}/$database 2>&1);
    like($output, qr/talks are routed by another number of partitions than the log says/, 'and tells a store that says otherwise');
}

# ---- a log of before such records: its events say it ----

{
    my ($httpd, $topic, @at) = own('unsaid');
    my @talks = new_talks(12); # no larger number explains that all of them are in partition 0
    stack('kafka-tool', 'TopicCommand', @kafka, '--create', '--topic', $topic, qw(--partitions 1 --config message.timestamp.type=LogAppendTime
        --config retention.ms=-1 --config retention.bytes=-1));
    for my $talk (@talks) {
        topic_write($talk, to_json({ version => 1, talkId => $talk, value => 4, idempotencyKey => "key of $talk", idempotencyWindow => 86_400_000 }),
            '-t', $topic, '-p', 0);
    }
    add_partitions($topic, 3);
    $httpd->start;
    ok(wait_ready(@at), 'ready');
    same_again('a log without the record', $topic, \@talks, @at);
    is(join(' ', map { json($_->{payload})->{partitions} . ' at ' . $_->{offset} } routing_records($topic)), '1 at 12', 'it has one now, after its events');
    add_partitions($topic, 5);
    lose_all($httpd, @at);
    same_again('and from then on', $topic, \@talks, @at);
    is(scalar(routing_records($topic)), 1, 'nothing was added');
    $httpd->stop;
}

# ---- another host projects, whose store does not know it yet ----

{
    my ($httpd, $topic, @at) = own('followed');
    my ($talk, $lease) = (new_talk(), 'ratings:projector');
    my $redis = redis(database => $database);
    $httpd->start;
    ok(wait_ready(@at), 'ready');
    is(keyed($talk, 4, @at), 200, 'a rating');
    ok(wait_until(sub { $redis->call('DEL', $lease); $redis->call('SET', $lease, 'another host', 'NX', 'PX', 30_000) }, $patience), 'another host projects from now on');
    ok(wait_until(sub { rate($talk, 4, @at)->status == 202 }, $patience), 'ratings are taken, and not visible');
    $redis->call('HSET', 'ratings:log', partitions => 0, behind => 1);
    $redis->call('HDEL', 'ratings:log', 'routing');
    my @taken = map { rate($talk, 4, @at)->status } 1 .. 3; # each looks at the store again and again
    is("@taken", '202 202 202', 'a store that is rebuilt, and does not say how talks are routed: they still are');
    is_deeply(places($topic, $talk), { $talk => 0 }, 'as before');
    $redis->call('DEL', $lease);
    ok(wait_ready(@at), 'ready, once this host projects again');
    $httpd->stop;
}

# ---- a topic that was restored with fewer partitions than its log says ----

{
    my ($httpd, $topic, @at) = own('restored');
    my $talk  = new_talk();
    my $lines = sub { scalar grep { /RT0301: .* routed by 3 partitions, of which the topic has 1$/ } $httpd->log->lines };
    stack('kafka-tool', 'TopicCommand', @kafka, '--create', '--topic', $topic, qw(--partitions 1 --config message.timestamp.type=LogAppendTime
        --config retention.ms=-1 --config retention.bytes=-1));
    topic_write('ratings:routing', to_json({ version => 1, partitions => 3 }), '-t', $topic, '-p', 0);
    $httpd->expect_log(qr/RT0301: /)->start;
    ok(wait_until(sub { get('/readyz', @at)->body =~ /"stream":\{"status":"down","reason":"the log says that talks are routed by more partitions than/ },
            $patience), 'readiness says what the topic lacks');
    ok((grep { /:error\].*RT0301: .* routed by 3 partitions/ } $httpd->log->lines), 'the error log has it as an error, at once');
    my ($since, $before) = (time, $lines->());
    ok(wait_until(sub { $lines->() >= $before + 20 }, $patience), 'it is tried again');
    cmp_ok(time - $since, '>', 2, 'not in a hot loop');
    add_partitions($topic, 3);
    $httpd->stop;
    $httpd->start;
    ok(wait_ready(@at), 'ready, once the topic has as many');
    is(keyed($talk, 4, @at), 200, 'a rating');
    is(counted($talk, @at), '00010', 'which counts');
    $httpd->stop;
}

# ---- several hosts at once on a new topic: one number for all ----

{
    my ($one, $topic) = own('first-of-two', port => 1);
    my $two = own_httpd(name => 'second-of-two', topic => $topic, database => $database, port => 2, after => "RatingsTopicPartitions 3\n")->expect_log(@usual);
    $_->start for $one, $two;
    ok(wait_ready(port => $_->port), $_->name . ' is ready') for $one, $two;
    my @talks = new_talks(6);
    for my $talk (@talks) { is(keyed($talk, 4, port => $_->port), 200, 'a rating on ' . $_->name) for $one, $two }
    my $places = places($topic, @talks);
    is_deeply([ grep { !/^\d$/ } values %$places ], [], 'each talk lies in one partition') or diag(to_json($places));
    is(counted($_, port => $one->port), '00010', 'and its rating counts once') for @talks;
    $_->stop for $one, $two;
}

finish();
