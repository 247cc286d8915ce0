# What the ratings of one talk are, as far as the one client knows that sends them: of each of its voters the rating
# that was acknowledged last, or what else it may be; and its anonymous ones.
package Chaos::Ballots;

use strict;
use warnings;

use Chaos::Journal qw(is_taken);

my $at_a_time = 3; # voters

# talk; is_own: nobody else rates it; names: what the names of its voters begin with
sub new {
    my ($class, %options) = @_;
    my $self = bless { %options, voters => {}, anonymous => {}, serial => 0, taken => [] }, $class;
    $self->{active} = [ map { $self->_new_voter } 1 .. $at_a_time ];
    return $self;
}

sub talk { $_[0]{talk} }

# A rating of 0 is none.
sub _new_voter {
    my ($self) = @_;
    my $voter = "$self->{names}-" . ++$self->{serial};
    $self->{voters}{$voter} = { is => 0, maybe => [] };
    return $voter;
}

# One that may vote
sub any_voter { my ($self) = @_; return $self->{active}[ rand @{ $self->{active} } ] }

# A voter who votes no more, as nobody knows what a request will still bring about: another one does.
sub retire {
    my ($self, $voter) = @_;
    $_ eq $voter and $_ = $self->_new_voter for @{ $self->{active} };
    return;
}

# A vote, or without a voter an anonymous rating, and the outcome of its request: 200 or 204 says that it is counted and all
# that was taken before as well, 202 that it will be, others that nobody knows. (What was refused is not to be noted.)
sub note {
    my ($self, $voter, $value, $outcome) = @_;
    my $settle = defined $voter ? $self->_vote($voter, $value) : $self->_anonymous($value);
    push @{ $self->{taken} }, $settle if is_taken($outcome);
    return if $outcome !~ /^20[04]$/;
    $_->() for splice @{ $self->{taken} };
    return;
}

# Each gives back what is to be done when it is counted for sure.
sub _vote {
    my ($self, $voter, $value) = @_;
    my ($ballot, $entry) = ($self->{voters}{$voter}, [$value]);
    push @{ $ballot->{maybe} }, $entry;
    return sub {
        $ballot->{is} = $value;
        1 until shift @{ $ballot->{maybe} } == $entry;
    };
}

sub _anonymous {
    my ($self, $value) = @_;
    my $count = $self->{anonymous}{$value} ||= { least => 0, most => 0 };
    $count->{most}++;
    return sub { $count->{least}++ };
}

# What a voter may be shown: ratings, 0 for none
sub ratings_of {
    my ($self, $voter) = @_;
    my $ballot = $self->{voters}{$voter};
    return ($ballot->{is}, map { $_->[0] } @{ $ballot->{maybe} });
}

# How many ratings of a value there are at least, and at most (undef: others rate the talk as well).
sub bounds {
    my ($self, $value) = @_;
    my ($least, $most) = map { $_ // 0 } @{ $self->{anonymous}{$value} || {} }{qw(least most)};
    for my $voter (keys %{ $self->{voters} }) {
        my @ratings = $self->ratings_of($voter);
        my $such    = grep { $_ == $value } @ratings;
        $least++ if $such == @ratings;
        $most++  if $such;
    }
    return ($least, $self->{is_own} ? $most : undef);
}

1;
