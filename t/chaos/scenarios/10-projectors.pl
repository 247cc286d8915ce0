# Two projectors at once, one that was frozen for longer than its lease, two httpds on one store.
use strict;
use warnings;

my $stalled = qr/RT0301: the projector is stalled/;

sub kill_all {
    my ($stage, $httpd) = @_;
    kill 'KILL', $httpd->pid, $httpd->children;
}

sub two_httpds {
    my ($victim) = @_;
    return (
        number => 10, httpds => 2, victim => $victim, what => 'two httpds on one store, kill -9 of ' . ('the first', 'the second')[$victim],
        fault  => sub { kill_all($_[0], $_[0]->httpd($victim)) },
        allow  => { any => 'broken refused' }, recover => 4, expect => [$stalled],
        check  => sub { return $_[0]->httpd(1 - $victim)->running ? () : 'the other httpd has ended, too' },
    );
}

return (
    {
        name => 'two-projectors', number => 10, httpds => 2, short => 1,
        what => 'two httpds on one store, the lease deleted all the time, so that both project at once',
        fault => sub {
            my ($stage) = @_;
            my $redis = $stage->redis;
            my $until = time + $stage->either(8, 4);
            while (time < $until) {
                for (1 .. 50) {
                    $redis->call('DEL', 'ratings:projector');
                    $stage->pause(0.005);
                }
            }
        },
        recover => 2, expect => [$stalled],
    },
    {
        name => 'projector-frozen', number => 10, what => 'SIGSTOP of the child that projects, for longer than its lease', short => 1,
        fault => sub { $_[0]{frozen} = $_[0]->kill_child('projector', 'STOP') }, hold => 4, short_hold => 3,
        heal  => sub { kill 'CONT', $_[0]{frozen} },
        clean => sub { kill 'CONT', $_[0]{frozen} if $_[0]{frozen} && $_[0]{frozen} > 1 },
        stands_still => 1, # its own requests, with it
        allow => { POST => '503 504', GET => '503' }, recover => 3,
        expect => [ $stalled, qr/RT020[1-4]: circuit breaker opened/ ],
    },
    { name => 'two-httpds-first',  two_httpds(0) },
    { name => 'two-httpds-second', two_httpds(1), short => 1 },
    {
        name => 'two-httpds-in-turn', number => 10, httpds => 2, what => 'two httpds on one store, each restarted gracefully in turn',
        fault => sub {
            my ($stage) = @_;
            for my $n (1 .. 6) {
                $stage->graceful($stage->httpd($n % 2));
                $stage->pause(0.7);
            }
        },
        recover => 2,
    },
);
