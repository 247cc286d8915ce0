# A program that acts on command, a line each, and answers each by a line: one of t/chaos/tools that misbehaves (a proxy,
# a statistics function), or any by its path. It ends when nothing refers to it any more.
package RatingsTest::Tool;

use strict;
use warnings;
use FindBin qw($Bin);
use IO::Select ();
use IPC::Open2 qw(open2);
use POSIX ();
use Time::HiRes qw(time);

my ($directory) = grep { -d } "$Bin/tools", "$Bin/chaos/tools";

sub new {
    my ($class, $name, @arguments) = @_;
    my $self = bless { name => $name, buffer => '' }, $class;
    my $path = $name =~ m{/} ? $name : "$directory/$name";
    $self->{pid} = open2($self->{from}, $self->{to}, qw(setpriv --pdeathsig KILL --), $path, @arguments);
    $self->{owner} = $$;
    $self->{greeting} = $self->_line;
    return $self;
}

# The line that it said first.
sub greeting { return $_[0]{greeting} }

# A command that may take so many seconds, and what it is answered.
sub ask {
    my ($self, $command, $seconds) = @_;
    syswrite $self->{to}, "$command\n";
    return $self->_line($seconds);
}

sub _line {
    my ($self, $seconds) = @_;
    my $until = time + ($seconds // 10 * ($ENV{CHAOS_SLACK} // 3));
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

# Children of the test have a copy of it, which is not theirs to end.
sub DESTROY {
    my ($self) = @_;
    return if $$ != ($self->{owner} // 0);
    local ($?, $!);
    close $self->{to};
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
