# Redis: lost, restarted, frozen, full, read-only.
use strict;
use warnings;
use File::Path qw(remove_tree);

my $away    = qr/RT0202: circuit breaker opened/;
my $stalled = qr/RT0301: the projector is stalled/;
my $rebuilt = qr/ratings:warn.*RT0305: the store is rebuilt/; # at level info: the first time
my $never   = qr/RT0208/;

my @writing = qw(hset hdel zadd zrem zrangebyscore set unlink);
my %absent = (allow => { POST => '503', GET => '503' }, expect => [ $away, $stalled, $never ]);

return (
    {
        name => 'redis-flushall', number => 4, what => 'FLUSHALL', short => 1,
        fault => sub { $_[0]->redis->call('FLUSHALL') },
        allow => { POST => '503', GET => '503' }, recover => 3, expect => [$stalled], logged => [$rebuilt],
    },
    {
        name => 'redis-flushes', number => 4, what => 'FLUSHALL again and again, also while the store is being rebuilt',
        fault => sub {
            my ($stage) = @_;
            for (1 .. 12) {
                $stage->redis->call('FLUSHALL');
                $stage->pause(rand 0.6);
            }
        },
        allow => { POST => '503', GET => '503' }, recover => 4, expect => [$stalled], logged => [$rebuilt],
    },
    {
        name => 'redis-restart', number => 4, what => 'a restart with its append-only file',
        fault => sub { $_[0]->stack(qw(restart redis)) }, recover => 4, %absent,
    },
    {
        name => 'redis-kill', number => 4, what => 'kill -9, started again after 2 s with its append-only file',
        fault => sub { $_[0]->stack(qw(kill redis)) }, hold => 2, heal => sub { $_[0]->stack(qw(start redis)) }, recover => 4, %absent,
    },
    {
        name => 'redis-empty', number => 4, what => 'a restart without its append-only file',
        fault => sub {
            my ($stage) = @_;
            $stage->stack(qw(stop redis));
            remove_tree($stage->redis_directory . '/appendonlydir');
            $stage->stack(qw(start redis));
        },
        recover => 4, %absent, logged => [$rebuilt],
    },
    {
        name => 'redis-frozen', number => 4, what => 'SIGSTOP for 10 s',
        fault => sub { $_[0]->stack(qw(pause redis)) }, hold => 10, short_hold => 3,
        heal => sub { $_[0]->stack(qw(resume redis)) }, recover => 4, %absent,
        clean => sub { $_[0]->stack(qw(resume redis)) },
    },
    {
        name => 'redis-full', number => 4, what => 'out of memory: maxmemory with noeviction',
        fault => sub { $_[0]->redis->call(qw(CONFIG SET maxmemory 1)) }, hold => 5, short_hold => 2,
        heal => sub { $_[0]->redis->call(qw(CONFIG SET maxmemory 0)) }, recover => 4, %absent,
        clean => sub { $_[0]->redis->call(qw(CONFIG SET maxmemory 0)) },
        allow => {}, # what is counted is read all the time
    },
    {
        name => 'redis-denied', number => 4, what => 'each command that writes denied to the user in turn', short => 1,
        fault => sub {
            my ($stage) = @_;
            for my $command (@writing) {
                $stage->redis->call('ACL', 'SETUSER', 'default', "-$command");
                $stage->pause(0.8);
                $stage->redis->call('ACL', 'SETUSER', 'default', "+$command");
                $stage->pause(0.4);
            }
        },
        clean => sub { $_[0]->redis->call('ACL', 'SETUSER', 'default', map { "+$_" } @writing) }, recover => 4, %absent,
        allow => {}, # what is counted is read all the time
    },
    {
        name => 'redis-read-only', number => 4, what => 'made a replica of another Redis that has the same, then a primary again', alone => 1,
        fault => sub {
            my ($stage) = @_;
            my $other = $stage->redis_server(port => $stage->port(0));
            $stage->redis->call(qw(CONFIG SET repl-diskless-sync-delay 0));
            $other->call('REPLICAOF', '127.0.0.1', $ENV{REDIS_PORT});
            $stage->until('replication', sub { $other->call('INFO', 'replication') =~ /master_link_status:up/ }, 10);
            $other->call('REPLICAOF', 'NO', 'ONE');
            $stage->redis->call('REPLICAOF', '127.0.0.1', $other->port);
        },
        hold => 4, short_hold => 2,
        heal  => sub { $_[0]->redis->call('REPLICAOF', 'NO', 'ONE') },
        clean => sub { $_[0]->redis->call('REPLICAOF', 'NO', 'ONE') }, recover => 4, %absent,
    },
    {
        name => 'redis-replica-of-empty', number => 4, what => 'made a replica of an empty Redis, then a primary again', alone => 1,
        fault => sub {
            my ($stage) = @_;
            my $other = $stage->redis_server(port => $stage->port(0));
            $stage->redis->call('REPLICAOF', '127.0.0.1', $other->port);
        },
        hold => 4,
        heal  => sub { $_[0]->redis->call('REPLICAOF', 'NO', 'ONE') },
        clean => sub { $_[0]->redis->call('REPLICAOF', 'NO', 'ONE') }, recover => 4, %absent, logged => [$rebuilt],
    },
);
