# Plays what t/bench/memory measures: the children come to know the talks, then answer, and are read in between.
package Bench::Memory;

use strict;
use warnings;
use POSIX qw(ceil);

use Bench::AccessLog ();
use Bench::Answers   ();
use Bench::Machine   ();
use Bench::Markdown  qw(whole);
use Bench::Process   ();
use Bench::Store     ();
use Bench::System    ();
use Bench::Tree      ();
use Bench::Wrk       ();

my $known       = 100_000; # talks
my $connections = 32;
my $recent      = 32_768;  # events of a partition that a projector tells apart (RATINGS_DEDUP_SPAN)
my $readings    = 10;      # while requests are answered
my $longest     = 60;      # seconds, of a run of wrk
my $broken      = 0.001;   # of the requests: connections that event may close when it is busy, see Bench::Run

# What is answered to a varied load: rated and read, unchanged, malformed, no such talk, no such media type; and 202,
# when a rating is not visible at once
my %fine = map { $_ => 1 } qw(200 202 304 400 404 415);

sub new {
    my ($class, $requests, $report) = @_;
    return bless { system => Bench::System->fixed('event'), target => $requests, report => $report, requests => 0, broken => 0,
        etags => "$ENV{BENCH_DIR}/etags" }, $class;
}

sub play {
    my ($self) = @_;
    my $lambda = Bench::Process->lambda;
    $self->{report}->facts(Bench::Machine::facts());
    $self->_during(sub { $self->_seed });
    $self->_during(sub { $self->_measure });
    $lambda->stop;
}

sub _during { my ($self, $code) = @_; $self->{report}->wrong("httpd's log", $self->{system}->during($code)) }

# Children of its own do this: one of them projects all the ratings.
sub _seed {
    my ($self) = @_;
    Bench::Store::make_talks($known);
    Bench::Store::rate_all($self->{system}->database, $self->{system}->topic);
    $self->_rate_more;
    $self->{report}->seeded($self->_children);
}

# So many by POST that the children to come have no more events to tell apart later than at their start
sub _rate_more {
    my ($self) = @_;
    my ($system, $report) = @$self{qw(system report)};
    my ($most) = sort { $b <=> $a } Bench::Store::lengths($system->topic);
    for (my $before = -1;;) {
        my ($least) = sort { $a <=> $b } Bench::Store::lengths($system->topic);
        return if $least >= $most + $recent;
        die "the log does not grow: $least events\n" if $least <= $before;
        $before = $least;
        $report->say(sprintf '%s ratings are in the log', whole(Bench::Store::events($system->topic)));
        Bench::Wrk::run(url => $system->url, case => 'post', connections => $connections, seconds => 10);
    }
}

sub _measure {
    my ($self) = @_;
    $self->{log} = Bench::AccessLog->new($self->{system}->access_log);
    $self->_read('started');
    my $begun = time;
    Bench::Answers::etags($self->{system}, $known);
    $self->{report}->say(sprintf '%s talks were asked for in %d s', whole($known), time - $begun);
    Bench::Answers::write_etags($self->{system}, $self->{etags});
    $self->_read(whole($known) . ' talks, ' . whole(Bench::Store::talks()) . ' answers');
    $self->{log}->take;
    $self->_answer;
}

# Requests until there were enough; as close to a reading as the rate so far lets the next be foreseen
sub _answer {
    my ($self) = @_;
    my ($rate, $next) = (0, 1);
    while ($self->{requests} < $self->{target}) {
        my $left    = $self->{target} * $next / $readings - $self->{requests};
        my $seconds = $rate ? ceil($left / $rate) : 1;
        my $result  = $self->_load($seconds < $longest ? $seconds : $longest);
        $rate = $result->{requests} / $result->{seconds};
        next if $self->{requests} < $self->{target} * $next / $readings;
        $self->_read(whole($self->{requests}) . ' requests', $rate);
        $next++ while $self->{requests} >= $self->{target} * $next / $readings;
    }
    my $most = $broken * $self->{requests};
    $self->{report}->wrong('in all', "$self->{broken} connections broken off") if $self->{broken} > $most;
}

sub _load {
    my ($self, $seconds) = @_;
    my $result = Bench::Wrk::run(url => $self->{system}->url, case => 'varied', connections => $connections, seconds => $seconds,
        etags => $self->{etags});
    die "no answer at all: see $ENV{BENCH_DIR}\n" unless $result->{requests};
    $self->{requests} += $result->{requests};
    $self->{broken}   += $result->{read};
    my %status = $self->{log}->take;
    $self->{report}->answered(%status);
    $self->{report}->wrong("at $self->{requests} requests", _errors($result, %status));
    return $result;
}

# What is under way when wrk ends is answered, and not counted by it: one request a connection. And one whose connection
# was broken off is sent again, and counted twice, should it have been answered.
sub _errors {
    my ($result, %status) = @_;
    my $unknown = $connections + $result->{read} + $result->{timeout};
    my $refused = $result->{refused} - $result->{bad_status};
    my @wrong = map { "$status{$_} answers with $_" } grep { !$fine{$_} } sort keys %status;
    push @wrong, "$result->{bad_status} of $result->{refused} requests that had to be refused" if abs($refused) > $unknown;
    push @wrong, "$result->{$_} connections with a $_ error" for grep { $result->{$_} } qw(connect write timeout);
    return @wrong;
}

# What each holds, by its pid; `projects`: also applies the log to the store, or did so before
sub _children {
    my ($self) = @_;
    my ($root)   = $self->{system}->roots;
    my %projects = map { $_ => 1 } $self->{system}->told(qr/\[pid (\d+)[^]]*\] RT0302:/);
    my (undef, @pids) = Bench::Tree::pids($root);
    return map { { %{ Bench::Tree::memory($_) }, pid => $_, projects => $projects{$_} } } sort { $a <=> $b } @pids;
}

sub _read {
    my ($self, $when, $rate) = @_;
    my @children = $self->_children;
    my $pids     = join ' ', map { $_->{pid} } @children;
    $self->{pids} //= $pids;
    $self->{report}->wrong($when, "the children are $pids, and were $self->{pids}") if $pids ne $self->{pids};
    $self->{report}->reading($when, $self->{requests}, $rate, @children);
}

1;
