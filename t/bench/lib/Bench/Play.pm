# Plays the plan: seeds, checks, measures round by round, and hands all to the report.
package Bench::Play;

use strict;
use warnings;

use Bench::Answers ();
use Bench::Check   ();
use Bench::Limits  ();
use Bench::Machine ();
use Bench::Process ();
use Bench::Run     ();
use Bench::Store   ();
use Bench::System  ();

sub new {
    my ($class, $plan, $report) = @_;
    $report->arrange([ $plan->cases ], [ map { $_->name } $plan->systems ]);
    return bless { plan => $plan, report => $report }, $class;
}

sub all {
    my ($self) = @_;
    my ($plan, $report) = @$self{qw(plan report)};
    $report->say(sprintf 'this takes about %.0f minutes', $plan->minutes);
    $self->{lambda} = Bench::Process->lambda;
    $report->facts(Bench::Machine::facts());
    $self->_seed;
    return unless $self->_check;
    $report->limit($_) for Bench::Limits::all();
    for my $round (1 .. $plan->rounds) { $self->_case($_, $round) for $plan->cases }
}

sub end { my ($self) = @_; $self->{lambda}->stop if $self->{lambda} }

# Runs the code while the system is up; the report has what goes wrong there, and other systems follow.
sub _during {
    my ($self, $system, $code, $case) = @_;
    my $done = eval { $self->{report}->wrong($system->name . "'s log", $system->during($code, $case)); 1 };
    return if $done;
    die $@ if $@ eq "interrupted\n";
    $self->{report}->wrong($system->name, $@);
}

# ---- before ----

# Each topic once, by a system that projects it
sub _seed {
    my ($self) = @_;
    my $module = Bench::System->named('event');
    my %first  = map { $_->topic => $_ } reverse grep { $_->is_service } $self->{plan}->systems;
    Bench::Store::make_talks();
    Bench::Store::make_topic('ratings');
    $self->_seed_topic($_) for $module, grep { $_->topic ne $module->topic } @first{ sort keys %first };
    Bench::Store::copy_counts($module->database, 0);
    Bench::System->set_answers(Bench::Answers::as_variables($self->{answers}));
    $self->{report}->say('the store has ' . Bench::Store::total(1) . ' ratings of ' . Bench::Store::talks() . ' talks');
}

sub _seed_topic {
    my ($self, $system) = @_;
    $system->during(sub {
        Bench::Store::rate_all($system->database, $system->topic);
        $self->{answers} //= Bench::Answers::of_module($system);
    });
}

# False when a system does not answer as it should
sub _check {
    my ($self) = @_;
    my ($number, $good) = (Bench::Store::talks(), 1);
    for my $system ($self->{plan}->systems) {
        my @faults;
        $self->_during($system, sub { @faults = Bench::Check::faults($system, $number--, $self->{answers}) });
        $self->{report}->wrong($system->name . ' answers wrongly', @faults);
        $good &&= !@faults;
    }
    return $good;
}

# ---- rounds ----

sub _case {
    my ($self, $case, $round) = @_;
    my @systems = $self->{plan}->order($case, $round);
    @systems = $self->_with_etags(@systems) if $case =~ /^(?:unchanged|revalidate)$/;
    for my $system (@systems) {
        $self->_during($system, sub {
            $self->_measure($system, $case, $round, $_) for $self->{plan}->connections($round, $case, $system);
        }, $case);
    }
}

sub _measure {
    my ($self, $system, $case, $round, $connections) = @_;
    my $expected = Bench::Answers::expected_bytes($system, $case);
    my $run = Bench::Run::measure(system => $system, case => $case, connections => $connections, seconds => $self->{plan}->seconds,
        lambda => $self->{lambda}->pid, etags => _etags_of($system));
    @$run{qw(system case round connections)} = ($system->name, $case, $round, $connections);
    push @{ $run->{wrong} }, sprintf 'answers of %.0f bytes, where %.0f were expected', $run->{bytes}, $expected
        if defined $expected && !$run->{overloaded} && abs($run->{bytes} - $expected) > 0.05 * $expected;
    $self->{report}->run($run);
}

sub _etags_of { my ($system) = @_; return "$ENV{BENCH_DIR}/etags-" . $system->kind }

# Gets the entity tags of the round, once for all systems of a kind, since they say what the store has. The systems
# for which there are some.
sub _with_etags {
    my ($self, @systems) = @_;
    my %first = map { $_->kind => $_ } reverse @systems;
    for my $kind (sort keys %first) {
        $self->_during($first{$kind}, sub { Bench::Answers::write_etags($first{$kind}, _etags_of($first{$kind})) });
    }
    return grep { -e _etags_of($_) } @systems;
}

1;
