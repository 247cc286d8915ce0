# A Redis of a test's own: a second one to replicate from or to, or one that takes the place of the
# stack's. It ends when nothing refers to it any more, or with the test.
package RatingsTest::RedisServer;

use strict;
use warnings;
use File::Path qw(make_path);
use POSIX ();
use Time::HiRes qw(sleep time);

use RatingsTest::File  qw(write_file);
use RatingsTest::Redis ();

# directory; port; address (default: 127.0.0.1); arguments: more of redis-server's; binary: another redis-server than the system's; monitors: it is a
# sentinel, and these lines are its configuration
sub new {
    my ($class, %options) = @_;
    make_path($options{directory});
    # Debian's redis-tools has the server under this name, and goes by the name that it is called by
    my $program = "$options{directory}/redis-" . ($options{monitors} ? 'sentinel' : 'server');
    unlink $program;
    symlink $options{binary} // '/usr/bin/redis-check-rdb', $program or die "$program: $!";
    return bless { address => '127.0.0.1', %options, program => $program, owner => $$ }, $class;
}

sub _arguments {
    my ($self) = @_;
    my @all = ('--bind', $self->{address}, '--port', $self->{port}, '--dir', $self->{directory});
    return (@all, '--save', '', '--maxmemory-policy', 'noeviction', '--repl-diskless-sync-delay', '0', @{ $self->{arguments} || [] }) if !$self->{monitors};
    my $file = write_file("$self->{directory}/sentinel.conf", join '', map { "$_\n" } @{ $self->{monitors} }); # it writes what it learns into that
    return ($file, @all);
}

sub start {
    my ($self) = @_;
    my @arguments = $self->_arguments;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{directory}/log";
        open STDERR, '>&', \*STDOUT;
        open STDIN,  '<', '/dev/null';
        chdir $self->{directory};
        # it does not outlive the suite, whatever ends that
        exec 'setpriv', '--pdeathsig', 'KILL', '--', $self->{program}, @arguments or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    my $until = time + 20;
    until (eval { $self->client->call('PING') eq 'PONG' } || $@ =~ /NOAUTH/) {
        die "redis-server did not start: see $self->{directory}/log\n" if time > $until || waitpid($pid, POSIX::WNOHANG()) != 0;
        sleep 0.02;
    }
    return $self;
}

sub port { $_[0]{port} }

sub client { my $self = shift; local $ENV{REDIS_PORT} = $self->{port}; return RatingsTest::Redis->new(address => $self->{address}) }

sub call { my $self = shift; return $self->client->call(@_) }

# Goes on listening at another port: what clients see of a failover.
sub move {
    my ($self, $port) = @_;
    $self->call('CONFIG', 'SET', 'port', $port);
    $self->{port} = $port;
}

# Keeps it from doing anything, or lets it go on.
sub signal { my ($self, $signal) = @_; kill $signal, $self->{pid}; return }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    local ($?, $!);
    kill 'CONT', $pid;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

# Children of the test have a copy of it, which is not theirs to end.
sub DESTROY { my $self = shift; $self->stop if $$ == ($self->{owner} // 0); return }

1;
