# Records in the topic that are no events, among the ratings: skipped and logged, and nobody notices.
package Chaos::Scenarios::Records;

use strict;
use warnings;

use RatingsTest ();

# Writes to each partition; options are kcat's.
sub put {
    my ($stage, $key, $value, @options) = @_;
    for my $partition (0 .. 3) {
        my @command = ('timeout', '20', 'kcat', '-P', '-q', '-b', $ENV{STREAMS_CONNECTION}, '-t', $stage->topic, '-p', $partition, '-D', "\x01",
            defined $key ? ('-k', $key) : (), @options);
        open my $kcat, '|-', @command or die "kcat: $!";
        print $kcat $value;
        close $kcat or die "kcat @options failed\n";
    }
}

sub event { my ($talk, %more) = @_; return RatingsTest::to_json({ version => 1, talkId => $talk, value => 5, %more }) }

# What others could write; each gets the id of a talk that is rated meanwhile.
my @foreign = (
    sub { my ($stage, $talk) = @_; put($stage, $talk, 'garbage') },
    sub { my ($stage, $talk) = @_; put($stage, $talk, '', '-Z') }, # a tombstone
    sub { my ($stage, $talk) = @_; put($stage, $talk, "\x00\xff\xfe{") },
    sub { my ($stage, $talk) = @_; put($stage, $talk, '[' x 4000) },
    sub { my ($stage, $talk) = @_; put($stage, $talk, event($talk, version => 2)) },
    sub { my ($stage, $talk) = @_; put($stage, $talk, event($talk, version => 'x')) },
    sub { my ($stage, $talk) = @_; put($stage, $talk, event($talk, value => 6)) },
    sub { my ($stage, $talk) = @_; put($stage, $talk, event($talk, value => 1e300)) },
    sub { my ($stage, $talk) = @_; put($stage, 'another', event($talk)) },
    sub { my ($stage, $talk) = @_; put($stage, undef, event($talk)) },
    sub { my ($stage, $talk) = @_; put($stage, 'k' x 1000, event($talk)) },
    sub { my ($stage) = @_; put($stage, 'order-17', '{"specversion":"1.0","type":"com.example.order","data":{}}', '-H', 'ce_type=com.example.order') },
    sub { my ($stage, $talk) = @_; put($stage, $talk, event($talk, more => 'x' x 900_000)) }, # as large as the broker takes
    sub { my ($stage, $talk) = @_; put($stage, $talk, 'x' x 100_000, '-z', $_) for qw(gzip snappy lz4) },
);

sub flood {
    my ($stage) = @_;
    my ($talk) = $stage->talks;
    for my $round (1 .. $stage->either(3, 1)) {
        for my $write (@foreign) { $write->($stage, $talk) }
        # many in a row, so that whole batches have no event
        put($stage, $talk, join "\x01", ('nothing') x 2000);
    }
}

# Records of a transaction that is given up, and the marks that end transactions: offsets without a record
sub transactions {
    my ($stage) = @_;
    for my $n (1 .. $stage->either(3, 1)) {
        $stage->stack('kafka-tool', 'ProducerPerformance', '--topic', $stage->topic, '--producer-props',
            "bootstrap.servers=$ENV{STREAMS_CONNECTION}", '--num-records', 500, '--record-size', 40, '--throughput', 2000, '--transactional-id', "chaos-$n",
            '--transaction-duration-ms', 50);
    }
}

my $skipped = qr/RT0304: record at partition \d+, offset \d+ is no event/;

return (
    {
        name => 'foreign-records', number => 9, what => 'undecodable, unknown, oversized, foreign records and tombstones in the topic', fault => \&flood, recover => 2, expect => [$skipped], logged => [$skipped], alone => 1,
    },
    {
        name => 'transactions', number => 9, what => 'foreign records written in transactions, whose ends take offsets',
        fault => \&transactions, recover => 2, expect => [$skipped], logged => [$skipped], alone => 1,
    },
);
