# An error log: what of it no test expected.
package RatingsTest::Log;

use strict;
use warnings;

my $crash = qr/exit signal|child died|AddressSanitizer|LeakSanitizer|runtime error:|core dump|assertion/i;

# An answer without statistics, which a busy machine brings about as well
my $without = qr/RT0209: an answer goes without stats/;

# Kafka has not answered the projector in time, which tries again: one that has just started, on a busy machine. Where Kafka is
# unavailable, and not late, ratings say so.
my $late = qr/RT03(?:01|11): .*: Local: (?:Timed out|Message timed out)/;

# Where nothing failed, no line has the error of a call, which httpd puts before the text.
my $misplaced = qr/^\[[^\]]+\] \[ratings:(?:info|notice)\] \[[^\]]+\] \(-?\d+\)/;

# event's own, when it is stopped while a connection is being closed
my $noise = qr/AH03092: process_lingering_close: apr_pollset_add failure/;

sub new {
    my ($class, $path) = @_;
    return bless { path => $path, from => -s $path || 0, expected => [] }, $class;
}

sub path { $_[0]{path} }

# Lines that match are this test's own doing, from here to its end.
sub expect { my ($self, @patterns) = @_; push @{ $self->{expected} }, @patterns }

# A line that tells of trouble: an error, a warning of the module, a crash, or what is no log line at all.
sub is_trouble {
    my ($line) = @_;
    return 1 if $line =~ $crash || $line =~ $misplaced;
    return 0 if $line =~ $noise || $line =~ $without || $line =~ $late;
    my ($module, $level) = $line =~ /^\[[^\]]+\] \[([\w-]*):(\w+)\]/ or return $line !~ /^\s*$/;
    return 1 if $level =~ /^(error|crit|alert|emerg)$/;
    return $module eq 'ratings' && $level eq 'warn';
}

# The lines since the test began.
sub lines {
    my ($self) = @_;
    open my $file, '<', $self->{path} or return;
    seek $file, $self->{from}, 0;
    return <$file>;
}

# Those behind so many of them.
sub lines_from { my ($self, $count) = @_; my @lines = $self->lines; return @lines[ $count .. $#lines ] }

sub has { my ($self, $pattern) = @_; return scalar grep { $_ =~ $pattern } $self->lines }

sub surprises {
    my ($self) = @_;
    my @lines = grep { is_trouble($_) } $self->lines;
    for my $pattern (@{ $self->{expected} }) { @lines = grep { $_ !~ $pattern } @lines }
    return @lines;
}

# Notes how far the log was looked at: t/run looks at the rest.
sub sign_off {
    my ($self) = @_;
    open my $file, '>>', "$self->{path}.seen" or die "$self->{path}.seen: $!";
    printf $file "%d %d\n", $self->{from}, -s $self->{path} || 0;
}

# What no test has looked at, for t/run: lines between the tests and after them.
sub unseen {
    my ($path) = @_;
    my @seen;
    if (open my $file, '<', "$path.seen") { @seen = map { [split] } <$file> }
    open my $log, '<', $path or return;
    my ($at, @lines) = (0);
    while (my $line = <$log>) {
        push @lines, $line if is_trouble($line) && !grep { $at >= $_->[0] && $at < $_->[1] } @seen;
        $at += length $line;
    }
    return @lines;
}

1;
