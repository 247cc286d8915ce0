# A server that the benchmark starts, and stops by its pid.
package Bench::Process;

use strict;
use warnings;
use File::Path qw(make_path);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use Bench::Tree       ();
use RatingsTest::Httpd ();

# directory: where it runs and its output goes; command; environment; port: where it will listen
sub start {
    my ($class, %options) = @_;
    die "port $options{port} is in use\n" if _listens($options{port});
    make_path($options{directory});
    my $self = bless { %options, owner => $$ }, $class;
    $self->{pid} = fork // die "fork: $!";
    $self->_become unless $self->{pid};
    $self->_await(20);
    return $self;
}

# What is in the Lambda's place: t/bench/stub-lambda says why.
sub lambda {
    my ($class) = @_;
    return $class->start(directory => "$ENV{BENCH_DIR}/lambda", port => $ENV{LAMBDA_PORT},
        command => [ "$ENV{BENCH_PROGRAMS}/stub-lambda", '-addr', "127.0.0.1:$ENV{LAMBDA_PORT}" ]);
}

sub pid { $_[0]{pid} }
sub log { "$_[0]{directory}/output" }

# In the child. It does not outlive the benchmark, whatever ends that; and it has a process group of its own, as httpd
# under prefork ends by a signal to all of its group.
sub _become {
    my ($self) = @_;
    $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM PIPE);
    setpgrp;
    open STDIN,  '<',  '/dev/null' or POSIX::_exit(127);
    open STDOUT, '>>', $self->log  or POSIX::_exit(127);
    open STDERR, '>&', \*STDOUT    or POSIX::_exit(127);
    %ENV = (%ENV, %{ $self->{environment} || {} });
    exec 'setpriv', '--pdeathsig', 'TERM', '--', @{ $self->{command} } or POSIX::_exit(127);
}

sub _listens {
    my ($port) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 2);
}

sub _await {
    my ($self, $seconds) = @_;
    my $until = time + $seconds;
    until (_listens($self->{port})) {
        $self->_fail('ended at its start') if waitpid $self->{pid}, POSIX::WNOHANG();
        $self->_fail("does not listen within $seconds s") if time > $until;
        sleep 0.02;
    }
}

sub _fail {
    my ($self, $what) = @_;
    $self->stop;
    die "$self->{command}[0] $what: see $self->{directory}\n";
}

# Asks it to end, waits, and ends what is left of it by force.
sub stop {
    my ($self) = @_;
    return if $$ != $self->{owner} || $self->{stopped}++;
    my @all = Bench::Tree::pids($self->{pid});
    kill 'TERM', $self->{pid};
    my $until = time + 15;
    while (grep { !RatingsTest::Httpd::zombie($_) } @all) {
        waitpid $self->{pid}, POSIX::WNOHANG();
        if (time > $until) { kill 'KILL', @all; last }
        sleep 0.02;
    }
    waitpid $self->{pid}, 0;
}

sub DESTROY { my ($self) = @_; local ($?, $!, $@); $self->stop }

1;
