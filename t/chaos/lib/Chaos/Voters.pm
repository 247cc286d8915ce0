# A client of the load that has several voters, in a talk of its own and in one that clients of its kind share: they rate,
# change their minds, withdraw, and send again what was counted long ago, beside anonymous ratings of the same talks.
# What it is shown has to be what Chaos::Ballots says.
package Chaos::Voters;

use strict;
use warnings;
use parent 'Chaos::Client';
use Time::HiRes qw(sleep);

use Chaos::Ballots ();
use Chaos::Journal qw(is_refused is_taken);

my $kept = 50; # votes of a talk with a key that may be sent again

# Beside those of Chaos::Client: mixed (the talk that is shared)
sub new {
    my ($class, %options) = @_;
    my $self = $class->SUPER::new(%options);
    my @talks = @options{qw(own mixed)};
    $self->{ballots} = [ map { Chaos::Ballots->new(talk => $_, is_own => $_ eq $options{own}, names => "voter-$options{index}") } @talks ];
    return $self;
}

sub step {
    my ($self) = @_;
    my $ballots = $self->{ballots}[ rand @{ $self->{ballots} } ];
    my $lot     = rand;
    if    ($lot < 0.1) { $self->_rate_anonymously($ballots) }
    elsif ($lot < 0.25) { $self->_repeat($ballots) }
    else                { $self->_vote($ballots) }
    rand() < 0.5 ? $self->_look($ballots) : $self->_look_at_own($ballots);
    return;
}

# ---- votes ----

# A value of 0 withdraws.
sub _send {
    my ($self, $talk, $voter, $value, $key) = @_;
    my @headers = (defined $voter ? ('X-Voter' => $voter) : (), defined $key ? ('Idempotency-Key' => qq("$key")) : ());
    my ($outcome, undef, $line) = $value
        ? $self->_ask('POST', 'POST', '/ratings', [ 'Content-Type' => 'application/json', @headers ], qq({"talkId":"$talk","value":$value}))
        : $self->_ask('DELETE', 'DELETE', "/ratings?talkId=$talk", \@headers);
    @$line{qw(talk value key voter)} = ($talk, $value, $key, $voter);
    $self->_write($line);
    return $outcome;
}

sub _rate_anonymously {
    my ($self, $ballots) = @_;
    my $value   = 1 + int rand 5;
    my $outcome = $self->_send($ballots->talk, undef, $value);
    $ballots->note(undef, $value, $outcome) unless is_refused($outcome);
    return;
}

# Rates, changes or withdraws. With a key it is sent until it is taken. Without one, half of the voters leave it at that
# when nobody knows what became of it; all of them vote no more then, as that request may still be recorded after others.
sub _vote {
    my ($self, $ballots) = @_;
    my ($voter, $value) = ($ballots->any_voter, rand() < 0.25 ? 0 : 1 + int rand 5);
    my $key = $self->{keyed} && rand() < 0.5 ? $self->_new_key : undef;
    my ($again, $doubtful, $outcome) = (defined $key || rand() < 0.5, 0);
    for (1 .. 100) {
        $outcome = $self->_send($ballots->talk, $voter, $value, $key);
        $ballots->note($voter, $value, $outcome) unless is_refused($outcome);
        last if is_taken($outcome);
        $doubtful ||= !is_refused($outcome);
        last if !$again || $outcome =~ /^4/ || $self->_stopped;
        sleep 0.05 + rand 0.1;
    }
    my $is_certain = is_taken($outcome) && defined $key;
    $ballots->retire($voter) if $doubtful && !$is_certain;
    $self->_keep($ballots->talk, [ $voter, $value, $key ]) if $is_certain;
    return;
}

sub _keep {
    my ($self, $talk, $vote) = @_;
    my $votes = $self->{votes}{$talk} ||= [];
    push @$votes, $vote;
    shift @$votes if @$votes > $kept;
    return;
}

# A vote that was counted once, sent again: nothing is other than before, whatever came between.
sub _repeat {
    my ($self, $ballots) = @_;
    my $votes = $self->{votes}{ $ballots->talk } or return;
    $self->_send($ballots->talk, @{ $votes->[ rand @$votes ] });
    return;
}

# ---- reading ----

sub _look {
    my ($self, $ballots) = @_;
    my ($outcome, $response, $line) = $self->_ask('GET', 'GET', '/ratings?talkId=' . $ballots->talk);
    $line->{talk} = $ballots->talk;
    if ($outcome eq '200') {
        my %count = $response->body =~ /"([1-5])":(\d+)/g;
        push @{ $line->{notes} }, map { _judge($_, $count{$_}, $ballots->bounds($_)) } 1 .. 5;
    }
    return $self->_write($line);
}

sub _judge {
    my ($value, $count, $least, $most) = @_;
    return 'malformed' unless defined $count;
    return "behind:$value:$least:$count" if $count < $least;
    return defined $most && $count > $most ? "above:$value:$most:$count" : ();
}

sub _look_at_own {
    my ($self, $ballots) = @_;
    my $voter = $ballots->any_voter;
    my ($outcome, $response, $line) = $self->_ask('MINE', 'GET', '/ratings/mine?talkId=' . $ballots->talk, [ 'X-Voter' => $voter ]);
    @$line{qw(talk voter)} = ($ballots->talk, $voter);
    if ($outcome =~ /^(?:200|404)$/) {
        my $shown = $outcome eq '404' ? 0 : ($response->body =~ /"value":([1-5])\b/)[0] // 'malformed';
        my @may   = $ballots->ratings_of($voter);
        push @{ $line->{notes} }, 'own:' . join('/', @may) . ":$shown" unless grep { $_ eq $shown } @may;
    }
    return $self->_write($line);
}

1;
