# The statistics function away, slow, or wrong: ratings are read without statistics, never an error.
package Chaos::Scenarios::Lambda;

use strict;
use warnings;
use Time::HiRes qw(time);

use Chaos::Tool ();
use RatingsTest ();

my $away = qr/RT0204: circuit breaker opened/;

# One GET past the load, of counts that are new: whether it had statistics; it is quick and a 200.
sub has_stats {
    my ($stage) = @_;
    $stage->rate($stage->{warm}, 1);
    my $begun  = time;
    my $answer = $stage->get("/ratings?talkId=$stage->{warm}");
    my $took   = time - $begun;
    die 'GET answered ' . $answer->status . "\n" if $answer->status != 200;
    die "GET took $took s\n" if $took > 2 * $ENV{CHAOS_SLACK};
    my $stats = RatingsTest::json($answer->body)->{stats} or return 0;
    my $counts = RatingsTest::json($answer->body)->{ratings};
    my ($total, $sum) = (0, 0);
    for my $value (keys %$counts) { $total += $counts->{$value}; $sum += $value * $counts->{$value} }
    die 'stats are wrong: ' . $answer->body . "\n" if $stats->{totalCount} != $total || abs($stats->{avg} - $sum / $total) > 1e-9;
    return 1;
}

# With stats again, from each child.
sub back_with_stats {
    my ($stage) = @_;
    my $good = 0;
    $stage->until('statistics again', sub { $good = has_stats($stage) ? $good + 1 : 0; $good >= 8 }, 10);
}

# The function behaves so for a while each: no statistics, unless `with`.
sub misbehave {
    my ($seconds, $with, @modes) = @_;
    return sub {
        my ($stage) = @_;
        my $tool = $stage->{tool};
        # statistics are remembered by counts: these are to be such as no other talk has
        $stage->rate($stage->{warm}, 1) for 1 .. 20;
        for my $mode (@modes) {
            my $before = $tool->command($mode)->{calls};
            my $until  = time + $stage->either($seconds, 1);
            while (time < $until) {
                my $has = has_stats($stage);
                die "$mode: " . ($has ? 'stats' : 'no stats') . "\n" if ($has xor $with);
            }
            my $calls = $tool->command('ok')->{calls} - $before;
            die "$mode: the function was not called\n" if !$calls && $mode ne 'refuse';
            # so that the next is met with closed breakers
            back_with_stats($stage);
        }
    };
}

sub row { my %row = @_; return { number => 7, setup => \&Chaos::Tool::function, recover => 3, expect => [$away], %row } }

return (
    row(name => 'lambda-away', what => 'nobody listens', fault => misbehave(6, 0, 'refuse')),
    row(name => 'lambda-slow', what => 'answers after 5 s, then never', fault => misbehave(6, 0, 'slow 5000', 'hang_in_headers', 'hang_in_body')),
    row(name => 'lambda-slower', what => 'answers after 200 ms: still with statistics', fault => misbehave(6, 1, 'slow 200')),
    row(
        name => 'lambda-wrong', what => 'all kinds of wrong answers',
        fault => misbehave(2, 0, qw(500 204 html empty half nan wrong cut huge huge_chunked huge_headers redirect no_http no_answer drip)),
    ),
    {
        name => 'lambda-kill', number => 7, what => 'kill -9 of the real one, started again after 3 s', fault => sub { $_[0]->stack(qw(kill lambda)) },
        hold => 3, heal => sub { $_[0]->stack(qw(start lambda)); back_with_stats($_[0]) }, recover => 3, expect => [$away],
    },
    {
        name => 'lambda-frozen', number => 7, what => 'SIGSTOP of the real one for 10 s', fault => sub { $_[0]->stack(qw(pause lambda)) },
        hold => 10, short_hold => 3, heal => sub { $_[0]->stack(qw(resume lambda)); back_with_stats($_[0]) }, recover => 3, expect => [$away],
        clean => sub { $_[0]->stack(qw(resume lambda)) },
    },
);
