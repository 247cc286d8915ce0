# What came of a scenario: the numbers of its row in the table, and what is wrong.
package Chaos::Verdict;

use strict;
use warnings;

use Chaos::Journal ();

my $deadline = 5; # seconds, the default of RatingsDeadline
my %always   = (POST => '200 202', DELETE => '204 202', GET => '200', MINE => '200 404', PROBE => '200', READY => '200');

# An episode: { row, from (the fault), since (from when recovery counts), to (it must be over) }. What a
# request may end in is what its row allows, if it was under way in the episode. (A victim stays broken.)
sub new {
    my ($class, %options) = @_;
    my $self = bless { %options, problems => [ @{ $options{problems} || [] } ] }, $class;
    $self->_judge_outcomes;
    $self->_judge_notes;
    $self->_judge_recovery;
    $self->_judge_audit;
    $self->_judge_gaps;
    $self->_judge_deadline;
    return $self;
}

sub problems { @{ $_[0]{problems} } }
sub _problem { my ($self, @text) = @_; push @{ $self->{problems} }, join '', @text }

# Whether an episode allows this outcome. A row's victim is the httpd that it breaks: only that one may
# break off.
sub _allows {
    my ($episode, $line) = @_;
    my $row = $episode->{row};
    return 1 if $line->{outcome} eq 'crossed' && !$row->{fault}; # what happens all the time
    return 0 if $line->{ended} < $episode->{from};
    return 0 if defined $row->{victim} ? $row->{victim} != $line->{where} : $line->{begun} > $episode->{to};
    return 1 if $line->{outcome} eq 'crossed';
    # not ready is what readiness is for
    my $allowed = ' ' . ($row->{allow}{ Chaos::Journal::like_what($line) } // '') . ' ' . ($line->{what} eq 'READY' ? '503 ' : '')
        . ($row->{allow}{any} // '') . ' ';
    return index($allowed, " $line->{outcome} ") >= 0;
}

sub _judge_outcomes {
    my ($self) = @_;
    my %wrong;
    for my $line ($self->{journal}->lines) {
        next if index(" $always{ $line->{what} } ", " $line->{outcome} ") >= 0;
        next if grep { _allows($_, $line) } @{ $self->{episodes} };
        my $name = "$line->{what} $line->{outcome}";
        $wrong{$name}{count}++;
        $wrong{$name}{first} //= sprintf '%.2f s after the start', $line->{begun} - $self->{begun};
    }
    $self->_problem("$wrong{$_}{count} times $_ that the scenario does not allow, first $wrong{$_}{first}") for sort keys %wrong;
    my $served = grep { $_->{what} eq 'POST' && Chaos::Journal::is_good($_) } $self->{journal}->lines;
    $self->_problem("only $served ratings were answered with 200: no load") if $served < 20;
}

# What clients noted: a count that went back, one that does not have what was acknowledged, and so on.
sub _judge_notes {
    my ($self) = @_;
    my (%count, %first);
    for my $line ($self->{journal}->lines) {
        for my $note (@{ $line->{notes} }) {
            my ($kind) = split /:/, $note;
            $kind = 'allowed back' if $kind =~ /^(?:back|behind)$/ && grep { _may_go_back($_, $line) } @{ $self->{episodes} };
            $count{$kind}++;
            $first{$kind} //= sprintf '%s of %s, %.2f s after the start', $note, $line->{talk}, $line->{begun} - $self->{begun};
        }
    }
    $self->{went_back} = $count{back} // 0;
    $self->{behind}    = $count{behind} // 0;
    delete $count{'allowed back'};
    my %text = (
        back => 'times a count went back', behind => 'times a GET did not count what a 200 had acknowledged',
        above => 'times a count was above what was sent', 'no-retry-after' => 'times a 503 without Retry-After',
        malformed => 'times an answer was no histogram', own => 'times a voter was shown another rating than the own',
    );
    $self->_problem("$count{$_} $text{$_}, first $first{$_}") for sort keys %count;
}

# Between a loss of the store and the next look at it (row's `back`, seconds) counts may be lower.
sub _may_go_back {
    my ($episode, $line) = @_;
    my $seconds = $episode->{row}{back} or return 0;
    return $line->{ended} >= $episode->{from} && $line->{begun} <= $episode->{since} + $seconds;
}

sub _judge_recovery {
    my ($self) = @_;
    for my $episode (@{ $self->{episodes} }) {
        my $row   = $episode->{row};
        my $where = defined $row->{victim} ? 1 - $row->{victim} : undef;
        my $limit = $row->{recover} * $ENV{CHAOS_SLACK};
        my $took  = $self->{journal}->recovery($episode->{since}, $episode->{to}, $where);
        $episode->{recovery} = $took;
        $self->_problem(sprintf '%s: no recovery within the %.1f s that were looked at', $row->{name}, $episode->{to} - $episode->{since})
            unless defined $took;
        $self->_problem(sprintf '%s: recovery took %.1f s, allowed are %.1f', $row->{name}, $took, $limit)
            if defined $took && $took > $limit;
    }
}

# A row's `gap`: the longest time without an answer to a kind of request, of all clients together.
sub _judge_gaps {
    my ($self) = @_;
    my %limit = map { %{ $_->{row}{gap} || {} } } @{ $self->{episodes} };
    for my $what (sort keys %limit) {
        my $gap = $self->{journal}->longest_gap($what, @$self{qw(begun ended)});
        $self->_problem(sprintf 'no %s was served for %.2f s, allowed are %.2f', $what, $gap, $limit{$what}) if $gap > $limit{$what} * $ENV{CHAOS_SLACK};
    }
}

# No request takes longer than RatingsDeadline, whatever hangs; a little more for a machine that is busy.
# Those of a process that is stopped stand still with it (row's `stands_still`).
sub _judge_deadline {
    my ($self) = @_;
    return if grep { $_->{row}{stands_still} } @{ $self->{episodes} };
    my $longest = $self->{journal}->longest_request(qw(POST DELETE GET MINE));
    $self->_problem(sprintf 'a request took %.2f s, allowed are %.2f', $longest, $deadline) if $longest > $deadline + 0.5 * $ENV{CHAOS_SLACK};
}

sub _judge_audit {
    my ($self) = @_;
    my $audit = $self->{audit} or return;
    $self->_problem($_) for @{ $audit->{problems} };
    $self->_problem("$audit->{lost} ratings were lost") if $audit->{lost};
    $self->_problem("$audit->{doubled} ratings were counted twice") if $audit->{doubled};
}

# ---- the row of the table ----

# The row as a hash, for the JSON lines.
sub facts {
    my ($self) = @_;
    my ($from, $to) = @$self{qw(begun ended)};
    my $journal = $self->{journal};
    my $audit   = $self->{audit} || {};
    my ($slowest) = sort { ($b // 1e9) <=> ($a // 1e9) } map { $_->{recovery} } @{ $self->{episodes} };
    return {
        fault => $self->{name}, number => $self->{number}, requests => $journal->outcomes,
        gap_post => $journal->longest_gap('POST', $from, $to), gap_get => $journal->longest_gap('GET', $from, $to),
        longest_probe => $journal->longest_request('PROBE'), longest_request => $journal->longest_request(qw(POST DELETE GET MINE)),
        recovery => $slowest, repeats => $audit->{fold}{again}, lost => $audit->{lost}, doubled => $audit->{doubled}, went_back => $self->{went_back},
        behind => $self->{behind}, problems => $self->{problems}, verdict => @{ $self->{problems} } ? 'FAIL' : 'pass',
        seconds => $to - $from, %{ $self->{extra} || {} },
    };
}

1;
