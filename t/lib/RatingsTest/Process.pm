# A server of a test's own, in the foreground: it ends when nothing refers to it any more, or with the test.
package RatingsTest::Process;

use strict;
use warnings;
use File::Path qw(make_path);
use POSIX ();
use Time::HiRes qw(sleep time);

# directory: its own, with its log; command: words; ready: true once it answers; within: so many seconds
sub new {
    my ($class, %options) = @_;
    make_path($options{directory});
    return bless { within => 30, %options, owner => $$ }, $class;
}

sub start {
    my ($self) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{directory}/log";
        open STDERR, '>&', \*STDOUT;
        open STDIN,  '<', '/dev/null';
        chdir $self->{directory};
        # it does not outlive the suite, whatever ends that
        exec 'setpriv', '--pdeathsig', 'KILL', '--', @{ $self->{command} } or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    my $until = time + $self->{within};
    until ($self->{ready}->()) {
        die "$self->{command}[0] did not start: see $self->{directory}/log\n" if time > $until || waitpid($pid, POSIX::WNOHANG()) != 0;
        sleep 0.05;
    }
    return $self;
}

sub signal { my ($self, $signal) = @_; return kill $signal, $self->{pid} }

# Asks it to end by a signal (KILL if none is named), and waits until it has.
sub stop {
    my ($self, $signal) = @_;
    my $pid = delete $self->{pid} or return;
    local ($?, $!);
    kill $signal // 'KILL', $pid;
    my $until = time + $self->{within};
    until (waitpid($pid, POSIX::WNOHANG()) != 0) {
        kill 'KILL', $pid if time > $until;
        sleep 0.02;
    }
    return;
}

# Children of the test have a copy of it, which is not theirs to end.
sub DESTROY { my $self = shift; $self->stop($self->{end}) if $$ == ($self->{owner} // 0); return }

1;
