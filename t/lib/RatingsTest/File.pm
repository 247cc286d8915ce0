# Files of a test: written, read, and those that are secret.
package RatingsTest::File;

use strict;
use warnings;
use parent 'Exporter';

our @EXPORT_OK = qw(write_file secret_file read_file lines_of);

# Its path. In the place of one that is there; nobody can read more of it than the mode lets them.
sub write_file {
    my ($path, $text, $mode) = @_;
    unlink $path;
    open my $file, '>', $path or die "$path: $!";
    chmod $mode, $path if defined $mode;
    print {$file} $text;
    close $file or die "$path: $!";
    return $path;
}

# Among the test's logs, for httpd's user alone: its path
sub secret_file {
    my ($name, $text) = @_;
    return write_file("$ENV{TEST_LOGS}/$name", $text, 0600);
}

# Its lines; none where there is no file
sub lines_of {
    my ($path) = @_;
    my @lines;
    if (open my $file, '<', $path) { @lines = <$file> }
    return @lines;
}

sub read_file {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

1;
