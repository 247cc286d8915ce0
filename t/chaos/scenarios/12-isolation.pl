# A backend that hangs takes no threads from requests that do not need it: more clients than httpd has
# threads ask for what hangs, while others ask for the rest as fast as they can, before and after.
package Chaos::Scenarios::Isolation;

use strict;
use warnings;
use Time::HiRes qw(sleep time);

use RatingsTest         ();
use RatingsTest::Client ();

my $least   = 0.8;     # of the rate of before
my $seconds = 12;      # before, and the same after
my $crowd   = 64;      # clients that need what hangs; httpd has half as many threads
my $think   = 0.2;     # seconds, the longest that one of them waits before it asks again
my $sizes   = <<'END';
<IfModule mpm_prefork_module>
StartServers 32
MaxRequestWorkers 32
MinSpareServers 1
MaxSpareServers 32
</IfModule>
<IfModule !mpm_prefork_module>
StartServers 2
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 32
</IfModule>
END

my %ask = (
    metadata => sub { my ($client) = @_; $client->request('GET', '/') },
    health   => sub { my ($client) = @_; $client->request('GET', '/healthz') },
    read     => sub { my ($client, $talk) = @_; $client->request('GET', "/ratings?talkId=$talk") },
    rate     => sub {
        my ($client, $talk) = @_;
        $client->request('POST', '/ratings', [ 'Content-Type' => 'application/json' ], qq({"talkId":"$talk","value":4}));
    },
);

# Asks until the end, resting up to `think` seconds each time: how many answers were 200 before `at`, and
# from then on.
sub ask_on {
    my ($stage, $what, $think, $at, $end) = @_;
    my ($talk)  = $stage->talks;
    my $client  = RatingsTest::Client->new(port => $stage->httpd->port, timeout => 10);
    my %answers = (before => 0, after => 0);
    while ((my $begun = time) < $end) {
        my $response = $ask{$what}->($client, $talk);
        $client->close unless $response->status;
        $answers{ time < $at ? 'before' : 'after' }++ if $response->status == 200 && $begun >= $at - $seconds;
        sleep rand $think if $think;
    }
    return \%answers;
}

# `server` hangs; `needs`: what its crowd asks for; `free`: what must go on as before.
sub measure {
    my ($stage, $server, $needs, $free) = @_;
    my $at     = time + 1.5 + $seconds;
    my @crowd  = map { my $what = $_; ([ $what, $think ]) x ($crowd / @$needs) } @$needs;
    my @others = map { ([ $_, 0 ]) } @$free;
    my @all    = (@others, @crowd);
    my $wait   = RatingsTest::in_children(scalar @all, sub { ask_on($stage, @{ $all[ $_[0] ] }, $at, $at + $seconds) });
    die "the machine is too busy: the crowd was not there in time\n" if time > $at;
    sleep $at - time;
    $stage->stack('pause', $server);
    my @answers = $wait->();
    $stage->stack('resume', $server);
    return map { { what => $all[$_][0], %{ $answers[$_] } } } 0 .. $#others;
}

sub judge {
    my (@rates) = @_;
    my (@notes, @wrong);
    for my $rate (@rates) {
        my ($what, $before, $after) = @$rate{qw(what before after)};
        push @wrong, "$what: $rate->{died}" and next if defined $rate->{died};
        push @notes, sprintf '%s %.0f/s -> %.0f/s', $what, $before / $seconds, $after / $seconds;
        push @wrong, sprintf '%s kept %.0f%% of its rate', $what, 100 * $after / ($before || 1) if $before < 100 || $after < $least * $before;
    }
    return { requests => {}, note => join(', ', @notes), problems => \@wrong };
}

sub row {
    my ($server, $needs, @free) = @_;
    return {
        name => "isolation-$server", number => 12, httpd => { sizes => $sizes },
        what => "$server hangs, and more clients than threads need it: the rest keeps 80% of its rate (@free)",
        run    => sub { my ($stage) = @_; return judge(measure($stage, $server, $needs, \@free)) },
        clean  => sub { $_[0]->stack('resume', $server) },
        expect => [ qr/RT020[1-4]: circuit breaker opened/, qr/RT0301: the projector is stalled/, qr/RT0501/, qr/AH0048[45]: |AH03490: / ],
    };
}

return (
    row('lambda',   ['read'],           qw(metadata health rate)),
    row('redis',    [ 'read', 'rate' ], qw(metadata health)),
    row('postgres', [ 'read', 'rate' ], qw(metadata health)),
    row('kafka',    ['rate'],           qw(metadata health read)),
);
