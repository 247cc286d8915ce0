# What comes of it: progress on standard error, tables on standard output and in table.md, every run as a line of
# JSON in results.jsonl, and at the end whether it was good.
package Bench::Report;

use strict;
use warnings;

use Bench::Markdown qw(row rule whole pairs publish);
use Bench::Plan     ();
use Bench::Targets  ();
use RatingsTest     ();

my @cpu     = qw(server postgres redis kafka lambda all wrk);
my @memory  = qw(memory private private_most threads children); # of httpd's children
my @figures = (qw(rps p50 p99), @memory, @cpu);

# directory: where the files go; part: not all that the targets compare is measured
sub new {
    my ($class, $directory, %options) = @_;
    open my $lines, '>', "$directory/results.jsonl" or die "$directory/results.jsonl: $!\n";
    $lines->autoflush(1);
    unlink "$directory/table.md";
    return bless { directory => $directory, part => $options{part}, lines => $lines, runs => {}, order => [], wrong => [], limits => [], facts => [] }, $class;
}

sub say { my ($self, $text) = @_; print STDERR "$text\n" }
sub _line { my ($self, $kind, $value) = @_; print { $self->{lines} } RatingsTest::to_json({ kind => $kind, %$value }), "\n" }

sub facts {
    my ($self, @facts) = @_;
    $self->{facts} = \@facts;
    $self->_line(machine => {@facts});
}

sub limit { my ($self, $limit) = @_; push @{ $self->{limits} }, $limit; $self->_line(limit => $limit) }

# Something that must not be
sub wrong {
    my ($self, $where, @what) = @_;
    for my $what (@what) {
        chomp $what;
        push @{ $self->{wrong} }, "$where: $what";
        $self->say("! $where: $what");
    }
}

sub run {
    my ($self, $run) = @_;
    $self->_line(run => $run);
    push @{ $self->{runs}{ $run->{case} }{ $run->{connections} }{ $run->{system} } }, $run;
    $self->say(sprintf 'round %d  %-10s %3d  %-19s %9.0f/s  p50 %7.2f ms  p99 %7.2f ms  CPU %6.1f of %6.1f us', @$run{qw(round case connections system rps p50 p99 server all)});
    $self->wrong("round $run->{round}, $run->{case}, $run->{connections} connections, $run->{system}", @{ $run->{wrong} });
}

# ---- medians ----

sub _median {
    my @values = sort { $a <=> $b } grep { defined } @_ or return undef;
    return ($values[ $#values / 2 ] + $values[ @values / 2 ]) / 2;
}

# Of the runs of a system in which nothing was wrong; undef if there is none
sub median {
    my ($self, $case, $system, $connections) = @_;
    my $runs = [ grep { !@{ $_->{wrong} } } @{ $self->{runs}{$case}{$connections}{$system} || [] } ];
    return unless @$runs;
    my %median;
    for my $figure (@figures) { $median{$figure} = _median(map { $_->{$figure} } @$runs) }
    $median{errors} = 0;
    $median{errors} += $_->{bad_status} + $_->{socket_errors} for @$runs;
    return { %median, runs => scalar @$runs };
}

# ---- tables ----

sub _cells {
    my ($median) = @_;
    my @children = map { defined $median->{$_} ? sprintf(/^(?:threads|children)$/ ? '%.0f' : '%.1f', $median->{$_}) : '' } @memory;
    return (whole($median->{rps}), map({ sprintf '%.2f', $median->{$_} } qw(p50 p99)), $median->{errors}, map({ sprintf '%.1f', $median->{$_} } @cpu), @children);
}

sub _case {
    my ($self, $case, $order) = @_;
    return unless $self->{runs}{$case};
    my @lines = ("\n### $case: " . Bench::Plan::title($case) . "\n\n",
        row('connections', 'system', 'requests/s', 'p50 ms', 'p99 ms', 'errors', 'CPU: server', @cpu[ 1 .. $#cpu ], 'MB', 'private', 'most', 'threads', 'children'), rule(2, 9 + @cpu));
    for my $connections (sort { $a <=> $b } keys %{ $self->{runs}{$case} }) {
        for my $system (@$order) {
            my $median = $self->median($case, $system, $connections) or next;
            push @lines, row($connections, "`$system`", _cells($median));
        }
    }
    return @lines;
}

sub _limits {
    my ($self) = @_;
    return unless @{ $self->{limits} };
    return ("\n### Limits of the backends\n\n", row('measured by', 'a second'), rule(1, 1), map { row($_->{what}, whole($_->{per_second})) } @{ $self->{limits} });
}

sub _targets {
    my ($self) = @_;
    my @judged = Bench::Targets::judge(sub { $self->median(@_) });
    @judged = grep { $_->{verdict} ne 'not measured' } @judged if $self->{part};
    return unless @judged;
    $self->_line(target => $_) for @judged;
    return ("\n### Targets\n\n", row('', 'target', 'measured', 'limit', ''), rule(2, 1, 2),
        map({ row($_->{number}, $_->{what}, defined $_->{measured} ? sprintf('%.2f', $_->{measured}) : '', $_->{limit} . ($_->{stretch} ? ' (stretch)' : ''), $_->{verdict}) } @judged),
        "\n7, memory: `make bench-memory`. 8, rebuilding the store, beside before: `make bench-rebuild`.\n");
}

# order: the systems, in the tables' order. The exit code.
sub finish {
    my ($self) = @_;
    my @text = (pairs(@{ $self->{facts} }), $self->_limits, map({ $self->_case($_, $self->{order}) } @{ $self->{cases} }), $self->_targets);
    return publish("$self->{directory}/table.md", $self->{wrong}, @text);
}

# The cases and systems, in the order of the tables
sub arrange { my ($self, $cases, $systems) = @_; @$self{qw(cases order)} = ($cases, $systems) }

1;
