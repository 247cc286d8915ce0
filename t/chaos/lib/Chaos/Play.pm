# Plays scenarios: the stage is set, the load runs, the fault happens, the audit follows.
package Chaos::Play;

use strict;
use warnings;
use Time::HiRes qw(sleep time);

use Chaos::Audit   ();
use Chaos::Load    ();
use Chaos::Stage   ();
use Chaos::Verdict ();
use RatingsTest    ();

# Seconds without a failure, after which the load may end: who looks on asks one child at a time, and each
# child leaves a backend alone for up to 1.25 s by itself.
my $calm = 2.6;

sub new { my ($class, %options) = @_; return bless {%options}, $class }

# One scenario, from the first to the last: the facts of its row.
sub scenario {
    my ($self, $row) = @_;
    my $stage = $self->_stage($row);
    my ($facts, @wrong);
    local $SIG{ALRM} = sub { die "it took too long\n" };
    my $done = eval {
        # each wait has a deadline; this one is for what hangs all the same
        alarm(($row->{hold} || 0) + 240 * $ENV{CHAOS_SLACK});
        $self->_set($stage);
        $facts = $row->{run} ? $row->{run}->($stage) : $self->_act($stage, sub { $self->_episode($stage, $row) });
        1;
    };
    alarm 0;
    push @wrong, "it died: $@" unless $done;
    $self->{load}->kill if $self->{load};
    push @wrong, $self->_clear($stage);
    $facts ||= { requests => {} };
    push @{ $facts->{problems} }, @wrong;
    die "interrupted\n" if grep { /^it died: interrupted/ } @wrong;
    return { %$facts, fault => $row->{name}, what => $row->{what}, number => $row->{number}, verdict => @{ $facts->{problems} } ? 'FAIL' : 'pass' };
}

# Faults one after the other, drawn by lot, under one load: a row for each, and one for the whole.
sub random {
    my ($self, @rows) = @_;
    my @draw = grep { $_->{fault} && !grep { defined } @$_{qw(alone setup httpd httpds victim run check others)} } @rows;
    my %expect = map { $_ => 1 } map { @{ $_->{expect} || [] }, @{ $_->{logged} || [] } } @draw;
    my $whole = { name => 'random', number => 0, fault => 1, expect => [ keys %expect ], allow => { any => '503 504' }, draw => \@draw };
    my $until = time + $self->{seconds};
    my ($n, @rest) = (0);
    srand $self->{seed};
    my $episodes = sub {
        my ($stage) = @_;
        my @episodes;
        while (time < $until) {
            my $row = $draw[ rand @draw ];
            # a rebuild reads a log that becomes longer all the time
            $row = { %$row, recover => 2 * $row->{recover} };
            my $at = time;
            push @episodes, $self->_episode($stage, $row, 0.5 + rand 2);
            printf "%4d  %7.1f s  %s, %.1f s\n", ++$n, $self->{seconds} - ($until - $at), $row->{name}, time - $at;
        }
        return @episodes;
    };
    $self->{watch} = $self->{seconds} + 600;
    return $self->_whole($whole, $episodes);
}

sub _whole {
    my ($self, $row, $episodes) = @_;
    my $stage = $self->_stage($row);
    local $SIG{ALRM} = sub { die "it took too long\n" };
    my ($facts, @wrong);
    eval {
        alarm $self->{watch};
        $self->_set($stage);
        $facts = $self->_act($stage, sub { $episodes->($stage) });
        1;
    } or push @wrong, "it died: $@";
    alarm 0;
    $self->{load}->kill if $self->{load};
    for my $one (@{ $row->{draw} }) { eval { $one->{clean}->($stage) if $one->{clean}; 1 } or push @wrong, "$one->{name}: clean: $@" }
    push @wrong, $self->_clear($stage);
    $facts ||= { requests => {} };
    push @{ $facts->{problems} }, @wrong;
    return { %$facts, fault => "random, seed $self->{seed}", tells_auditor => 1, verdict => @{ $facts->{problems} } ? 'FAIL' : 'pass' };
}

sub _stage {
    my ($self, $row) = @_;
    my $name  = "chaos-$row->{name}";
    my @talks = map { "$name-$_" } 1 .. 4;
    my @own   = map { "$name-own-$_" } 1 .. $self->{clients};
    return Chaos::Stage->new(row => $row, short => $self->{short}, topic => "$name-" . int(time) . "-$$", talks => \@talks, own => \@own,
        mixed => "$name-mixed", warm => "$name-warm", directory => "$ENV{CHAOS_DIR}/$row->{name}");
}

# A new topic and an empty store for each: nothing of the scenario before is left.
sub _set {
    my ($self, $stage) = @_;
    mkdir $stage->directory;
    $stage->redis->call('FLUSHALL');
    RatingsTest::new_talks(0, @{ $stage->{talks} }, @{ $stage->{own} }, $stage->{mixed}, $stage->{warm});
    $stage->row->{setup}->($stage) if $stage->row->{setup};
    $stage->start_httpds;
    $stage->wait_ready;
    $self->{keyed} //= _takes_keys($stage);
    $stage->row->{ready}->($stage) if $stage->row->{ready};
}

