# A test program that ends in whatever way leaves nothing running: the next one can use its ports.
use strict;
use warnings;
use Test::More;
use RatingsTest '-alone';
use RatingsTest::Guard ();

my $port = 20;

# Runs a test program of its own, which starts an httpd and then does what it is given: all that it printed, up to
# the end of the last process that has its standard output.
sub program {
    my ($name, $act) = @_;
    my $text = "use strict; use warnings; use RatingsTest '-alone'; \$| = 1;"
        . "own_httpd(name => '$name', port => $port, conf => '')->start; print qq(started\\n); $act";
    open my $output, '-|', $^X, '-e', "open STDERR, '>&', \\*STDOUT; $text" or die "perl: $!";
    local $/;
    my $printed = <$output>;
    close $output;
    return ($printed, $?);
}

sub left { return RatingsTest::Guard::processes("$ENV{TEST_LOGS}/$_[0]/httpd.conf") }

my %ways = (
    'left-done'    => ['finish();', 0],
    'left-dead'    => ['$! = 0; die qq(of a fault\n);', 255 << 8],
    'left-ended'   => ['exit 3;', 3 << 8],
    'left-asked'   => ['kill TERM => $$; sleep 5;', 15],
    'left-by-hand' => ['kill INT => $$; sleep 5;', 2],
    'left-killed'  => ['kill KILL => $$; sleep 5;', 9],
    # a child of the program lives on for a while, with all that the program had open
    'left-child'   => ['in_children(1, sub { sleep 3 }); kill KILL => $$; sleep 5;', 9],
    # the httpd does not answer to a signal
    'left-stopped' => ['kill STOP => RatingsTest::Guard::processes(qq($ENV{TEST_LOGS}/left-stopped/httpd.conf)); $! = 0; die qq(of a fault\n);', 255 << 8],
);

for my $name (sort keys %ways) {
    my ($act, $code) = @{ $ways{$name} };
    my ($printed, $ended) = program($name, $act);
    like($printed, qr/^started$/m, "$name: its httpd was started") or diag($printed);
    is($ended, $code, "$name: it ended as it was meant to");
    is_deeply([ left($name) ], [], "$name: nothing is left") or kill 'KILL', left($name);
}

finish();
