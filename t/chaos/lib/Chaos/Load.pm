# The load: client processes, for as long as it runs; then what they have written down.
package Chaos::Load;

use strict;
use warnings;
use File::Path qw(make_path);
use POSIX ();
use Time::HiRes qw(sleep time);

use Chaos::Client  ();
use Chaos::Journal ();
use Chaos::Voters  ();

# directory: for the journals; clients: how many; rate: requests a second of all, about; ports: of the
# httpds, the clients are shared out among them; talks: shared ones; own: a list, one for each client; mixed: shared by
# those that have voters; keyed, seed
sub new {
    my ($class, %options) = @_;
    make_path($options{directory});
    return bless { %options, stop => "$options{directory}/stop", pids => {} }, $class;
}

sub start {
    my ($self) = @_;
    my @kinds = Chaos::Client::kinds();
    # a client has asked once in `think` and what an answer takes, some milliseconds
    my $think = $self->{clients} / $self->{rate};
    for my $index (0 .. $self->{clients} - 1) {
        my $round = int($index / @kinds);
        my $kind  = $kinds[ $index % @kinds ];
        # without keys, to send again would be to rate again
        $kind = 'plain' if $kind eq 'stayer' && !$self->{keyed};
        $self->_fork(kind => $kind, index => $index, where => $round % @{ $self->{ports} }, think => $think,
            keep => int($round / @{ $self->{ports} }) % 2);
    }
    for my $where (0 .. $#{ $self->{ports} }) {
        $self->_fork(kind => 'prober', index => 1000 + $where, where => $where, think => 0.02, keep => 1);
        $self->_fork(kind => 'ready', index => 2000 + $where, where => $where, think => 0.1, keep => 0);
    }
    $self->{begun} = time;
    return $self;
}

sub _fork {
    my ($self, %client) = @_;
    my $journal = "$self->{directory}/$client{kind}-$client{index}";
    my $pid = fork // die "fork: $!";
    if ($pid) { $self->{pids}{$pid} = $client{kind}; return }
    # nothing of the parent's is run here: not its handlers, not its cleanups
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
    my $done = eval {
        my $class = $client{kind} eq 'voters' ? 'Chaos::Voters' : 'Chaos::Client';
        $class->new(%client, journal => $journal, stop => $self->{stop}, seed => $self->{seed}, keyed => $self->{keyed},
            port => $self->{ports}[ $client{where} ], talks => $self->{talks}, mixed => $self->{mixed}, own => $self->{own}[ $client{index} ] // '')->run;
        1;
    };
    print STDERR "client $client{kind}: $@" unless $done;
    POSIX::_exit($done ? 0 : 1);
}

# Lets each client finish what it has under way; the journal of all.
sub stop {
    my ($self) = @_;
    $self->{ended} = time;
    open my $file, '>', $self->{stop} or die "$self->{stop}: $!";
    my $until = time + 25;
    my @wrong;
    while (my @left = keys %{ $self->{pids} }) {
        for my $pid (@left) {
            next unless waitpid $pid, POSIX::WNOHANG();
            my $kind = delete $self->{pids}{$pid};
            push @wrong, "a client ($kind) died" if $?;
        }
        if (time > $until) {
            push @wrong, 'clients did not come to an end';
            $self->kill;
        }
        sleep 0.02;
    }
    return (Chaos::Journal->new("$self->{directory}/*-*"), @wrong);
}

sub kill {
    my ($self) = @_;
    for my $pid (keys %{ $self->{pids} }) {
        CORE::kill 'KILL', $pid;
        waitpid $pid, 0;
    }
    $self->{pids} = {};
}

1;