# Whether the service writes keys into its events.
sub _takes_keys {
    my ($stage) = @_;
    my @keyed = (port => $stage->httpd->port, headers => [ 'Idempotency-Key' => '"the-first"' ]);
    $stage->until('a rating with a key', sub { RatingsTest::rate($stage->{warm}, 5, @keyed)->status == 200 }, 10);
    return scalar grep { defined $_->{idempotencyKey} } grep { defined } map { Chaos::Audit::event_of($_) } @{ Chaos::Audit::read_log($stage->topic) };
}

# The load, with the episodes that the function makes; then the audit and the verdict.
sub _act {
    my ($self, $stage, $episodes) = @_;
    my $load = $self->{load} = Chaos::Load->new(directory => $stage->directory . '/journal', clients => $self->{clients},
        rate => $stage->row->{rate} // $self->{rate}, keyed => $stage->row->{keyed} // $self->{keyed}, seed => $self->{seed}, talks => $stage->{talks}, own => $stage->{own}, mixed => $stage->{mixed},
        ports => [ map { $_->port } $stage->httpds ])->start;
    my @episodes = eval { $episodes->() };
    my $error = $@;
    my ($journal, @wrong) = $load->stop;
    delete $self->{load};
    push @wrong, "it died: $error" if $error;
    die $error if $error =~ /^interrupted/;
    my $row   = $stage->row;
    my $audit = Chaos::Audit::audit(topic => $stage->topic, journal => $journal, within => 20 * $ENV{CHAOS_SLACK}, others => $row->{others},
        database => $stage->{database});
    my ($code, @differ) = _ask_auditor($stage, $audit);
    push @wrong, @differ;
    push @wrong, $row->{check}->($stage, $audit, $journal) if $row->{check};
    push @wrong, map { "the error log does not have $_" } grep { my $line = $_; !grep { $_->log->has($line) } $stage->httpds } @{ $row->{logged} || [] };
    my %extra = (auditor => $code, $row->{note} ? (note => $row->{note}->($stage, $audit)) : ());
    return Chaos::Verdict->new(name => $row->{name}, journal => $journal, episodes => \@episodes, audit => $audit, problems => \@wrong,
        begun => $load->{begun}, ended => $load->{ended}, extra => \%extra)->facts;
}

# One fault: from calm to calm again.
sub _episode {
    my ($self, $stage, $row, $before) = @_;
    my $third = $stage->short ? 2 : 4;
    sleep $before // $third;
    my $from = $stage->mark('fault');
    $row->{fault} ? $row->{fault}->($stage) : sleep 2 * $third;
    my $since = $stage->mark('fault over');
    sleep _hold($stage, $row);
    if ($row->{heal}) {
        $row->{heal}->($stage);
        $since = $stage->mark('healed');
    }
    _wait_for_calm($stage, $row, time + $row->{recover} * $ENV{CHAOS_SLACK} + 2 * $calm);
    sleep $third if !defined $before && !$stage->short;
    return { row => $row, from => $from, since => $since, to => time };
}

sub _hold { my ($stage, $row) = @_; return ($stage->short ? $row->{short_hold} : undef) // $row->{hold} // 0 }

# Until ratings and counts are answered for a while; the journals tell later whether that was in time.
sub _wait_for_calm {
    my ($stage, $row, $until) = @_;
    my $where = defined $row->{victim} ? 1 - $row->{victim} : 0;
    my $since;
    while (time < $until) {
        my $good = $stage->get('/readyz', $where)->status == 200 && $stage->get("/ratings?talkId=$stage->{warm}", $where)->status == 200
            && RatingsTest::rate($stage->{warm}, 1, port => $stage->httpd($where)->port)->status == 200;
        $since = $good ? $since // time : undef;
        return if $since && time > $since + $calm;
        sleep 0.05;
    }
}

# The program that users have for the same: how it ended, and what is wrong if it does not see what the
# audit sees.
sub _ask_auditor {
    my ($stage, $audit) = @_;
    my ($code, $output) = $stage->audit_program;
    my $differ = @{ $audit->{differences} || [] } ? 1 : 0;
    return $code if $code == $differ;
    return ($code, "ratings-audit ended with $code, and differences there are " . ($differ ? 'some' : 'none') . ": $output");
}

# Everything is stopped, and the servers run as before.
sub _clear {
    my ($self, $stage) = @_;
    my @wrong;
    my $row = $stage->row;
    eval { $row->{clean}->($stage) if $row->{clean}; 1 } or push @wrong, "clean: $@";
    push @wrong, eval { $stage->strike };
    push @wrong, "at the end: $@" if $@;
    eval { $stage->stack('resume', qw(postgres redis kafka lambda)); $stage->stack('start'); 1 } or push @wrong, "at the end: $@";
    return @wrong;
}

1;
