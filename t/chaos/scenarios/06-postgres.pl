# PostgreSQL: stopped, frozen, restarted, its connections ended, or all of them taken.
use strict;
use warnings;
use IO::Socket::INET;

my %absent = (
    allow   => { POST => '503', GET => '503' },
    # the last: libpq's own word to stderr, of a connection that ends before APR has it
    expect => [ qr/RT0201: circuit breaker opened/, qr/RT0208/, qr/^FATAL:  terminating connection due to administrator command$/ ],
    recover => 4,
);

my @taken; # connections that hold a place

# The first message of a connection, which then never answers the question for its password: that takes
# a place all the same, until authentication_timeout.
sub take_one {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ENV{PG_PORT}, Timeout => 2) or return 0;
    my $startup = pack('N', 196608) . "user\0postgres\0database\0postgres\0\0";
    syswrite $socket, pack('N', 4 + length $startup) . $startup;
    sysread $socket, my $type, 1;
    return 0 if ($type // 'E') eq 'E'; # too many
    push @taken, $socket;
    return 1;
}

# Takes each place that there is: those of the service as well, by ending its connections while waiting
# for theirs. One place is kept to do that from.
sub take_all {
    my ($stage) = @_;
    open my $psql, '|-', 'psql', '-X', '-q', '-A', '-t', '-o', '/dev/null', $ENV{TALKS_CONNECTION} or die "psql: $!";
    $psql->autoflush(1);
    my $until = time + $stage->either(6, 3);
    while (time < $until) {
        1 while @taken < 1000 && take_one();
        print $psql "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend';\n";
        $stage->pause(0.02);
    }
    close $psql;
    @taken >= 150 or die 'only ' . @taken . " places were taken\n";
}

return (
    {
        name => 'postgres-stop', number => 6, what => 'stopped for 5 s',
        fault => sub { $_[0]->stack(qw(stop postgres)) }, hold => 5, short_hold => 2,
        heal => sub { $_[0]->stack(qw(start postgres)) }, %absent,
    },
    {
        name => 'postgres-frozen', number => 6, what => 'SIGSTOP for 8 s',
        fault => sub { $_[0]->stack(qw(pause postgres)) }, hold => 8, short_hold => 3,
        heal  => sub { $_[0]->stack(qw(resume postgres)) }, %absent,
        clean => sub { $_[0]->stack(qw(resume postgres)) },
    },
    {
        name => 'postgres-restart', number => 6, what => 'restarted',
        fault => sub { $_[0]->stack(qw(restart postgres)) }, %absent,
    },
    {
        name => 'postgres-kill', number => 6, what => 'kill -9, and started again',
        fault => sub { $_[0]->stack(qw(kill postgres)) }, hold => 1,
        heal => sub { $_[0]->stack(qw(start postgres)) }, %absent,
    },
    {
        name => 'postgres-terminate', number => 6, what => 'pg_terminate_backend of all connections, ten times',
        fault => sub {
            my ($stage) = @_;
            for (1 .. 10) {
                $stage->sql('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = \'client backend\'');
                $stage->pause(0.3);
            }
        },
        %absent, recover => 2,
    },
    {
        name => 'postgres-crowded', number => 6, what => 'all connections are taken by others', alone => 1,
        fault => \&take_all,
        heal  => sub { @taken = () },
        clean => sub { @taken = () }, %absent,
    },
);
