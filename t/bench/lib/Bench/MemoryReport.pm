# What comes of t/bench/memory: progress on standard error, tables and verdicts on standard output and in memory.md.
package Bench::MemoryReport;

use strict;
use warnings;

use Bench::Markdown qw(row rule whole pairs publish);

my $most    = 64 * 1024; # kilobytes of a child
my $warming = 0.2;       # of the requests: until allocators and tables have what they need

# Kinds of children, and the kilobytes that one may grow by. Who projects has two tables of events, for its
# one partition, of up to 1 MB; one of them fills up, is dropped and begins anew.
my @kinds = (
    [ 'a child'                 => sub { !$_[0]{projects} }, 1024 ],
    [ 'the child that projects' => sub { $_[0]{projects} }, 1024 + 1024 ],
);

# Columns of a reading
my @columns = (
    [ 'Rss'           => sub { $_[0]{Rss} } ],
    [ 'Pss'           => sub { $_[0]{Pss} } ],
    [ 'anonymous'     => sub { $_[0]{Anonymous} } ],
    [ 'shared memory' => sub { $_[0]{RssShmem} } ],
    [ 'files'         => sub { $_[0]{Rss} - $_[0]{Anonymous} - $_[0]{RssShmem} } ],
    [ 'highest Rss'   => sub { $_[0]{VmHWM} } ],
);

# directory: where memory.md goes
sub new {
    my ($class, $directory) = @_;
    unlink "$directory/memory.md";
    return bless { path => "$directory/memory.md", facts => [], readings => [], answers => {}, wrong => [] }, $class;
}

sub say { my ($self, $text) = @_; print STDERR "$text\n" }
sub facts { my ($self, @facts) = @_; $self->{facts} = \@facts }

# Something that must not be
sub wrong {
    my ($self, $where, @what) = @_;
    chomp @what;
    for my $what (@what) {
        push @{ $self->{wrong} }, "$where: $what";
        $self->say("! $where: $what");
    }
}

# Of each status how many there were
sub answered { my ($self, %count) = @_; $self->{answers}{$_} += $count{$_} for keys %count }

# children: what those before had when they had projected the ratings
sub seeded {
    my ($self, @children) = @_;
    my ($most) = sort { $b->{VmHWM} <=> $a->{VmHWM} } @children;
    $self->say($self->{seeded} = sprintf 'A child that projected all ratings at once had up to %.1f MB, then %.1f MB.', map { $_ / 1024 } @$most{qw(VmHWM Rss)});
}

# children: what each holds (Bench::Tree::memory); requests so far, and a second lately
sub reading {
    my ($self, $when, $requests, $rate, @children) = @_;
    push @{ $self->{readings} }, { when => $when, requests => $requests, children => \@children };
    $self->say(sprintf '%-30s %s%s', $when, join(' ', map { sprintf '%6.2f MB', $_->{Rss} / 1024 } @children), $rate ? sprintf ' %9.0f/s', $rate : '');
}

# ---- verdicts ----

sub _highest { my ($highest) = sort { $b <=> $a } @_; return $highest }

# How much the child grew that grew most of these (their numbers)
sub _growth {
    my ($from, $to, @numbers) = @_;
    return _highest(map { $to->{children}[$_]{Rss} - $from->{children}[$_]{Rss} } @numbers);
}

# The first reading with at least this share of the requests
sub _after {
    my ($self, $share) = @_;
    my $all = $self->{readings}[-1]{requests};
    my ($first) = grep { $_->{requests} >= $share * $all } @{ $self->{readings} };
    return $first;
}

sub _verdict {
    my ($what, $measured, $limit, $format) = @_;
    return row($what, map({ sprintf $format, $_ } $measured, $limit), $measured <= $limit ? 'met' : 'missed');
}

sub _verdicts {
    my ($self) = @_;
    my ($warm, $half, $last) = ($self->_after($warming), $self->_after(0.5), $self->{readings}[-1]);
    my $millions = ($last->{requests} - $half->{requests}) / 1e6;
    my @lines    = (row('', 'measured', 'at most', ''), rule(1, 2, 1));
    for my $kind (@kinds) {
        my ($name, $is, $growth) = @$kind;
        my @numbers = grep { $is->($last->{children}[$_]) } 0 .. $#{ $last->{children} } or next;
        push @lines, _verdict("resident in $name at any time", _highest(map { $last->{children}[$_]{VmHWM} / 1024 } @numbers), $most / 1024, '%.1f MB'),
            _verdict("growth of $name after the first " . whole($warm->{requests}) . ' requests', _growth($warm, $last, @numbers), $growth, '%.0f KB');
        push @lines, row("growth of $name a million requests, over the second half", sprintf('%.0f KB', _growth($half, $last, @numbers) / $millions), '', '')
            if $millions > 0;
    }
    return @lines;
}

# ---- tables ----

# What the child of each kind held that held most, in MB; docs/performance-tables.md has it
sub _summary {
    my ($self) = @_;
    my @all  = @{ $self->{readings} };
    my $last = $all[-1];
    my ($warm, $half) = ($self->_after($warming), $self->_after(0.5));
    my @present = grep { my $is = $_->[1]; grep { $is->($_) } @{ $last->{children} } } @kinds;
    my $of_each = sub {
        my ($cell) = @_;
        return map { my $is = $_->[1]; $cell->(grep { $is->($last->{children}[$_]) } 0 .. $#{ $last->{children} }) } @present;
    };
    my $held = sub {
        my ($name, $reading, $figure) = @_;
        return row($name, $of_each->(sub { sprintf '%.1f', _highest(map { $reading->{children}[$_]{$figure} } @_) / 1024 }));
    };
    my %later = map { $_->{requests} => 1 } $warm, $half, $last;
    return (row('MB', map { $_->[0] } @present), rule(1, scalar @present),
        map({ $held->($_->{when}, $_, 'Rss') } grep { !$_->{requests} || $later{ $_->{requests} } } @all),
        $held->('the most at any time', $last, 'VmHWM'),
        $held->('of it shared memory', $last, 'RssShmem'),
        row('growth after the first ' . whole($warm->{requests}) . ' requests, KB', $of_each->(sub { _growth($warm, $last, @_) })));
}

sub _readings {
    my ($self) = @_;
    my @lines = (row('MB', 'child', map { $_->[0] } @columns), rule(2, scalar @columns));
    for my $reading (@{ $self->{readings} }) {
        my $number = 0;
        push @lines, map { my $child = $_; row($reading->{when}, ++$number . ($child->{projects} ? ', projects' : ''), map { sprintf '%.2f', $_->[1]->($child) / 1024 } @columns) } @{ $reading->{children} };
    }
    return @lines;
}

sub _answers {
    my ($self) = @_;
    return 'Answers: ' . join(', ', map { whole($self->{answers}{$_}) . " with $_" } sort keys %{ $self->{answers} }) . ".\n";
}

# The exit code
sub finish {
    my ($self) = @_;
    my @text = (pairs(@{ $self->{facts} }), "\n", $self->_summary, "\n", $self->_verdicts, "\n", $self->_readings, "\n", $self->_answers, "$self->{seeded}\n");
    return publish($self->{path}, $self->{wrong}, @text);
}

1;
