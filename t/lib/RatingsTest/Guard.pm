# Ends the httpds of a test program once that program has ended, however it did: done, dead or killed.
#
# A process of its own, begun before the program opens anything that the guard would keep open. It has the program's
# standard output, and the harness, which reads that to its end, starts the next program only when the guard is done:
# no port that the next one needs is still taken.
package RatingsTest::Guard;

use strict;
use warnings;
use IO::Handle;
use IO::Select ();
use POSIX      ();
use Time::HiRes qw(sleep time);

my $told; # the guard reads here which httpds there are

# Call it early: the guard is a copy of this process. Later calls do nothing.
sub begin {
    return if $told;
    my $guarded = $$;
    pipe my $hears, my $tells or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        close $tells;
        $SIG{$_} = 'IGNORE' for qw(HUP INT TERM PIPE); # a signal to all of a group is the program's to answer
        _end(_configs($hears, $guarded));
        POSIX::_exit(0);
    }
    close $hears;
    $tells->autoflush(1);
    return $told = $tells;
}

# An httpd with this configuration is to be ended: say so before it is started.
sub watch {
    my ($config) = @_;
    print {$told} "$config\n" if $told;
    return;
}

# What the program tells until it has ended. Children of it may live on and keep the pipe open: its pid decides.
sub _configs {
    my ($hears, $guarded) = @_;
    my $select = IO::Select->new($hears);
    my $text   = '';
    for (;;) {
        my $alive = getppid == $guarded;
        my $heard = $select->can_read($alive ? 0.1 : 0) ? sysread $hears, $text, 4096, length $text : undef;
        last if defined $heard && !$heard || !$alive && !$heard;
    }
    my %once = map { $_ => 1 } split /\n/, $text;
    return keys %once;
}

# Processes one of whose arguments is the configuration: the parent, children, and one that is being started.
sub processes {
    my ($config) = @_;
    my @found;
    for my $path (glob '/proc/[0-9]*/cmdline') {
        my ($pid) = $path =~ /(\d+)/;
        open my $file, '<', $path or next;
        local $/;
        my @words = split /\0/, <$file> // '';
        push @found, $pid if $pid != $$ && grep { $_ eq $config } @words;
    }
    return @found;
}

# SIGTERM, again and again since one may be on its way up; SIGKILL after ten seconds.
sub _end {
    my (@configs) = @_;
    my $until = time + 10;
    my %asked;
    while (my @left = map { processes($_) } @configs) {
        kill 'CONT', @left;
        kill 'TERM', grep { !$asked{$_}++ } @left;
        kill 'KILL', @left if time > $until;
        return if time > $until + 5;
        sleep 0.02;
    }
    return;
}

1;
