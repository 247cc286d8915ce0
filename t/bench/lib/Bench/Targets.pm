# What the service is to reach: the figure of one system as a multiple of another's, in the same run, or the figure alone.
# Figures: rps (requests/s), p50 and p99 (milliseconds), server and all (CPU time a request, of the system's processes and
# with the backends'), private and private_most (MB that one child of httpd has for itself: the middle one, the largest).
package Bench::Targets;

use strict;
use warnings;

my $connections = 32; # of a case that does not say otherwise: CASE@CONNECTIONS

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
    [ 10, 'list@4',     'p99',    'event',        undef,                'most',  20 ],
    [ 10, 'list@4',     'p99',    'worker-speed', undef,                'most',  20 ],
    [ 10, 'search@4',   'p99',    'event',        undef,                'most',  20 ],
    [ 10, 'search@4',   'p99',    'worker-speed', undef,                'most',  20 ],
    [ 10, 'ranked@4',   'p99',    'event',        undef,                'most',  20 ],
    [ 10, 'ranked@4',   'p99',    'worker-speed', undef,                'most',  20 ],
    # Of one writer a host
    [ 11, 'post',      'rps',    'event',        'peer',                'least', 1.8 ],
    [ 11, 'post',      'all',    'event',        'peer',                'most',  0.55 ],
    [ 11, 'post',      'p50',    'event',        'peer',                'most',  0.75 ],
    [ 12, 'post',      'rps',    'event',        'before-event',        'least', 1.7 ],
    [ 13, 'post',      'rps',    'event',        'proxied-event',       'least', 2.5 ],
    [ 13, 'post',      'rps',    'worker',       'proxied-worker',      'least', 2.5 ],
    [ 14, 'post',      'rps',    'worker-speed', 'peer',                'least', 2.0 ],
    [ 14, 'post',      'all',    'worker-speed', 'peer',                'most',  0.40 ],
    [ 15, 'post@1',    'all',    'event',        'peer',                'most',  0.9 ],
    [ 15, 'post@1',    'p50',    'event',        'peer',                'most',  0.9 ],
    [ 16, 'post@256',  'rps',    'worker-speed', 'peer',                'least', 1.2 ],
    [ 17, 'post',      'rps',    'prefork',      'proxied-prefork',     'least', 2.0 ],
    [ 17, 'post',      'private',      'prefork', undef,                'most',  8 ],
    [ 17, 'post',      'private_most', 'prefork', undef,                'most',  8 ],
    [ 18, 'post',      'all',    'worker-speed-4', 'worker-speed',      'most',  1.4 ],
    [ 19, 'mix',       'rps',    'event',        'peer',                'least', 1.5 ],
    [ 19, 'mix',       'rps',    'worker-speed', 'peer-full',           'least', 1.2 ],
    # No worse than before. Two runs of the same build lie so far apart.
    [ 20, 'root',       'server', 'event',        'before-event',        'most', 1.05 ],
    [ 20, 'root',       'server', 'worker-speed', 'before-worker-speed', 'most', 1.05 ],
    [ 20, 'hot',        'server', 'event',        'before-event',        'most', 1.05 ],
    [ 20, 'hot',        'server', 'worker-speed', 'before-worker-speed', 'most', 1.05 ],
    [ 20, 'unchanged',  'server', 'event',        'before-event',        'most', 1.05 ],
    [ 20, 'unchanged',  'server', 'worker-speed', 'before-worker-speed', 'most', 1.05 ],
    [ 20, 'zipf',       'server', 'event',        'before-event',        'most', 1.05 ],
    [ 20, 'zipf',       'server', 'worker-speed', 'before-worker-speed', 'most', 1.05 ],
    [ 20, 'revalidate', 'server', 'event',        'before-event',        'most', 1.05 ],
    [ 20, 'revalidate', 'server', 'worker-speed', 'before-worker-speed', 'most', 1.05 ],
);

my %words = (rps => 'requests/s', p50 => 'p50', p99 => 'p99', server => 'CPU of the server', all => 'CPU of everything',
    private => 'private memory of a child', private_most => 'private memory of the largest child');
my %unit = (p99 => 'ms', private => 'MB', private_most => 'MB'); # of a figure alone

sub _case { my ($text) = @_; my ($case, $at) = split /@/, $text; return ($case, $at || $connections) }

# What a target is about, and what it compares that with: case, system and connections; no second one, of a figure alone
sub _sides {
    my ($target) = @_;
    my ($text, $system, $compared) = @$target[ 1, 3, 4 ];
    my ($case, $at)   = _case($text);
    my ($other, $of)  = split ' ', $compared // '';
    return ([ $case, $system, $at ], $other ? [ $of || $case, $other, $at ] : ());
}

# Whether a target needs a case with a system, and with that number of connections if one is given
sub compares {
    my ($case, $name, $at) = @_;
    return scalar grep { $_->[0] eq $case && $_->[1] eq $name && (!$at || $_->[2] == $at) } map { _sides($_) } @targets;
}

# The figure of a target, or how many times the other's it is; undef: not measured
sub _measured {
    my ($figure, $median, $ours, $theirs) = @_;
    my ($value, $other) = map { my $found = $median->(@$_); $found && $found->{$figure} } $ours, $theirs || ();
    return $value unless $theirs;
    return $value && $other ? $value / $other : undef;
}

sub _what {
    my ($figure, $ours, $theirs) = @_;
    my ($case, $system, $at) = @$ours;
    my $text = ($at == $connections ? $case : $at == 1 ? "$case, one connection" : "$case, $at connections") . ": $words{$figure} of `$system`";
    return "$text in $unit{$figure}" unless $theirs;
    return "$text, times `$theirs->[1]`'s" . ($theirs->[0] eq $case ? '' : " of $theirs->[0]");
}

# judge(CODE): the targets with what was measured; CODE->(case, system, connections) gives the medians, or undef
sub judge {
    my ($median) = @_;
    my @judged;
    for my $target (@targets) {
        my ($number, $figure, $way, $limit, $stretch) = @$target[ 0, 2, 5, 6, 7 ];
        my @sides    = _sides($target);
        my $measured = _measured($figure, $median, @sides);
        my $verdict  = !defined $measured ? 'not measured' : ($way eq 'most' ? $measured <= $limit : $measured >= $limit) ? 'met' : 'missed';
        push @judged, { number => $number, what => _what($figure, @sides), limit => "at $way $limit", measured => $measured, stretch => $stretch ? 1 : 0, verdict => $verdict };
    }
    return @judged;
}

1;
