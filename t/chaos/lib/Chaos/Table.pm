# The table: a row as each scenario ends; all rows as JSON lines in a file, and as Markdown in another.
package Chaos::Table;

use strict;
use warnings;
use JSON::PP ();

my $format = "%-28s %-44s %6s %6s %8s %5s %7s %5s  %s\n";

my @markdown = ('fault', 'POST', 'GET', 'no POST for', 'no GET for', 'back after', 'lost', 'doubled', 'went back', '');

# directory: where results.jsonl and table.md go
sub new {
    my ($class, $directory) = @_;
    my ($file, $markdown) = map { _open("$directory/$_") } qw(results.jsonl table.md);
    STDOUT->autoflush(1);
    print $markdown _cells(@markdown), _cells(map { '---' } @markdown);
    printf $format, 'fault', 'requests by status', 'gap', 'gap', 'time to', '', '', 'went', '';
    printf $format, '', '', 'POST', 'GET', 'recover', 'lost', 'doubled', 'back', 'verdict';
    return bless { file => $file, markdown => $markdown, failed => [], rows => 0 }, $class;
}

sub _open { my $path = shift; open my $file, '>', $path or die "$path: $!"; $file->autoflush(1); return $file }
sub _cells { return '| ' . join(' | ', @_) . " |\n" }

# One line for each kind of request: "POST 200:812 202:3", the numbers in order
sub _requests {
    my ($requests) = @_;
    my @lines;
    for my $what (qw(POST DELETE GET MINE PROBE)) {
        my $outcomes = $requests->{$what} or next;
        next if $what eq 'PROBE' && join(' ', keys %$outcomes) eq '200';
        push @lines, "$what " . join ' ', map { "$_:$outcomes->{$_}" } sort keys %$outcomes;
    }
    return @lines;
}

# The same of several kinds for a cell of Markdown
sub _outcomes {
    my ($requests, @what) = @_;
    my %sum;
    for my $outcomes (map { $requests->{$_} || {} } @what) { $sum{$_} += $outcomes->{$_} for keys %$outcomes }
    return join ', ', map { "$_: $sum{$_}" } sort keys %sum;
}

sub _seconds { my $seconds = shift; return defined $seconds ? sprintf '%.2f', $seconds : '-' }

sub add {
    my ($self, $facts) = @_;
    print { $self->{file} } JSON::PP->new->utf8->canonical->encode($facts), "\n";
    my $posts = join '; ', grep { length } _outcomes($facts->{requests}, qw(POST DELETE)), $facts->{note} // '';
    print { $self->{markdown} } _cells("`$facts->{fault}` " . ($facts->{what} // ''), $posts, _outcomes($facts->{requests}, qw(GET MINE)),
        _seconds($facts->{gap_post}), _seconds($facts->{gap_get}), _seconds($facts->{recovery}), map({ $_ // '-' } @$facts{qw(lost doubled went_back)}), $facts->{verdict});
    my ($first, @more) = _requests($facts->{requests} || {});
    printf $format, $facts->{fault}, $first // $facts->{note} // '', _seconds($facts->{gap_post}), _seconds($facts->{gap_get}),
        _seconds($facts->{recovery}), map({ $_ // '-' } @$facts{qw(lost doubled went_back)}), $facts->{verdict};
    push @more, $facts->{note} if defined $first && defined $facts->{note};
    print ' ' x 29, "$_\n" for @more;
    printf "    ratings-audit ended with %s\n", $facts->{auditor} // 'nothing' if $facts->{tells_auditor};
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
