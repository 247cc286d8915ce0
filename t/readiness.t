# What readiness tells of backends that answer and are unfit all the same, and how far Kafka's tools see
# the projector.
use strict;
use warnings;
use Test::More;
use RatingsTest;

# Each in a virtual host of its own: topic, how it is made, what readiness then says of the stream.
my @topics = (
    [ 'compacts',        'cleanup.policy=compact',        'the topic is compacted (cleanup.policy): old ratings would be lost' ],
    [ 'also-compacts',   'cleanup.policy=compact,delete', 'the topic is compacted (cleanup.policy): old ratings would be lost' ],
    [ 'retention-time', 'retention.ms=86400000',         'the topic has a finite retention (retention.ms): old ratings would be lost' ],
    [ 'retention-size', 'retention.bytes=100000000',     'the topic has a finite retention (retention.bytes): old ratings would be lost' ],
);
my %forever = ('retention.ms' => -1, 'retention.bytes' => -1);

sub kafka_tool { my ($class, @arguments) = @_; return qx($ENV{TEST_STACK} kafka-tool $class --bootstrap-server $ENV{STREAMS_CONNECTION} @arguments 2>&1) }

sub make_topic {
    my ($name, $setting) = @_;
    my ($key)  = split /=/, $setting;
    my @others = map { "$_=$forever{$_}" } grep { $_ ne $key } sort keys %forever;
    my @config = map { "--config $_" } $setting, @others, 'message.timestamp.type=LogAppendTime';
    my $output = kafka_tool('TopicCommand', '--create', '--if-not-exists', '--partitions 1', "--topic ratings-$name", @config);
    $? == 0 or die "ratings-$name: $output";
}

sub virtual_host {
    my ($number) = @_;
    my ($topic, $database) = ("ratings-$topics[$number][0]", $number + 1);
    return RatingsTest::Httpd::backends(topic => $topic, database => $database) . RatingsTest::Httpd::locations() if $number == 0;
    return "<VirtualHost 127.0.0.1:*>\nServerName $topic.test\nRatingsTopic $topic\nRatingsStore \"\${RATINGS_CONNECTION}/$database\"\n</VirtualHost>\n";
}

