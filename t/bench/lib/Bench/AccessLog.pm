# An access log of httpd's: how often each status was answered.
package Bench::AccessLog;

use strict;
use warnings;

sub new { my ($class, $path) = @_; return bless { path => $path }, $class }

# A hash of status and count since the last time. What was read is cut off: ten million lines are a gigabyte.
sub take {
    my ($self) = @_;
    my %count;
    open my $file, '+<', $self->{path} or die "$self->{path}: $!\n";
    while (<$file>) { $count{ /" (\d{3}) / ? $1 : 'unknown' }++ }
    truncate $file, 0 or die "$self->{path}: $!\n";
    return %count;
}

1;
