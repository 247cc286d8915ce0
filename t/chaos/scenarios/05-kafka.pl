# Kafka: frozen, restarted, killed, its disk full; a cluster that loses nodes; the topic changed behind the
# service's back; a producer that ends with a fatal error.
package Chaos::Scenarios::Kafka;

use strict;
use warnings;

use Chaos::Audit   ();
use Chaos::Journal ();
use RatingsTest    ();

my $away    = qr/RT0203: circuit breaker opened/;
my $stalled = qr/RT0301: the projector is stalled/;
my $rebuilt = qr/RT0305: the store is rebuilt/;
my @fatal   = (qr/RT0206: librdkafka: .*Fatal error/);
my $library = qr/RT0206: librdkafka/;

# Ratings fail, or their fate is not known; what is counted is read all the time.
my %absent = (number => 5, allow => { POST => '503 504' }, expect => [ $away, $stalled ]);

sub topic_tool {
    my ($stage, @arguments) = @_;
    return $stage->stack('kafka-tool', 'TopicCommand', '--bootstrap-server', $ENV{STREAMS_CONNECTION}, '--topic', $stage->topic, @arguments);
}

# ---- the cluster ----

my $single;

# The topic then is one of three replicas, of which two must have what is acknowledged.
sub use_cluster {
    my ($stage) = @_;
    $stage->stack(qw(start cluster));
    $single = $ENV{STREAMS_CONNECTION};
    $ENV{STREAMS_CONNECTION} = $ENV{CLUSTER_CONNECTION};
}

# httpd first, for which it would be gone
sub leave_cluster {
    my ($stage) = @_;
    my @left = grep { $_->running && !defined $_->stop } $stage->httpds;
    $ENV{STREAMS_CONNECTION} = $single if $single;
    $stage->stack(qw(stop cluster));
    die "httpd left processes behind\n" if @left;
}

# Of each partition of the topic: who leads it, and who is in sync
sub partitions {
    my ($stage) = @_;
    my $metadata = RatingsTest::json(qx(timeout 10 kcat -L -J -b $ENV{STREAMS_CONNECTION} -t @{[ $stage->topic ]})) or return;
    return map { { leader => $_->{leader}, in_sync => scalar @{ $_->{isrs} } } } @{ $metadata->{topics}[0]{partitions} };
}

sub leader {
    my ($stage) = @_;
    my $leader = $stage->until('a leader', sub { my ($first) = partitions($stage); $first && $first->{leader} > 0 && $first->{leader} }, 30);
    return "kafka-$leader";
}

# A node that has recovered still has to fetch what it has missed.
sub in_sync {
    my ($stage) = @_;
    return $stage->until('all replicas in sync', sub { my @all = partitions($stage); @all && !grep { $_->{in_sync} < 3 } @all }, 30);
}

sub cluster {
    my %row = @_;
    # a leader that has not seen what another acknowledged ends an idempotent producer: it is made anew
    return { %absent, setup => \&use_cluster, clean => \&leave_cluster, recover => 10, expect => [ $away, $stalled, @fatal ], %row };
}

sub is_replicated {
    my ($stage) = @_;
    my @partitions = partitions($stage);
    @partitions or return 'what replicas the topic has cannot be told';
    return map { "a partition of the topic has $_->{in_sync} replicas in sync" } grep { $_->{in_sync} != 3 } @partitions;
}

# For a while the others fetch nothing, so that what the leader takes is on its disk alone; then it is
# gone, and one of them leads. What was acknowledged must not be among what is lost.
sub kill_what_is_ahead {
    my ($stage) = @_;
    my $leader = $stage->{node} = leader($stage);
    my @others = grep { $_ ne $leader } map { "kafka-$_" } 1 .. 3;
    $stage->stack('pause', @others);
    $stage->pause(1.5);
    $stage->stack('kill',   $leader);
    $stage->stack('resume', @others);
}

# ---- the topic ----

# Deleted and created again under the same name: what was counted is gone with the log, the store follows.
sub make_topic_again {
    my ($stage) = @_;
    my ($talk) = $stage->talks;
    $stage->rate($talk, 5) for 1 .. 20;
    topic_tool($stage, '--delete');
    $stage->pause($stage->either(5, 1));
    # the service may have made it already
    topic_tool($stage, '--create', '--if-not-exists', '--partitions', 4);
    my $taken = 0;
    $stage->until('ratings again', sub { ($stage->rate($talk, 4) == 200 ? ++$taken : ($taken = 0)) >= 8 }, 30);
    return judge_by_new_log($stage);
}

