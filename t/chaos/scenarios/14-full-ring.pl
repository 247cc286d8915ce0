# More ratings than the append ring has slots, while Kafka is frozen: what has a slot waits, and is counted when Kafka goes
# on; what has none is refused at once; and threads are left for the other requests in every child.
package Chaos::Scenarios::FullRing;

use strict;
use warnings;
use IO::Poll            ();
use IO::Socket::INET    ();
use Time::HiRes         qw(sleep time);

use Chaos::Audit   ();
use Chaos::Journal ();
use RatingsTest    ();

my $slots     = 1024;  # of the ring of one partition, as src/core/ticket.h has it
my $waiters   = 100;   # threads of a child that may wait
my $processes = 4;     # of clients,
my $each      = 320;   # and how many requests each of them keeps under way
my $prompt    = 1;     # second, in which half of what is refused is answered, and all that needs no Kafka;
my $latest    = 5;     # seconds, in which the rest is: a tenth of what waiting takes
my $refusal   = qr/RT0501: .*: too many events wait for Kafka already/;

my %httpd = (sizes => <<'END', before => <<'END');
StartServers 12
ServerLimit 12
ThreadLimit 125
ThreadsPerChild 125
MaxRequestWorkers 1500
MinSpareThreads 1
MaxSpareThreads 1500
END
RatingsWaitersMax 100
RatingsBreakerFailures 1000000
RatingsStreamTimeout 50s
RatingsVisibilityTimeout 5s
RatingsDeadline 55s
END

# ---- the crowd ----

my $body = '{"talkId":"%s","value":%d}';

sub begin_request {
    my ($port, $talk) = @_;
    my $value  = 1 + int rand 5;
    my $text   = sprintf $body, $talk, $value;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') or return;
    syswrite $socket, "POST /ratings HTTP/1.1\r\nHost: main.test\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " . length($text) . "\r\n\r\n$text";
    return { socket => $socket, begun => time, value => $value };
}

sub end_request {
    my ($request, $talk, $out) = @_;
    my $got = sysread $request->{socket}, my $text, 4096;
    my $outcome = $got && $text =~ /^HTTP\/1.1 (\d+)/ ? $1 : 'broken';
    printf $out "%.6f\t%.6f\tPOST\t0\tcrowd\t%s\t%d\t\t\t%s\t\n", $request->{begun}, time, $talk, $request->{value}, $outcome;
    return;
}

# Keeps so many requests under way until `calm` is there, then waits for those that are.
sub press {
    my ($port, $talk, $calm, $journal) = @_;
    open my $out, '>', $journal or die "$journal: $!";
    my $poll = IO::Poll->new;
    my %under_way;
    for (;;) {
        my $is_calm = -e $calm;
        while (!$is_calm && keys %under_way < $each) {
            my $request = begin_request($port, $talk) or last;
            $under_way{ fileno $request->{socket} } = $request;
            $poll->mask($request->{socket} => IO::Poll::POLLIN);
        }
        last if $is_calm && !%under_way;
        $poll->poll(0.05);
        for my $socket ($poll->handles(IO::Poll::POLLIN | IO::Poll::POLLHUP | IO::Poll::POLLERR)) {
            $poll->remove($socket);
            end_request(delete $under_way{ fileno $socket }, $talk, $out);
        }
        sleep 0.3 unless $is_calm; # what was refused comes again, and not as fast as it can
    }
    close $out or die "$journal: $!";
    return {};
}

# ---- what can be seen of httpd ----

