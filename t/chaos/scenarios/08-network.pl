# The network between httpd and each backend: slow, losing packets, cutting connections off. Through a
# proxy, see t/chaos/tools/proxy.
package Chaos::Scenarios::Network;

use strict;
use warnings;

use Chaos::Tool ();

# what a backend that does not answer in time makes of requests
my %backends = (
    postgres => { connection => 'TALKS_CONNECTION', allow => { POST => '503', GET => '503' } },
    redis    => { connection => 'RATINGS_CONNECTION', allow => { POST => '503', GET => '503' } },
    kafka    => { connection => 'STREAMS_CONNECTION', allow => { POST => '503 504' } },
    lambda   => { connection => 'RATINGS_LAMBDA_URL', allow => {} },
);

my @faults = (
    {
        name => 'slow', what => '100 ms later each way', commands => ['delay 100'], allow => {},
    },
    {
        name => 'lossy', what => 'one piece in twenty up to 1.5 s late', commands => [ 'delay 5', 'stall 5 1500 1' ],
        worked => 'stalled',
    },
    {
        name => 'cut', what => 'connections cut off in the middle of replies',
        commands => [ map { "cut $_ 5" } 0, 1, 3, 10, 40 ], pause => 1, worked => 'cut', short => 'redis',
    },
    {
        name => 'reset', what => 'all connections reset, five times', commands => [ ('reset') x 5 ], pause => 1,
    },
    {
        name => 'parted', what => 'nothing goes through for 5 s, then all of it arrives', commands => ['hold'], hold => 5,
    },
    {
        name => 'hole', what => 'connections are accepted and nothing is answered, for 5 s', commands => ['blackhole'], hold => 5,
        worked => 'swallowed',
    },
);

# What Kafka answers does not arrive, and then the connections are gone. That lasts for longer than the
# oldest of the events under way may take (as long as a request waits for Kafka): this one fails, and
# librdkafka, which does not know whether it is in the log, sends the younger ones again as new ones. They
# must have been sent at different times for that, so the load is a slow one. Whether it happens is a
# matter of chance. Without keys, by which the service would know them, too.
my $mute = {
    name => 'mute', what => 'what it answers is withheld for 2.6 s, then connections are reset; again and again', commands => [ ('mute') x 12 ],
    short_commands => [ ('mute') x 2 ], then => 'reset', pause => 2.6, rest => 1.4, rate => 10, keyed => 0, worked => 'muted', short => 'kafka',
    note => sub { my ($stage, $audit) = @_; return "$audit->{fold}{again} records of the log are repeats" },
};

sub row {
    my ($server, $fault) = @_;
    my ($backend, $hold) = ($backends{$server}, $fault->{hold} // ($fault->{pause} ? 1 : 8));
    return {
        name => "net-$server-$fault->{name}", number => $server eq 'redis' && $fault->{name} eq 'cut' ? 4 : 8, what => "$server: $fault->{what}",
        short => ($fault->{short} // '') eq $server ? 1 : 0,
        setup => sub { Chaos::Tool::proxy($_[0], $backend->{connection}) },
        fault => sub {
            my ($stage) = @_;
            for my $command (@{ $stage->short && $fault->{short_commands} || $fault->{commands} }) {
                $stage->{tool}->command($command);
                $stage->pause($fault->{pause}) if $fault->{pause};
                next unless $fault->{then};
                $stage->{tool}->command($fault->{then});
                $stage->pause($fault->{rest});
            }
        },
        hold => $hold, short_hold => $hold > 2 ? 3 : 1,
        heal => sub { my ($stage) = @_; $stage->{counts} = $stage->{tool}->command('pass') },
        check => sub {
            my ($stage) = @_;
            my ($counts, $worked) = ($stage->{counts}, $fault->{worked});
            return 'no connection went through the proxy' unless $counts->{connections};
            return $worked && !$counts->{$worked} ? "the proxy has not $worked anything" : ();
        },
        allow => $fault->{allow} // $backend->{allow}, recover => 5,
        expect => [ qr/RT020[1-4]: circuit breaker opened/, qr/RT0301: the projector is stalled/ ],
        rate => $fault->{rate}, keyed => $fault->{keyed}, note => $fault->{note}, httpd => $fault->{httpd},
    };
}

# Redis, or a proxy before it, says what nobody asked for: the next question must not be answered with that, nor the one
# after it with the answer to this one. Each GET asks it.
my %unasked = (pause => 1, worked => 'added', httpd => { before => "RatingsCacheTTL 0\n" });
my @unasked = (
    { name => 'unasked',  what => 'one reply too many on each connection, five times',                   commands => [ ('add') x 5 ],   %unasked },
    { name => 'repeated', what => 'the last replies come once more on each connection, five times', commands => [ ('again') x 5 ], %unasked },
);

return ((map { my $server = $_; map { row($server, $_) } @faults } qw(postgres redis kafka lambda)), map({ row('redis', $_) } @unasked), row('kafka', $mute));
