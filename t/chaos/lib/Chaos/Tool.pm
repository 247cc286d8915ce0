# A program of t/chaos/tools that misbehaves on command: a proxy, a statistics function. It ends with the
# scenario, after httpd: when nothing refers to it any more.
package Chaos::Tool;

use strict;
use warnings;
use FindBin qw($Bin);
use IO::Select ();
use IPC::Open2 qw(open2);
use POSIX ();
use Time::HiRes qw(time);

sub new {
    my ($class, $name, @arguments) = @_;
    my $self = bless { name => $name, buffer => '' }, $class;
    $self->{pid} = open2($self->{from}, $self->{to}, qw(setpriv --pdeathsig KILL --), "$Bin/tools/$name", @arguments);
    $self->{owner} = $$;
    $self->_line;
    return $self;
}

sub _line {
    my ($self) = @_;
    my $until = time + 10 * $ENV{CHAOS_SLACK};
    my $end;
    until (($end = index $self->{buffer}, "\n") >= 0) {
        my $left = $until - time;
        $left > 0 && IO::Select->new($self->{from})->can_read($left) or die "$self->{name} does not answer\n";
        sysread $self->{from}, $self->{buffer}, 4096, length $self->{buffer} or die "$self->{name} ended\n";
    }
    return substr $self->{buffer}, 0, $end + 1, '';
}

# Commands, one after the other: the numbers that the last answer names.
sub command {
    my ($self, @lines) = @_;
    my $answer = '';
    for my $line (@lines) {
        syswrite $self->{to}, "$line\n";
        $answer = $self->_line;
        $answer =~ /^ok/ or die "$self->{name}: $line: $answer";
    }
    return { $answer =~ /(\w+)=(\d+)/g };
}

# The clients of the load have a copy of it, which is not theirs to end.
sub DESTROY {
    my ($self) = @_;
    return if $$ != ($self->{owner} // 0);
    local ($?, $!);
    close $self->{to};
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}

# ---- as scenarios use them ----

# The ports of tools, beyond those of the scenarios' other servers
my %port = (STREAMS_CONNECTION => 30, RATINGS_CONNECTION => 31, TALKS_CONNECTION => 32, RATINGS_LAMBDA_URL => 33);
my %direct = (STREAMS_CONNECTION => 'KAFKA_PROXIED_PORT', RATINGS_CONNECTION => 'REDIS_PORT', TALKS_CONNECTION => 'PG_PORT',
    RATINGS_LAMBDA_URL => 'LAMBDA_PORT');

# httpd is to go to the tool's port instead of where the connection string points.
sub _divert {
    my ($stage, $connection) = @_;
    my $port = $stage->port($port{$connection});
    $stage->environment($connection => $ENV{$connection} =~ s/(127\.0\.0\.1):\d+/$1:$port/r);
    return $port;
}

# A proxy in front of the backend that a connection string names, for a scenario's setup
sub proxy {
    my ($stage, $connection) = @_;
    my $port = _divert($stage, $connection);
    _advertise($stage, $port) if $connection eq 'STREAMS_CONNECTION';
    return $stage->{tool} = Chaos::Tool->new('proxy', $port, $ENV{ $direct{$connection} });
}

# A broker tells its clients where to go: those that come in through the proxy, to the proxy. It goes on
# so to the end; others are not concerned.
sub _advertise {
    my ($stage, $port) = @_;
    return if ($ENV{KAFKA_ADVERTISED_PORT} // '') eq $port;
    $ENV{KAFKA_ADVERTISED_PORT} = $port;
    $ENV{KAFKA_PROXIED_PORT} //= $ENV{KAFKA_PORT} + 2;
    $stage->stack('restart', 'kafka');
}

# A statistics function that misbehaves, in the place of the Lambda
sub function {
    my ($stage) = @_;
    return $stage->{tool} = Chaos::Tool->new('function', _divert($stage, 'RATINGS_LAMBDA_URL'));
}

1;
