# Plays what t/bench/vote measures: voters rate, and what came of it is compared with what they sent.
package Bench::Vote;

use strict;
use warnings;

use Bench::Machine ();
use Bench::Process ();
use Bench::Run     ();
use Bench::Store   ();
use Bench::System  ();
use Bench::Tree    ();
use Bench::Wrk     ();
use RatingsTest    ();

my $talks       = 30;
my $connections = 32;
my $crossed     = 0.001; # of the ratings: connections that httpd may close as a request comes
my $slowest     = 500; # ratings a second, at which the load is given up

sub new {
    my ($class, $report, %size) = @_;
    die "each voter rates a talk once: no more than $talks ratings a voter\n" if $size{ratings} > $talks * $size{voters};
    return bless { system => Bench::System->named('event'), report => $report, %size }, $class;
}

sub play {
    my ($self) = @_;
    my ($system, $report) = @$self{qw(system report)};
    $self->{lambda} = Bench::Process->lambda;
    $report->facts(Bench::Machine::facts());
    Bench::Store::make_talks();
    $report->wrong("httpd's log", $system->during(sub { $self->_vote }, 'vote'));
    $self->{lambda}->stop;
}

sub _vote {
    my ($self) = @_;
    my ($system, $report) = @$self{qw(system report)};
    my %roots  = Bench::Run::roots($system, $self->{lambda}->pid);
    my $redis  = _redis_memory();
    my $begun  = Bench::Tree::cpu(%roots);
    my $result = Bench::Wrk::vote(url => $system->url, connections => $connections, seconds => 60 + int($self->{ratings} / $slowest),
        ratings => $self->{ratings}, voters => $self->{voters}, talks => $talks);
    my $ended    = Bench::Tree::cpu(%roots);
    my @children = Bench::Tree::children(($system->roots)[0]);
    $report->wrong('the load', $self->_errors($result));
    my $settled = Bench::Store::counts($system);
    $report->wrong('the counts', $self->_differences($result));
    $report->wrong('ratingsctl audit', _audit($system));
    $report->vote(%$result, ratings => $self->{ratings}, voters => $self->{voters}, talks => $talks, children => \@children, stored => $settled->{ratings},
        redis => [ $redis, _redis_memory() ], cpu => { map { $_ => ($ended->{$_} - $begun->{$_}) / $self->{ratings} } keys %roots });
}

# All are to be answered, and to be visible then; but for those whose connection httpd closed as they came, see Bench::Run.
sub _errors {
    my ($self, $result) = @_;
    my @wrong;
    push @wrong, "$result->{sent} ratings were sent, not $self->{ratings}" if $result->{sent} != $self->{ratings};
    push @wrong, "$result->{$_} answers or connections: $_" for grep { $result->{$_} } qw(later failed connect write timeout);
    push @wrong, "$result->{read} connections broken off" if $result->{read} > $crossed * $self->{ratings};
    return @wrong;
}

# The counts of talks that are not what the load says that they must be; counts: five of each talk, in turn. A rating that was
# not answered with 200 counts or not: a change that does not is two counts that differ.
sub _differences {
    my ($self, $result) = @_;
    my $redis = RatingsTest::redis(database => $self->{system}->database);
    my ($apart, @wrong) = (0);
    for my $number (1 .. $talks) {
        my @must = @{ $result->{counts} }[ map { 5 * ($number - 1) + $_ } 0 .. 4 ];
        my @is   = map { $_ // 0 } @{ $redis->call('HMGET', 'ratings/' . Bench::Store::talk($number), 1 .. 5) };
        $apart += abs($is[$_] - ($must[$_] // 0)) for 0 .. 4;
        push @wrong, Bench::Store::talk($number) . " has @is, not @must" if "@is" ne "@must";
    }
    return $apart > 2 * ($self->{ratings} - $result->{visible}) ? @wrong : ();
}

# What the audit finds, which reads the whole log
sub _audit {
    my ($system) = @_;
    my $database = $system->database;
    my $said = qx($ENV{BENCH_PROGRAMS}/ratingsctl audit --brokers $ENV{STREAMS_CONNECTION} --topic @{[ $system->topic ]} --store $ENV{RATINGS_CONNECTION}/$database 2>&1);
    return $? ? $said : ();
}

# Bytes, of all that Redis holds
sub _redis_memory {
    my ($bytes) = RatingsTest::redis()->call('INFO', 'memory') =~ /^used_memory:(\d+)/m or die "Redis told no used_memory\n";
    return $bytes;
}

1;