# The state of a backend, once all children say so.
sub state_of {
    my ($backend, $reason, @at) = @_;
    my ($agreed, $answer) = (0);
    wait_until(sub {
        $answer = get('/readyz', @at);
        my $state = (json($answer->body) || {})->{backends}{$backend} || {};
        $agreed = ($state->{reason} // '') eq ($reason // '') ? $agreed + 1 : 0;
        return $agreed >= 6;
    }, 20, 0.2); # the children answer for a second with what one of them has found
    return $answer;
}

# ---- a topic that cannot be the truth ----

make_topic(@$_[ 0, 1 ]) for @topics;
redis(database => $_ + 1)->call('FLUSHDB') for 0 .. $#topics; # other tests use them for other topics
{
    my $main  = "<VirtualHost 127.0.0.1:*>\nServerName main.test\n</VirtualHost>\n";
    my $httpd = own_httpd(name => 'topics', conf => join '', virtual_host(0), $main, map { virtual_host($_) } 1 .. $#topics);
    $httpd->expect_log(qr/RT0303: the topic (?:is compacted|has a finite retention)/);
    $httpd->start;
    for my $number (0 .. $#topics) {
        my ($name, $setting, $reason) = @{ $topics[$number] };
        my @at     = (port => $httpd->port, $number ? (host => "ratings-$name.test") : ());
        my $answer = state_of('stream', $reason, @at);
        is($answer->status, 503, "$setting: not ready");
        is(json($answer->body)->{backends}{stream}{reason}, $reason, "$setting: and says why");
        is(json($answer->body)->{backends}{store}{status}, 'up', "$setting: the store is not blamed");
        is(rate(new_talk(), 5, @at)->status, 200, "$setting: ratings are taken all the same");
        ok($httpd->log->has(qr/RT0303: \Q$reason\E/), "$setting: the error log says it once more");
    }
    $httpd->stop;
}

# ---- a topic that is altered while it is in use ----

{
    my $reason = 'the topic has a finite retention (retention.ms): old ratings would be lost';
    expect_log(qr/RT0303: \Q$reason\E/);
    ok(wait_ready(), 'a topic that is altered: ready before');
    set_topic('ratings', add => 'retention.ms=86400000');
    my $answer = state_of('stream', $reason);
    is($answer->status, 503, 'a topic of finite retention from now on: not ready');
    is(json($answer->body)->{backends}{stream}{reason}, $reason, 'and says why');
    set_topic('ratings', add => 'retention.ms=-1');
    is(state_of('stream', undef)->status, 200, 'ready again when it is set right');
}

# ---- a store that forgets, or that cannot be written ----

{
    expect_log(qr/RT0301: |RT020[1-4]: |RT0501: /);
    ok(wait_ready(), 'ready before');
    for my $row (
        [ 'that evicts', 'the store evicts keys: set maxmemory-policy to noeviction', [ 'maxmemory-policy', 'allkeys-lru' ], [ 'maxmemory-policy', 'noeviction' ] ],
        [ 'that is full', 'the store is out of memory: ratings are recorded and not counted until it has more', [ 'maxmemory', 1 ], [ 'maxmemory', 0 ] ],
        )
    {
        my ($name, $reason, $fault, $remedy) = @$row;
        my $log = RatingsTest::Log->new("$ENV{TEST_LOGS}/error_log");
        redis()->call(qw(CONFIG SET), @$fault);
        my $answer = state_of('store', $reason);
        is($answer->status, 503, "a store $name: not ready");
        is(json($answer->body)->{backends}{store}{reason}, $reason, 'and says why');
        ok($log->has(qr/RT0208: Redis \(RatingsStore\) is not ready: \Q$reason\E/), 'and so does the error log');
        redis()->call(qw(CONFIG SET), @$remedy);
        is(state_of('store', undef)->status, 200, 'ready again');
    }

    # its disk is full, say: Redis then takes no writes
    {
        my $talk = new_talk();
        my $directory = redis()->call(qw(CONFIG GET dir))->[1];
        chmod 0555, $directory or die "$directory: $!";
        redis()->call('CONFIG', 'SET', 'save', '3600 1');
        eval { redis()->call('BGSAVE') };
        my $failed = wait_until(sub { redis()->call('INFO', 'persistence') =~ /rdb_last_bgsave_status:err/ }, 10);
        ok($failed, 'a store that cannot save: so it is');
        is(rate($talk, 5)->status, 202, 'a rating is recorded');
        my $reason = 'the store takes no writes, as it cannot save them: see its own log';
        my $answer = state_of('store', $reason);
        is($answer->status, 503, 'a store that cannot save: not ready');
        is(json($answer->body)->{backends}{store}{reason}, $reason, 'and says so');
        redis()->call('CONFIG', 'SET', 'save', '');
        chmod 0755, $directory;
        is(state_of('store', undef)->status, 200, 'ready again');
        ok(wait_until(sub { (histogram_of($talk) || {})->{ratings}{5} }, 10), 'and the rating is counted');
    }

    redis()->call('REPLICAOF', '127.0.0.1', 1);
    my $reason = 'the store is a read-only replica: name its primary';
    my $answer = state_of('store', $reason);
    is($answer->status, 503, 'a replica: not ready');
    is(json($answer->body)->{backends}{store}{reason}, $reason, 'and says why');
    redis()->call(qw(REPLICAOF NO ONE));
    is(state_of('store', undef)->status, 200, 'ready again as a primary');
}

# ---- the lag, as Kafka's own tools show it ----

{
    my @talks = new_talks(4);
    for my $talk (@talks) { is(rate($talk, 3)->status, 200, 'a rating is visible') }
    my %lag;
    my $shown = wait_until(sub {
        my $output = kafka_tool('consumer.group.ConsumerGroupCommand', '--describe', '--group mod_ratings.ratings');
        %lag = $output =~ /^mod_ratings\.ratings +ratings +(\d+) +\d+ +\d+ +(\d+) /mg;
        return keys %lag == 4 && !grep { $_ } values %lag;
    }, 20, 0.5);
    ok($shown, 'the group of the projector is at the end of each partition') or diag(to_json(\%lag));
}

finish();
