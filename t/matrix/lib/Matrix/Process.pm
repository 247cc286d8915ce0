# A server of a row: a program in the foreground, with a directory and a log of its own. It ends when nothing refers to it any
# more, or with the row.
package Matrix::Process;

use strict;
use warnings;
use File::Path qw(make_path);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

# directory; program; arguments; port that it listens on when it is up; within: seconds until then (default: 20)
sub new {
    my ($class, %options) = @_;
    make_path($options{directory});
    return bless { within => 20, %options, owner => $$ }, $class;
}

# A file beside its log, as a configuration; its path.
sub write_file {
    my ($self, $name, $text) = @_;
    my $path = "$self->{directory}/$name";
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    return $path;
}

sub start {
    my ($self) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{directory}/log";
        open STDERR, '>&', \*STDOUT;
        open STDIN,  '<', '/dev/null';
        chdir $self->{directory};
        exec 'setpriv', '--pdeathsig', 'KILL', '--', $self->{program}, @{ $self->{arguments} } or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    my $until = time + $self->{within};
    until ($self->listens) {
        die "$self->{program} did not start: see $self->{directory}/log\n" if time > $until || waitpid($pid, POSIX::WNOHANG()) != 0;
        sleep 0.05;
    }
    return $self;
}

sub listens { my ($self) = @_; return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 2) }

sub port { $_[0]{port} }

# Asked, and after five seconds told; what has forked ends with it.
sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    local ($?, $!);
    kill 'TERM', $pid;
    my $until = time + 5;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        kill 'KILL', $pid if time > $until;
        sleep 0.05;
    }
    return;
}

sub restart { my ($self) = @_; $self->stop; return $self->start }

# Children of the row have a copy of it, which is not theirs to end.
sub DESTROY { my ($self) = @_; $self->stop if $$ == $self->{owner}; return }

1;
