# Process trees, from /proc: what they have cost so far, and the memory that they hold.
package Bench::Tree;

use strict;
use warnings;
use POSIX qw(sysconf _SC_CLK_TCK);

my $tick = 1_000_000 / sysconf(_SC_CLK_TCK);

# Of each process its parent, and the microseconds of CPU time that it took with its children that have ended
sub _processes {
    my (%parent, %time);
    for my $path (glob '/proc/[0-9]*/stat') {
        open my $file, '<', $path or next;
        my ($pid, $rest) = (<$file> // next) =~ /^(\d+) \(.*\) (.*)/s or next;
        my @fields = split ' ', $rest;
        $parent{$pid} = $fields[1];
        $time{$pid}   = $tick * ($fields[11] + $fields[12] + $fields[13] + $fields[14]);
    }
    return (\%parent, \%time);
}

sub _children {
    my ($parent) = @_;
    my %children;
    push @{ $children{ $parent->{$_} } }, $_ for keys %$parent;
    return \%children;
}

sub _tree { my ($children, $root) = @_; return ($root, map { _tree($children, $_) } @{ $children->{$root} || [] }) }

# cpu(name => [pid...], ...): the microseconds so far of all the trees that a name stands for
sub cpu {
    my (%roots) = @_;
    my ($parent, $time) = _processes();
    my $children = _children($parent);
    my %sum;
    for my $name (keys %roots) {
        $sum{$name} = 0;
        $sum{$name} += $time->{$_} // 0 for map { _tree($children, $_) } @{ $roots{$name} };
    }
    return \%sum;
}

# Of a process and all below it, the process first
sub pids { my ($root) = @_; my ($parent) = _processes(); return _tree(_children($parent), $root) }

# What a process holds, in kilobytes: by the names of smaps_rollup, and VmHWM and RssShmem of status; and its Threads
sub memory {
    my ($pid) = @_;
    my %kilobytes;
    for my $name (qw(smaps_rollup status)) {
        open my $file, '<', "/proc/$pid/$name" or die "/proc/$pid/$name: $!\n";
        for (<$file>) { $kilobytes{$1} = $2 if /^(\w+):\s+(\d+) kB$/ || /^(Threads):\s+(\d+)$/ }
    }
    return \%kilobytes;
}

# The same of each process below this one, but for those that end meanwhile
sub children {
    my ($root) = @_;
    return grep { $_ && $_->{Rss} } map { my $pid = $_; eval { memory($pid) } } grep { $_ != $root } pids($root);
}

1;
