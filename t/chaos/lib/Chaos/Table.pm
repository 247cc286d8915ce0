# The table: a row as each scenario ends, and all rows as JSON lines in a file.
package Chaos::Table;

use strict;
use warnings;
use JSON::PP ();

my $format = "%-28s %-44s %6s %6s %8s %5s %7s %5s  %s\n";

sub new {
    my ($class, $path) = @_;
    open my $file, '>', $path or die "$path: $!";
    $file->autoflush(1);
    STDOUT->autoflush(1);
    printf $format, 'fault', 'requests by status', 'gap', 'gap', 'time to', '', '', 'went', '';
    printf $format, '', '', 'POST', 'GET', 'recover', 'lost', 'doubled', 'back', 'verdict';
    return bless { file => $file, failed => [], rows => 0 }, $class;
}

# One line for each kind of request: "POST 200:812 202:3", the numbers in order
sub _requests {
    my ($requests) = @_;
    my @lines;
    for my $what (qw(POST GET PROBE)) {
        my $outcomes = $requests->{$what} or next;
        next if $what eq 'PROBE' && join(' ', keys %$outcomes) eq '200';
        push @lines, "$what " . join ' ', map { "$_:$outcomes->{$_}" } sort keys %$outcomes;
    }
    return @lines;
}

sub _seconds { my $seconds = shift; return defined $seconds ? sprintf '%.2f', $seconds : '-' }

sub add {
    my ($self, $facts) = @_;
    print { $self->{file} } JSON::PP->new->utf8->canonical->encode($facts), "\n";
    my ($first, @more) = _requests($facts->{requests} || {});
    printf $format, $facts->{fault}, $first // $facts->{note} // '', _seconds($facts->{gap_post}), _seconds($facts->{gap_get}),
        _seconds($facts->{recovery}), map({ $_ // '-' } @$facts{qw(lost doubled went_back)}), $facts->{verdict};
    print ' ' x 29, "$_\n" for @more;
    print "    $_\n" for map { s/\s+$//r } @{ $facts->{problems} };
    $self->{rows}++;
    push @{ $self->{failed} }, $facts->{fault} if $facts->{verdict} ne 'pass';
}

sub finish {
    my ($self) = @_;
    my @failed = @{ $self->{failed} };
    printf "%d scenarios, %s\n", $self->{rows}, @failed ? scalar(@failed) . " FAILED: @failed" : 'all passed';
    return @failed || !$self->{rows} ? 1 : 0;
}

1;
