# What is measured, in which order: cases, systems, numbers of connections, rounds.
package Bench::Plan;

use strict;
use warnings;

use Bench::System  ();
use Bench::Targets ();

# In this order: those that write come last, and change what the others read.
my @cases = (
    [ root       => 'GET /' ],
    [ hot        => 'GET of one talk' ],
    [ unchanged  => 'GET of one talk with If-None-Match: 304' ],
    [ zipf       => 'GET of 10,000 talks, drawn by Zipf\'s law' ],
    [ revalidate => 'the same with If-None-Match: 304' ],
    [ list       => 'GET of 20 of 10,000 talks, by their starts' ],
    [ search     => 'GET of talks that are searched for by title, drawn as above' ],
    [ ranked     => 'GET of the 100 best talks with their ratings' ],
    [ post       => 'POST of ratings, talks drawn as above' ],
    [ mix        => '90% GET, 10% POST' ],
    [ vote       => 'POST of ratings of voters, each of another one, talks drawn as above' ],
);
my %title = map { @$_ } @cases;

# Numbers of connections, unless others are asked for. Lists take milliseconds of a core each: with more connections
# than these, wrk would measure how long they wait for each other.
my @connections = (32, 1, 256);
my %connections = map { $_ => [4] } qw(list search ranked);

my $around = 4.5; # seconds beside those that are measured: start, warming up, counting, stop

# names: a list of systems, or none for all; cases, connections: several in a string; rounds, seconds, short
sub new {
    my ($class, %options) = @_;
    my %wanted = map { $_ => 1 } split ' ', $options{cases} || join ' ', map { $_->[0] } @cases;
    for my $case (keys %wanted) { die "there is no case $case: see --list\n" unless $title{$case} }
    return bless {
        cases   => [ grep { $wanted{$_} } map { $_->[0] } @cases ],
        systems => [ map { Bench::System->named($_) } @{ $options{names} } ? @{ $options{names} } : Bench::System->all ],
        connections => [ split ' ', $options{connections} ], rounds => $options{rounds}, seconds => $options{seconds}, short => $options{short},
    }, $class;
}

sub title   { my ($case) = @_; return $title{$case} }
sub cases   { @{ $_[0]{cases} } }
sub whole   { my ($self) = @_; return $self->cases == @cases && @{ $self->{systems} } == Bench::System->all }
sub rounds  { $_[0]{rounds} }
sub seconds { $_[0]{seconds} }
sub systems { my ($self) = @_; return grep { my $system = $_; grep { $self->_pair($_, $system) } $self->cases } @{ $self->{systems} } }

# Those of a system: the first in every round, and what the targets compare; the others in the first round
sub connections {
    my ($self, $round, $case, $system) = @_;
    my @all = @{ $self->{connections} };
    @all = @{ $connections{$case} || \@connections } unless @all;
    return @all if $round == 1 && !$self->{short};
    return grep { $_ == $all[0] || Bench::Targets::compares($case, $system->name, $_) } @all;
}

sub _pair {
    my ($self, $case, $system) = @_;
    return $system->plays($case) && (!$self->{short} || Bench::Targets::compares($case, $system->name));
}

# The systems of a case, in the order of the round: each begins elsewhere, and every second one goes backwards
sub order {
    my ($self, $case, $round) = @_;
    my @systems = grep { $self->_pair($case, $_) } @{ $self->{systems} };
    my $shift   = int(@systems * ($round - 1) / $self->rounds);
    my @order   = (@systems[ $shift .. $#systems ], @systems[ 0 .. $shift - 1 ]);
    return $round % 2 ? @order : reverse @order;
}

# How long it will take, about, in minutes
sub minutes {
    my ($self) = @_;
    my $seconds = 60 + 2 * $self->systems;
    for my $round (1 .. $self->rounds) {
        for my $case ($self->cases) {
            $seconds += $around - 2 + $self->connections($round, $case, $_) * ($self->seconds + 2) for $self->order($case, $round);
        }
    }
    return $seconds / 60;
}

sub list {
    my ($self) = @_;
    return ("cases\n", (map { sprintf "  %-20s %s\n", @$_ } @cases),
        "systems\n", map { sprintf "  %-20s %s\n", $_->name, $_->describe } @{ $self->{systems} });
}

1;