# Of each child: connections of clients that it has
sub connections_of_children {
    my ($httpd) = @_;
    my $here = sprintf ':%04X', $httpd->port;
    open my $table, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!";
    my %ours = map { my (undef, $local, undef, $state, @rest) = split; $local =~ /$here$/ && $state eq '01' ? ("socket:[$rest[5]]" => 1) : () } <$table>;
    return map { my $pid = $_; scalar grep { $ours{ readlink($_) // '' } } glob "/proc/$pid/fd/*" } $httpd->children;
}

# What needs no Kafka: how long the longest answer took, and how many were not 200
sub ask_others {
    my ($stage, $times) = @_;
    my ($longest, $failed) = (0, 0);
    for my $n (1 .. $times) {
        my $begun = time;
        my $path  = $n % 2 ? "/ratings?talkId=$stage->{warm}" : '/healthz';
        $failed++ unless $stage->get($path)->status == 200;
        $longest = time - $begun if time - $begun > $longest;
    }
    return ($longest, $failed);
}

# ---- the play ----

sub fill_ring {
    my ($stage) = @_;
    my ($talk)  = $stage->talks;
    my ($calm, $journals, $port) = ($stage->directory . '/calm', $stage->directory . '/crowd', $stage->httpd->port);
    my %seen;
    $stage->stack(qw(pause kafka));
    my $wait  = RatingsTest::in_children($processes, sub { srand; return press($port, $talk, $calm, "$journals-$_[0]") });
    $stage->until('a full ring', sub { $stage->httpd->log->has($refusal) >= 20 }, 15);
    $seen{full} = time;
    ($seen{longest}, $seen{failed}) = ask_others($stage, 100);
    $stage->pause(1);
    open my $file, '>', $calm or die "$calm: $!";
    $stage->pause(1);
    $seen{connections} = [ sort { $b <=> $a } connections_of_children($stage->httpd) ];
    $seen{healed} = time;
    $stage->stack(qw(resume kafka));
    $seen{died} = join ' ', map { $_->{died} // () } $wait->();
    $stage->until('a rating', sub { $stage->rate($stage->{warm}, 5) == 200 }, 10);
    $seen{journal} = Chaos::Journal->new("$journals-*");
    return \%seen;
}

sub judge_answers {
    my ($seen) = @_;
    my ($journal, $healed) = @$seen{qw(journal healed)};
    # before the ring was full, a thousand requests at once had to wait for the CPU
    my @refused = grep { $_->{outcome} eq '503' && $_->{begun} > $seen->{full} } $journal->lines;
    my @times  = sort { $a <=> $b } map { $_->{ended} - $_->{begun} } @refused;
    my ($half, $all) = map { $_ // 0 } @times[ $#times / 2, $#times ];
    my $waited = grep { $_->{outcome} eq '200' && $_->{ended} > $healed } $journal->lines;
    my %other  = map { ($_->{outcome} => 1) } grep { $_->{outcome} !~ /^(?:200|503)$/ } $journal->lines;
    my @wrong;
    push @wrong, sprintf 'half of what was refused was answered after %.2f s, all after %.2f s; allowed are %d and %d', $half, $all, $prompt, $latest
        if $half > $prompt * $ENV{CHAOS_SLACK} || $all > $latest * $ENV{CHAOS_SLACK};
    push @wrong, 'nothing was refused while the ring was full' unless @refused;
    push @wrong, "only $waited requests waited for Kafka and were counted: the ring was not full" if $waited < $slots;
    push @wrong, map { "requests ended with $_" } sort keys %other;
    my $note = sprintf '%d waited and were counted; %d were refused, half after %.2f s, all after %.2f s', $waited, scalar @refused, $half, $all;
    return ($note, @wrong);
}

sub play {
    my ($stage) = @_;
    return { requests => {}, note => 'not under prefork, where it takes a thousand children', problems => [] } if $ENV{TEST_MPM} eq 'prefork';
    my $seen = fill_ring($stage);
    my ($note, @wrong) = judge_answers($seen);
    my ($most) = @{ $seen->{connections} };
    push @wrong, "clients died: $seen->{died}" if $seen->{died};
    push @wrong, "a child had $most threads that waited for Kafka, allowed are $waiters" if $most > $waiters;
    push @wrong, "$seen->{failed} requests that need no Kafka were not answered with 200" if $seen->{failed};
    push @wrong, sprintf 'a request that needs no Kafka took %.2f s', $seen->{longest} if $seen->{longest} > $prompt * $ENV{CHAOS_SLACK};
    push @wrong, 'a refusal gives success as its reason' if $stage->httpd->log->has(qr/delivery: Success/);
    my $audit = Chaos::Audit::audit(topic => $stage->topic, journal => $seen->{journal}, within => 20 * $ENV{CHAOS_SLACK});
    push @wrong, @{ $audit->{problems} };
    $note .= sprintf '; at most %d threads of a child waited; others took %.2f s at most', $most, $seen->{longest};
    return { requests => $seen->{journal}->outcomes, note => $note, lost => $audit->{lost}, doubled => $audit->{doubled}, problems => \@wrong };
}

return (
    {
        name => 'full-ring', number => 14, what => 'Kafka frozen, and more ratings than the ring has slots', run => \&play, httpd => \%httpd,
        clean => sub { $_[0]->stack(qw(resume kafka)) }, expect => [ qr/RT0501/, qr/RT0301: the projector is stalled/ ],
    },
);
