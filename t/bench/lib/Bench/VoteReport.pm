# What comes of t/bench/vote: tables and verdicts on standard output and in vote.md.
package Bench::VoteReport;

use strict;
use warnings;

use Bench::Markdown qw(row rule whole pairs publish);

my $rate  = 3_800_000 / 360; # ratings a second: a continent's vote in six minutes
my $p99   = 60;              # milliseconds
my $child = 64;              # MB that one holds at most, as of make bench-memory

# MB of Redis: what a voter's rating of a talk takes (docs/operations.md), and what there is whoever votes
my ($per_vote, $constant) = (100 / 2**20, 16);

# directory: where vote.md goes
sub new {
    my ($class, $directory) = @_;
    unlink "$directory/vote.md";
    return bless { path => "$directory/vote.md", facts => [], wrong => [] }, $class;
}

sub facts { my ($self, @facts) = @_; $self->{facts} = \@facts }

# Something that must not be
sub wrong {
    my ($self, $where, @what) = @_;
    chomp @what;
    push @{ $self->{wrong} }, map { "$where: $_" } @what;
}

# What was measured, see Bench::Vote
sub vote { my ($self, %vote) = @_; $self->{vote} = \%vote }

sub _verdict {
    my ($what, $measured, $limit, $format) = @_;
    return row($what, map({ sprintf $format, $_ } $measured, $limit), $measured <= $limit ? 'met' : 'missed');
}

sub _verdicts {
    my ($self) = @_;
    my $vote    = $self->{vote};
    my ($most)  = sort { $b <=> $a } map { $_->{VmHWM} / 1024 } @{ $vote->{children} };
    my ($before, $after) = map { $_ / 2**20 } @{ $vote->{redis} };
    return (row('', 'measured', 'at most', ''), rule(1, 2, 1),
        _verdict(whole($vote->{ratings}) . ' ratings', $vote->{seconds}, $vote->{ratings} / $rate, '%.1f s'),
        _verdict('p99', $vote->{p99_ms}, $p99, '%.2f ms'),
        _verdict('Redis, more than before', $after - $before, $constant + $per_vote * $vote->{stored}, '%.1f MB'),
        _verdict('resident in a child at any time', $most, $child, '%.1f MB'),
        row('each count right, by the load and by the audit', scalar @{ $self->{wrong} } . ' faults', 'none', @{ $self->{wrong} } ? 'missed' : 'met'));
}

sub _figures {
    my ($self) = @_;
    my $vote = $self->{vote};
    my @backends = qw(server postgres redis kafka lambda);
    return (pairs('ratings, voters, talks' => join(', ', map { whole($vote->{$_}) } qw(ratings voters talks)),
            'answered with 200' => whole($vote->{visible}),
            'ratings that count at the end' => whole($vote->{stored}),
            'requests/s' => whole($vote->{ratings} / $vote->{seconds}),
            'p50, p99, longest' => sprintf('%.2f, %.2f, %.2f ms', @$vote{qw(p50_ms p99_ms longest_ms)}),
            'bytes of Redis for each that counts' => sprintf('%.1f', ($vote->{redis}[1] - $vote->{redis}[0]) / $vote->{stored})),
        "\n", row('CPU microseconds a rating', @backends, 'wrk'), rule(1, 1 + @backends),
        row('', map({ sprintf '%.1f', $vote->{cpu}{$_} } @backends), sprintf '%.1f', $vote->{wrk_us} / $vote->{ratings}),
        "\n", row('MB of a child', 'resident, at most', 'resident', 'private', 'threads'), rule(1, 4),
        map({ my $held = $vote->{children}[$_]; row($_ + 1, map({ sprintf '%.1f', $_ / 1024 } $held->{VmHWM}, $held->{Rss}, $held->{Private_Clean} + $held->{Private_Dirty}), $held->{Threads}) }
            0 .. $#{ $vote->{children} }));
}

# The exit code
sub finish {
    my ($self) = @_;
    my @text = (pairs(@{ $self->{facts} }), "\n");
    push @text, $self->_verdicts, "\n", $self->_figures if $self->{vote};
    return publish($self->{path}, $self->{wrong}, @text);
}

1;
