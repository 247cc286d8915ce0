# What the service is to reach: the figure of one system as a multiple of another's, in the same run at 32
# connections; or the figure alone, at 4. Figures: rps (requests/s), p50 and p99 (milliseconds), server and all (CPU time
# a request, of the system's processes and with the backends').
package Bench::Targets;

use strict;
use warnings;

my $connections = 32;
my $few         = 4; # of a figure alone; see Bench::Plan

my @targets = (
    # number, case, figure, system, compared with, at least or at most, times; 'stretch': beyond what is asked for.
    # What a system is compared with may be of another case: a 304 with the floor of the GET that it answers.
    [ 1, 'root',       'server', 'event',        'floor-event',        'most',  1.10 ],
    [ 1, 'root',       'server', 'worker',       'floor-worker',       'most',  1.10 ],
    [ 1, 'root',       'server', 'event-speed',  'floor-event-speed',  'most',  1.10 ],
    [ 1, 'root',       'server', 'worker-speed', 'floor-worker-speed', 'most',  1.10 ],
    [ 1, 'hot',        'server', 'event',        'floor-event',        'most',  1.10 ],
    [ 1, 'hot',        'server', 'worker',       'floor-worker',       'most',  1.10 ],
    [ 1, 'hot',        'server', 'event-speed',  'floor-event-speed',  'most',  1.10 ],
    [ 1, 'hot',        'server', 'worker-speed', 'floor-worker-speed', 'most',  1.10 ],
    [ 1, 'unchanged',  'server', 'event',       'floor-event hot',        'most',  1.00 ],
    [ 1, 'unchanged',  'server', 'worker',      'floor-worker hot',       'most',  1.00 ],
    [ 1, 'unchanged',  'server', 'event-speed', 'floor-event-speed hot',  'most',  1.00 ],
    [ 1, 'unchanged',  'server', 'worker-speed','floor-worker-speed hot', 'most',  1.00 ],
    [ 1, 'unchanged',  'server', 'event',        'floor-event',        'most',  1.00, 'stretch' ],
    [ 1, 'unchanged',  'server', 'worker-speed', 'floor-worker-speed', 'most',  1.00, 'stretch' ],
    [ 2, 'zipf',       'server', 'event',        'floor-event',        'most',  1.25 ],
    [ 2, 'zipf',       'server', 'worker',       'floor-worker',       'most',  1.25 ],
    [ 3, 'hot',        'rps',    'event',        'peer-check',         'least', 2.2 ],
    [ 3, 'hot',        'rps',    'event',        'peer',               'least', 1.2 ],
    [ 3, 'hot',        'rps',    'worker-speed', 'peer-check',         'least', 3.0 ],
    [ 3, 'hot',        'rps',    'worker-speed', 'peer',               'least', 1.6 ],
    [ 3, 'hot',        'all',    'event',        'peer-check',         'most',  0.35 ],
    [ 3, 'hot',        'all',    'worker-speed', 'peer-check',         'most',  0.27 ],
    [ 3, 'hot',        'all',    'worker-speed', 'peer-full',          'most',  2.5, 'stretch' ],
    [ 4, 'hot',        'rps',    'event',        'proxied-event',      'least', 1.7 ],
    [ 4, 'hot',        'rps',    'worker',       'proxied-worker',     'least', 1.7 ],
    [ 4, 'post',       'rps',    'event',        'proxied-event',      'least', 2.0 ],
    [ 4, 'post',       'rps',    'worker',       'proxied-worker',     'least', 2.0 ],
    [ 4, 'mix',        'rps',    'event',        'proxied-event',      'least', 1.8 ],
    [ 4, 'mix',        'rps',    'worker',       'proxied-worker',     'least', 1.8 ],
    [ 5, 'post',       'rps',    'event',        'peer',               'least', 1.2 ],
    [ 5, 'post',       'rps',    'worker-speed', 'peer',               'least', 1.2 ],
    [ 5, 'post',       'all',    'event',        'peer',               'most',  0.8 ],
    [ 5, 'post',       'all',    'worker-speed', 'peer',               'most',  0.8 ],
    [ 5, 'post',       'p50',    'event',        'peer',               'most',  1.0 ],
    [ 5, 'post',       'p50',    'worker-speed', 'peer',               'most',  1.0 ],
    [ 6, 'mix',        'rps',    'event',        'peer',               'least', 1.5 ],
    [ 6, 'mix',        'rps',    'worker-speed', 'peer',               'least', 1.5 ],
    [ 6, 'mix',        'rps',    'worker-speed', 'peer-full',          'least', 1.0, 'stretch' ],
    [ 9, 'vote',       'all',    'event',        'event post',         'most',  1.15 ],
    [ 9, 'vote',       'all',    'worker',       'worker post',        'most',  1.15 ],
    [ 9, 'vote',       'all',    'event-speed',  'event-speed post',   'most',  1.15 ],
    [ 9, 'vote',       'all',    'worker-speed', 'worker-speed post',  'most',  1.15 ],
    [ 10, 'list',      'p99',    'event',        undef,                'most',  20 ],
    [ 10, 'list',      'p99',    'worker-speed', undef,                'most',  20 ],
    [ 10, 'search',    'p99',    'event',        undef,                'most',  20 ],
    [ 10, 'search',    'p99',    'worker-speed', undef,                'most',  20 ],
    [ 10, 'ranked',    'p99',    'event',        undef,                'most',  20 ],
    [ 10, 'ranked',    'p99',    'worker-speed', undef,                'most',  20 ],
);

my %unit = (rps => 'requests/s', p50 => 'p50', p99 => 'p99', server => 'CPU of the server', all => 'CPU of everything');

# What a target compares with: system and case; none, of a figure alone
sub other {
    my ($target) = @_;
    my ($name, $case) = split ' ', $target->[4] // return;
    return ($name, $case || $target->[1]);
}

# Whether a target needs this pair
sub compares {
    my ($case, $name) = @_;
    return scalar grep { ($_->[1] eq $case && $_->[3] eq $name) || join(' ', other($_)) eq "$name $case" } @targets;
}

# The figure of a target, or how many times the other's it is; undef: not measured
sub _measured {
    my ($target, $median) = @_;
    my (undef, $case, $figure, $system) = @$target;
    my ($other, $of) = other($target);
    my $ours = $median->($case, $system, $other ? $connections : $few) or return;
    return $ours->{$figure} unless $other;
    my $theirs = $median->($of, $other, $connections) or return;
    return $theirs->{$figure} ? $ours->{$figure} / $theirs->{$figure} : undef;
}

sub _words {
    my ($target) = @_;
    my (undef, $case, $figure, $system, undef, $way, $limit) = @$target;
    my ($other, $of) = other($target);
    return ("$case: $unit{$figure} of `$system` in ms", "at $way $limit") unless $other;
    return ("$case: $unit{$figure} of `$system`, times `$other`'s" . ($of eq $case ? '' : " of $of"), "at $way $limit");
}

# judge(CODE): the targets with what was measured; CODE->(case, system, connections) gives the medians, or undef
sub judge {
    my ($median) = @_;
    my @judged;
    for my $target (@targets) {
        my ($number, $way, $limit, $stretch) = @$target[ 0, 5, 6, 7 ];
        my ($what, $words) = _words($target);
        my $measured = _measured($target, $median);
        my $verdict  = !defined $measured ? 'not measured' : ($way eq 'most' ? $measured <= $limit : $measured >= $limit) ? 'met' : 'missed';
        push @judged, { number => $number, what => $what, limit => $words, measured => $measured, stretch => $stretch ? 1 : 0, verdict => $verdict };
    }
    return @judged;
}

1;
