# Redis: lost, restarted, frozen, full, read-only.
use strict;
use warnings;

my $away    = qr/RT0202: Redis .* is away/;
my $held_up = qr/RT0301: projecting is held up/;
my $rebuilt = qr/RT0305: the store is rebuilt/;

return (
    {
        name => 'redis-flushall', number => 4, what => 'FLUSHALL', short => 1,
        fault   => sub { $_[0]->redis->call('FLUSHALL') },
        allow   => { POST => '503', GET => '503' },
        recover => 3,
        expect  => [$held_up],
        logged  => [$rebuilt],
    },
);
