# One measurement: a system that runs, under one load.
package Bench::Run;

use strict;
use warnings;

use Bench::Store ();
use Bench::Tree  ();
use Bench::Wrk   ();

my @backends = qw(postgres redis kafka);
my $warming  = 1;  # seconds, of each kind
my $keeping  = 11; # a little more than the module gives an answer again (RatingsCacheTTL)

sub _pid_of {
    my ($server) = @_;
    open my $file, '<', "$ENV{BENCH_STACK_DIR}/pid/$server" or die "no server $server: $!\n";
    return (split ' ', <$file>)[0];
}

# The first processes of all that works for the system, by name; lambda: its pid
sub roots {
    my ($system, $lambda) = @_;
    return (server => [ $system->roots ], lambda => [$lambda], map { $_ => [ _pid_of($_) ] } @backends);
}

# system, case, connections, seconds, etags; lambda: its pid. A hash of figures; `wrong` says what must not be.
sub measure {
    my (%options) = @_;
    my $system = $options{system};
    my %load   = (url => $system->url, map { $_ => $options{$_} } qw(case connections etags));
    Bench::Store::await_ranking($system->database) if $options{case} eq 'ranked';
    # in a service that has run for a minute no talk is asked for for the first time
    Bench::Wrk::run(%load, case => 'each', connections => 32, seconds => 2 * $warming) if $options{case} =~ /^(?:zipf|revalidate|post|mix|vote)$/;
    # and answers are read anew now and then
    my $ages = $options{case} =~ /^(?:zipf|revalidate)$/ && $system->is_service;
    Bench::Wrk::run(%load, seconds => $ages ? $keeping : $warming);
    my $writes = $options{case} =~ /^(?:post|mix|vote)$/;
    my $before = $writes && Bench::Store::counts($system);
    my %roots  = roots($system, $options{lambda});
    my $begun  = Bench::Tree::cpu(%roots);
    my @children;
    my $look   = sub { @children = Bench::Tree::children(($system->roots)[0]) if $system->is_httpd };
    my $result = Bench::Wrk::run(%load, seconds => $options{seconds}, during => $look);
    my $ended  = Bench::Tree::cpu(%roots);
    my $run    = _figures($result, $begun, $ended);
    $run->{overloaded} = $system->overloaded($options{connections}) ? 1 : 0;
    $run->{wrong}      = [ _errors($result, $run->{overloaded}) ];
    _add_memory($run, @children) if @children;
    _count($run, $result, $before, %options) if $writes;
    return $run;
}

# Per second, and per request, of those that were answered well
sub _figures {
    my ($result, $begun, $ended) = @_;
    my $good = ($result->{requests} - $result->{bad_status}) || 1;
    my %cpu  = map { $_ => ($ended->{$_} - $begun->{$_}) / $good } keys %$begun;
    my $all      = 0;
    $all += $_ for values %cpu;
    my %run = (%cpu, all => $all, wrk => $result->{wrk_us} / $good, rps => $good / $result->{seconds},
        bytes => $result->{bytes} / ($result->{requests} || 1), map { $_ => $result->{$_} } qw(requests seconds bad_status timeout));
    @run{qw(p50 p99)} = @$result{qw(p50_ms p99_ms)};
    $run{socket_errors} = $result->{connect} + $result->{read} + $result->{write} + $result->{timeout};
    return \%run;
}

sub _median { my @values = sort { $a <=> $b } @_; return $values[ $#values / 2 ] }

# Of httpd's children under load, while all are there: the most MB that one has held, what the middle one and the largest have
# for themselves alone, and the threads of one
sub _add_memory {
    my ($run, @children) = @_;
    my ($held)   = sort { $b <=> $a } map { $_->{VmHWM} / 1024 } @children;
    my @private  = sort { $a <=> $b } map { ($_->{Private_Clean} + $_->{Private_Dirty}) / 1024 } @children;
    @$run{qw(memory private private_most threads children)} =
        ($held, _median(@private), $private[-1], _median(map { $_->{Threads} } @children), scalar @children);
}

# httpd that has more children than it needs ends some, and event closes kept connections when its threads are
# busy: a request that crosses with that is a read error of wrk's. HTTP allows it, so it is counted, and no fault.
my $crossed = 0.001; # of the requests

sub _errors {
    my ($result, $overloaded) = @_;
    my @wrong;
    push @wrong, 'no answer at all' unless $result->{requests} > $result->{bad_status};
    return @wrong if $overloaded;
    push @wrong, "$result->{bad_status} answers with an error" if $result->{bad_status};
    push @wrong, "$result->{$_} connections with a $_ error" for grep { $result->{$_} } qw(connect write timeout);
    push @wrong, "$result->{read} connections broken off" if $result->{read} > $crossed * $result->{requests};
    return @wrong;
}

# What was acknowledged must be counted, and no more than was sent; and the log has what is counted. wrk does not
# tell what became of the requests that it had under way at its end: one a connection, and those it gave up.
sub _count {
    my ($run, $result, $before, %options) = @_;
    my $unknown = $options{connections} + $run->{socket_errors};
    my $sent    = $result->{posts};
    my $acked   = $sent - $unknown - $run->{bad_status};
    my $after   = Bench::Store::counts($options{system});
    my ($counted, $events) = map { $after->{$_} - $before->{$_} } qw(ratings events);
    @$run{qw(posts counted events)} = ($sent, $counted, $events);
    push @{ $run->{wrong} }, "of $sent ratings sent, at least $acked acknowledged, $counted are counted" if $counted < $acked || $counted > $sent;
    push @{ $run->{wrong} }, "$counted ratings are counted, of $events events" if $events < $counted || $events > $counted + $unknown;
}

1;
