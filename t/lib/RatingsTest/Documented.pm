# Configuration that a document shows, word for word: an indented block whose first line is a comment with its name.
package RatingsTest::Documented;

use strict;
use warnings;

# documented('security.md', 'pg_hba.conf', from => to ...): the lines of the block, each `from` in them replaced
sub block {
    my ($document, $name, %replace) = @_;
    open my $file, '<', "$ENV{TEST_DOCS}/$document" or die "$document: $!";
    my @lines;
    while (<$file>) {
        if (/^ {4}(?:#|;|--) \Q$name\E$/) { @lines = ($_); next }
        last if @lines && !/^ {4}\S/;
        push @lines, $_ if @lines;
    }
    @lines > 1 or die "$document has no block $name";
    my $text = join '', map { s/^ {4}//r } @lines[ 1 .. $#lines ];
    for my $from (sort keys %replace) {
        $text =~ s/\Q$from\E/$replace{$from}/g or die "$document, $name: there is no $from";
    }
    return $text;
}

1;
