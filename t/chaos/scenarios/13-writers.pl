# The child that appends for its host: killed, frozen and drained, again and again, on one host and on two. Whatever becomes
# of it, the requests of other children get their 200, and what it had under way counts once. Kafka's answers come late, so
# that something always is under way.
package Chaos::Scenarios::Writers;

use strict;
use warnings;
use Time::HiRes qw(time);

use Chaos::Journal      ();
use Chaos::Tool         ();
use RatingsTest         ();
use RatingsTest::Client ();

# Several children, all of whose threads may wait: until another child appends, and another one projects, which is the time
# that visibility is given.
my %children = (sizes => <<'END', before => "RatingsWaitersMax 64\nRatingsVisibilityTimeout 4s\n");
<IfModule mpm_prefork_module>
StartServers 12
MinSpareServers 6
MaxSpareServers 30
MaxRequestWorkers 60
</IfModule>
<IfModule !mpm_prefork_module>
StartServers 5
ServerLimit 16
ThreadsPerChild 16
MaxRequestWorkers 192
MinSpareThreads 48
MaxSpareThreads 160
</IfModule>
END

my $killed  = qr/AH0005[12]: child (?:pid|process) \d+ exit signal Killed/;
my $stalled = qr/RT0301: the projector is stalled/;
my $full    = qr/AH0048[45]: |AH03490: /; # children of many generations at once
my %late    = (httpd => \%children, setup => sub { Chaos::Tool::proxy($_[0], 'STREAMS_CONNECTION') }, ready => sub { $_[0]{tool}->command('delay 25') });

# ---- killed ----

sub kill_writer {
    my ($stage, $where) = @_;
    my $dead = $stage->{dead} ||= {};
    my $pid  = $stage->until('a child that appends', sub { (grep { !$dead->{$_} } $stage->appenders($where))[0] }, 15);
    push @{ $stage->{killed_at} }, time;
    kill 'KILL', $pid;
    return $dead->{$pid} = 1;
}

# Some die while they still send again what the one before has left.
sub kill_writers {
    my ($stage, $times) = @_;
    my @httpds = $stage->httpds;
    for my $n (1 .. $times) {
        kill_writer($stage, $n % @httpds);
        $stage->pause(rand 1.6);
    }
}

# What a request of a child that lives on may not come to.
sub failures_of_others {
    my ($stage, $journal) = @_;
    my @killed_at = @{ $stage->{killed_at} };
    my %count;
    for my $line ($journal->lines) {
        $count{'ratings were not visible in time'}++ if $line->{outcome} eq '202';
        $count{'requests broke off while no child was killed'}++
            if $line->{outcome} eq 'broken' && !grep { $line->{ended} >= $_ && $line->{ended} < $_ + $ENV{CHAOS_SLACK} } @killed_at;
    }
    return map { "$count{$_} $_" } sort keys %count;
}

sub judge_killed {
    my ($stage, $audit, $journal) = @_;
    my @wrong = failures_of_others($stage, $journal);
    push @wrong, 'no event was sent again: nothing was under way when the children died' unless $audit->{fold}{again};
    return @wrong;
}

sub repeats { my ($stage, $audit) = @_; return "$audit->{fold}{again} records of the log are repeats" }

sub killed {
    my ($times, $short) = @_;
    return (
        number => 13, fault => sub { my ($stage) = @_; kill_writers($stage, $stage->either($times, $short)) }, recover => 5, %late,
        # by its own death alone
        allow => { any => 'broken' }, expect => [ $killed, $stalled, $full ], alone => 1, check => \&judge_killed,
        note => sub { my ($stage) = @_; return scalar(@{ $stage->{killed_at} }) . ' kills, ' . repeats(@_) },
    );
}

# ---- frozen ----

# Each is frozen until the next one has taken over, and is frozen as well: what it still has to send lands while a third
# one appends. Kafka's answer may come as late as that takes.
my %patient = (%late, httpd => { %children, before => "$children{before}RatingsStreamTimeout 6s\nRatingsDeadline 12s\n" });

sub freeze_writers {
    my ($stage) = @_;
    my $frozen = $stage->{frozen} = [];
    for (1 .. $stage->either(20, 4)) {
        my $pid = $stage->until('another child that projects', sub { my $pid = $stage->projector; $pid && !grep({ $_ == $pid } @$frozen) && $pid }, 15);
        $stage->until('a rating', sub { $stage->rate($stage->{warm}, 5) == 200 }, 10);
        $stage->pause(rand 0.5);
        kill 'STOP', $pid;
        push @$frozen, $pid;
        kill 'CONT', shift @$frozen if @$frozen > 1;
    }
    return;
}

sub go_on { my ($stage) = @_; return kill 'CONT', @{ $stage->{frozen} || [] } }

# ---- drained ----

my $slow_requests = 6;

# A request whose body comes late keeps its child, which may be the one that appends, while that is being replaced.
sub begin_slowly {
    my ($stage, $talk) = @_;
    my $client = RatingsTest::Client->new(port => $stage->httpd->port, timeout => 10);
    my $text   = $client->format('POST', '/ratings', [ 'Content-Type' => 'application/json', Connection => 'close' ], qq({"talkId":"$talk","value":3}));
    $client->send(substr $text, 0, -5);
    return [ $client, substr $text, -5 ];
}

sub end_slowly {
    my ($request) = @_;
    my ($client, $rest) = @$request;
    $client->send($rest);
    return $client->receive('POST')->status;
}

sub drain_writers {
    my ($stage) = @_;
    my $talk = $stage->{slow_talk} = 'chaos-writers-drained-slow';
    RatingsTest::new_talks(0, $talk);
    for (1 .. $stage->either(20, 4)) {
        my @slow = map { begin_slowly($stage, $talk) } 1 .. $slow_requests;
        $stage->graceful($stage->httpd);
        $stage->pause(rand 0.8);
        $stage->{slow}{ end_slowly($_) }++ for @slow;
    }
}

sub judge_drained {
    my ($stage, $audit, $journal) = @_;
    my %slow    = %{ $stage->{slow} };
    my $taken   = delete $slow{200} // 0;
    my $counted = $audit->{fold}{events}{ $stage->{slow_talk} }{3} // 0;
    my @wrong   = map { "$slow{$_} requests of children that were drained ended with $_" } sort keys %slow;
    push @wrong, "$taken ratings of children that were drained were answered with 200, and $counted are in the log" if $taken != $counted;
    push @wrong, "$_ ratings were not visible in time" for grep { $_ } scalar grep { $_->{outcome} eq '202' } $journal->lines('POST');
    return @wrong;
}

return (
    { name => 'writer-killed', what => 'kill -9 of the child that appends for all, fifty times', short => 1, killed(50, 6) },
    { name => 'writers-of-two-hosts', what => 'two httpds on one store, the child that appends killed on one and the other in turn, thirty times', httpds => 2, killed(30, 6) },
    {
        name => 'writer-frozen', number => 13, what => 'SIGSTOP of the child that appends, until the next but one does, twenty times',
        fault => \&freeze_writers, heal => \&go_on, clean => \&go_on, recover => 5, %patient, stands_still => 1, alone => 1,
        allow => {}, expect => [ $stalled, $full ], note => \&repeats,
    },
    {
        name => 'writer-drained', number => 13, what => 'twenty graceful restarts, while requests keep children that appended',
        fault => \&drain_writers, recover => 3, %late, expect => [$full], alone => 1, check => \&judge_drained,
        note => sub { my ($stage) = @_; return join ', ', repeats(@_), map { "$stage->{slow}{$_} slow requests: $_" } sort keys %{ $stage->{slow} } },
    },
);
