# Tables in Markdown, line by line.
package Bench::Markdown;

use strict;
use warnings;
use parent 'Exporter';

our @EXPORT_OK = qw(row rule whole pairs publish);

sub row { return '| ' . join(' | ', @_) . " |\n" }

# Below the head: columns of text, then of numbers, then of text again
sub rule { my ($texts, $numbers, $more) = @_; return row(('---') x $texts, ('---:') x $numbers, ('---') x ($more // 0)) }

# 12345 -> 12,345
sub whole { my $text = sprintf '%.0f', shift; 1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/; return $text }

# A table of names and values
sub pairs {
    my (@pairs) = @_;
    my @lines = (row('', ''), rule(2, 0));
    while (my ($name, $value) = splice @pairs, 0, 2) { push @lines, row($name, $value) }
    return @lines;
}

# Lines of text, and what was found wrong, into a file and on standard output. The exit code
sub publish {
    my ($path, $wrong, @text) = @_;
    push @text, "\n", map { "! $_\n" } @$wrong if @$wrong;
    open my $file, '>', $path or die "$path: $!\n";
    print $file @text;
    close $file or die "$path: $!\n";
    print @text;
    return @$wrong ? 1 : 0;
}

1;
