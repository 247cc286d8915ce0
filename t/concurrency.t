# Many clients at once: each rating that was acknowledged is counted, once, and at once.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

ok(wait_ready(), 'ready') or BAIL_OUT('the service does not become ready');

# a child of prefork serves one connection, and each client has two
my $clients = mpm() eq 'prefork' ? 16 : 32;
my $posts   = $ENV{TEST_POSTS} || (sanitized() ? 2000 : mpm() eq 'event' ? 10_000 : 3000);
my $each    = int($posts / $clients + 0.5);
my @talks   = new_talks(2);
my $begun   = time;

# One client: posts, and after each 200 asks on another connection.
sub run_client {
    my ($index) = @_;
    my ($poster, $reader) = (client(), client());
    my (%result, %known);
    for my $n (1 .. $each) {
        my ($talk, $value) = ($talks[ ($n + $index) % 2 ], 1 + ($n * 7 + $index) % 5);
        my $status = $poster->request('POST', '/ratings', [ 'Content-Type' => 'application/json' ],
            qq({"talkId":"$talk","value":$value}))->status;
        $result{$status}++;
        $result{counted}{$talk}{$value}++ if $status == 200 || $status == 202;
        next if $status != 200;
        $known{$talk}{$value}++;
        my $response = $reader->request('GET', "/ratings?talkId=$talk");
        my $answer = $response->status == 200 ? json($response->body) : undef;
        $result{ 'GET ' . $response->status }++;
        $result{behind}++ if $answer && $answer->{ratings}{$value} < $known{$talk}{$value};
        # what this client has seen must never be less again
        $known{$talk} = $answer->{ratings} if $answer;
    }
    return \%result;
}

my (%sum, %counted);
for my $result (in_children($clients, \&run_client)->()) {
    for my $talk (keys %{ $result->{counted} || {} }) {
        $counted{$talk}{$_} += $result->{counted}{$talk}{$_} for keys %{ $result->{counted}{$talk} };
    }
    delete $result->{counted};
    $sum{$_} += /died/ ? 1 : $result->{$_} for keys %$result;
    diag($result->{died}) if $result->{died};
}
my $all = $each * $clients;
note_time("$all ratings by $clients clients", $begun);
note(to_json(\%sum));
# under sanitizers on a busy machine a rating may be visible too late: that is a 202, and counted below
expect_log(qr/RT0501: request \S+ answered with 202/);
is(($sum{200} || 0) + ($sum{202} || 0), $all, 'each POST was acknowledged') or diag(to_json(\%sum));
# once may each client meet a moment in which the machine stands still
cmp_ok($sum{200} || 0, '>=', 0.99 * $all - $clients, 'nearly all were visible in time') or diag(to_json(\%sum));
is($sum{'GET 200'}, $sum{200}, 'each GET was answered') or diag(to_json(\%sum));
is($sum{behind} || 0, 0, 'a GET after a 200 counts it, and never less than was seen before');
ok(wait_until(sub { total(histogram_of($talks[0])) + total(histogram_of($talks[1])) >= $all }, 10), 'all are counted');
for my $talk (@talks) {
    my %expected = map { $_ => $counted{$talk}{$_} || 0 } 1 .. 5;
    is_deeply(histogram_of($talk)->{ratings}, \%expected, 'the histogram is what was acknowledged, exactly');
    my %stored = %{ redis()->hash("ratings/$talk") };
    is_deeply({ map { $_ => $stored{$_} // 0 } 1 .. 5 }, \%expected, 'and so is the store');
}

finish();