# The log before had fives, the new one has fours.
sub judge_by_new_log {
    my ($stage) = @_;
    my ($talk) = $stage->talks;
    my $audit  = Chaos::Audit::audit(topic => $stage->topic, journal => Chaos::Journal->new('/dev/null/*'), within => 20);
    my $answer = $stage->get("/ratings?talkId=$talk");
    my @wrong  = @{ $audit->{problems} };
    push @wrong, 'GET answers ' . $answer->status . ' ' . $answer->body
        unless $answer->status == 200 && RatingsTest::json($answer->body)->{ratings}{4} == $audit->{fold}{counts}{$talk}{4};
    push @wrong, 'ratings of the log before are counted' if ($audit->{fold}{counts}{$talk}{5} // 0) || $answer->body =~ /"5":[1-9]/;
    push @wrong, 'the store was not rebuilt' unless $stage->httpd->log->has(qr/ratings:warn.*$rebuilt/);
    return { requests => {}, note => 'by hand, without load', lost => $audit->{lost}, doubled => $audit->{doubled}, problems => \@wrong };
}

# as the service sets them
my @settings = qw(cleanup.policy=delete retention.ms=-1 retention.bytes=-1 message.timestamp.type=LogAppendTime);

# For each partition the events of before, all with another value, and some more
sub refill {
    my ($stage, @records) = @_;
    my %keys;
    push @{ $keys{ $_->{partition} } }, $_->{key} for @records;
    for my $partition (sort keys %keys) {
        my @command = ('timeout', '20', 'kcat', '-P', '-q', '-b', $ENV{STREAMS_CONNECTION}, '-t', $stage->topic, '-p', $partition, '-K', "\t");
        open my $kcat, '|-', @command or die "kcat: $!";
        print $kcat map { "$_\t" . RatingsTest::to_json({ version => 1, talkId => $_, value => 4 }) . "\n" } @{ $keys{$partition} }, ($keys{$partition}[0]) x 20;
        close $kcat or die "kcat could not write to partition $partition\n";
    }
}

# A projector looks twice a second whether store and log are what they were. One that is frozen while it
# asks takes it that Kafka has not answered, and compares anew.
sub wait_between_looks {
    my ($stage) = @_;
    my $redis  = $stage->redis;
    my $looks  = sub { $redis->call('INFO', 'commandstats') =~ /^cmdstat_hgetall:calls=(\d+)/m ? $1 : 0 };
    my $before = $looks->();
    $stage->until('a look at the store', sub { $looks->() > $before }, 5);
    $stage->pause(0.2);
}

# Deleted, created again and filled beyond what the store has applied, while nobody looks: what goes on
# reading finds records where it stands, as if nothing had been. Who has projected is to go on first, as
# whoever takes up projecting compares the store with the log.
sub refill_topic {
    my ($stage) = @_;
    my ($talk) = $stage->talks;
    for (1 .. 10) { $stage->until('a rating', sub { $stage->rate($_, 5) == 200 }, 10) for $stage->talks }
    my @before    = @{ Chaos::Audit::read_log($stage->topic) };
    my $projector = $stage->until('a projector', sub { $stage->projector }, 10);
    my @frozen    = ($projector, grep { $_ != $projector } $stage->httpd->children);
    $stage->{frozen} = \@frozen;
    wait_between_looks($stage);
    kill 'STOP', @frozen;
    topic_tool($stage, '--delete');
    $stage->until('a topic', sub { topic_tool($stage, '--create', '--partitions', 4, map { ('--config', $_) } @settings); 1 }, 20);
    refill($stage, @before);
    for my $pid (@frozen) {
        kill 'CONT', $pid;
        $stage->pause(0.3);
    }
    # the audit tells what is wrong if it does not
    eval { $stage->until('counts of the new log', sub { $stage->get("/ratings?talkId=$talk")->body =~ /"4":[1-9]\d*,"5":0\b/ }, 10) };
    return judge_by_new_log($stage);
}

# A talk's ratings are in one partition for ever.
# All that knows by how many partitions talks are routed, but the log.
sub add_partitions_and_lose_all {
    my ($stage) = @_;
    topic_tool($stage, '--alter', '--partitions', 9);
    defined $stage->httpd->stop or die "processes were left behind\n";
    $stage->redis->call('FLUSHDB');
    $stage->start($stage->httpd);
    return $stage->until('an answer', sub { $stage->get('/healthz')->status == 200 }, 10);
}

sub in_one_partition {
    my ($stage) = @_;
    my %where;
    my @records = @{ Chaos::Audit::read_log($stage->topic) };
    $where{ $_->{key} }{ $_->{partition} } = 1 for @records;
    return map { "ratings of $_ are in several partitions" } grep { keys %{ $where{$_} } > 1 } sort keys %where;
}

# ---- the producer, and the disk ----

# See t/chaos/tools/fatal.c.
sub prepare_fatal {
    my ($stage) = @_;
    $stage->environment(LD_PRELOAD => "$ENV{CHAOS_MODULES}/fatal.so", RATINGS_TEST_FATAL => $stage->directory . '/fatal');
}

sub fatal_errors {
    my ($stage) = @_;
    my $file = $stage->directory . '/fatal';
    for (1 .. $stage->either(10, 3)) {
        open my $out, '>', $file or die "$file: $!";
        close $out;
        $stage->until('a fatal error', sub { !-e $file }, 10);
        $stage->pause(0.5);
    }
}

# Files must not grow any more: to the broker, a disk that is full. Nobody has to be root for that.
sub fill_disk {
    my ($stage) = @_;
    my $pid = RatingsTest::server_pid('kafka');
    system('prlimit', '--pid', $pid, '--fsize=1:') == 0 or die "prlimit failed\n";
}

return (
    {
        name => 'kafka-frozen', what => 'SIGSTOP for 20 s', fault => sub { $_[0]->stack(qw(pause kafka)) }, hold => 20, short_hold => 4,
        heal => sub { $_[0]->stack(qw(resume kafka)) }, clean => sub { $_[0]->stack(qw(resume kafka)) }, recover => 8, %absent,
    },
    { name => 'kafka-restart', what => 'a restart', fault => sub { $_[0]->stack(qw(restart kafka)) }, recover => 8, %absent },
    {
        name => 'kafka-kill', what => 'kill -9, started again after 2 s', fault => sub { $_[0]->stack(qw(kill kafka)) }, hold => 2,
        heal => sub { $_[0]->stack(qw(start kafka)) }, recover => 10, %absent,
    },
    {
        name => 'kafka-disk-full', what => 'its files cannot grow: it gives up; started again after 4 s', alone => 1, fault => \&fill_disk,
        hold => 4, heal => sub { $_[0]->stack(qw(kill kafka)); $_[0]->stack(qw(start kafka)) }, recover => 10, %absent,
    },
    {
        name => 'kafka-partitions', number => 5, what => 'partitions added to the topic: talks stay where they are', alone => 1,
        fault => sub { topic_tool($_[0], '--alter', '--partitions', 9) }, hold => 8, short_hold => 3, recover => 2, check => \&in_one_partition,
        expect => [$stalled],
    },
    {
        name => 'kafka-partitions-lost', number => 5, what => 'partitions added, the store lost and httpd started anew: talks stay where they are', alone => 1,
        fault => \&add_partitions_and_lose_all, allow => { any => 'broken refused', POST => '503', GET => '503' }, recover => 5,
        check => \&in_one_partition, expect => [ $stalled, $rebuilt ],
    },
    { name => 'kafka-topic-again', number => 5, what => 'the topic deleted and created again', run => \&make_topic_again,
        expect => [ $away, $stalled, $rebuilt, $library, qr/RT0501/ ] },
    { name => 'kafka-topic-refilled', number => 5, what => 'the topic deleted, created again and refilled while nobody looks', short => 1,
        run => \&refill_topic, clean => sub { kill 'CONT', @{ $_[0]{frozen} || [] } },
        expect => [ $away, $stalled, $rebuilt, $library, qr/RT0501/ ] },
    {
        name => 'kafka-fatal', what => 'fatal errors of the producer, which is made anew', short => 1, setup => \&prepare_fatal,
        httpd => { before => "RatingsBreakerFailures 1\n" }, # of which Kafka, which is healthy, has none
        fault => \&fatal_errors, recover => 3, %absent, expect => \@fatal, logged => \@fatal,
    },
    cluster(
        name => 'cluster-leader', what => 'kill -9 of the leader of three nodes, started again after 5 s',
        fault => sub { my ($stage) = @_; $stage->stack('kill', $stage->{node} = leader($stage)) }, hold => 5,
        heal => sub { my ($stage) = @_; $stage->stack('start', $stage->{node}); in_sync($stage) }, check => \&is_replicated,
    ),
    cluster(
        name => 'cluster-rolling', what => 'three nodes restarted one after the other',
        fault => sub { my ($stage) = @_; for my $n (1 .. 3) { $stage->stack('restart', "kafka-$n"); in_sync($stage) } }, check => \&is_replicated,
    ),
    cluster(
        name => 'cluster-frozen', what => 'SIGSTOP of the leader of three nodes for 10 s',
        fault => sub { my ($stage) = @_; $stage->stack('pause', $stage->{node} = leader($stage)) }, hold => 10,
        heal => sub { my ($stage) = @_; $stage->stack('resume', $stage->{node}); in_sync($stage) }, check => \&is_replicated,
    ),
    cluster(
        name => 'cluster-behind', what => 'the leader of three nodes is killed with what it alone has; started again after 5 s', short => 1,
        fault => \&kill_what_is_ahead, hold => 5,
        heal => sub { my ($stage) = @_; $stage->stack('start', $stage->{node}); in_sync($stage) }, check => \&is_replicated,
        clean => sub { my ($stage) = @_; $stage->stack('resume', 'cluster'); leave_cluster($stage) },
    ),
    cluster(
        name => 'cluster-minority', what => 'kill -9 of two nodes of three, started again after 6 s',
        fault => sub { $_[0]->stack(qw(kill kafka-2 kafka-3)) }, hold => 6,
        heal => sub { my ($stage) = @_; $stage->stack(qw(start kafka-2 kafka-3)); in_sync($stage) }, check => \&is_replicated,
    ),
);
