# What the backends can do by themselves on this machine, as their own tools measure it.
package Bench::Limits;

use strict;
use warnings;

use Bench::Store ();
use RatingsTest  ();

my $topic = 'bench-limit';

sub all { return (_redis(), _kafka()) }

sub _redis {
    my @found;
    for my $pipeline (1, 16) {
        for my $command ('HGETALL ratings/talk-00001', 'HINCRBY bench:limit 5 1') {
            my $requests = 100_000 * ($pipeline == 1 ? 1 : 5);
            my ($line) = reverse qx(timeout 60 redis-benchmark -h 127.0.0.1 -p $ENV{REDIS_PORT} -c 32 -P $pipeline -n $requests --csv $command);
            my (undef, $rate) = ($line // '') =~ /^"(.*?)","([\d.]+)"/ or die "redis-benchmark said nothing\n";
            push @found, { what => 'redis-benchmark -c 32 -P ' . "$pipeline " . (split ' ', $command)[0], per_second => $rate };
        }
    }
    RatingsTest::redis()->call('DEL', 'bench:limit');
    return @found;
}

sub _kafka {
    my @found;
    Bench::Store::make_topic($topic);
    for my $linger (0, 5) {
        my @arguments = ('--topic', $topic, qw(--num-records 500000 --record-size 100 --throughput -1 --producer-props),
            "bootstrap.servers=$ENV{STREAMS_CONNECTION}", 'acks=all', "linger.ms=$linger");
        my ($rate) = Bench::Store::kafka_tool('ProducerPerformance', @arguments) =~ m{.*\s([\d.]+) records/sec}s or die "ProducerPerformance told no rate\n";
        push @found, { what => "ProducerPerformance, 100 bytes, acks=all, linger.ms=$linger", per_second => $rate };
    }
    Bench::Store::drop_topic($topic);
    return @found;
}

1;
