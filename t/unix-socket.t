# Redis by a Unix socket: the service and ratingsctl, with a login and a database of the URL.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;
use RatingsTest::RedisServer ();

my $topic  = 'ratings-unix-socket-' . int(time) . "-$$";
my $socket = "/tmp/ratings-$$.socket";
my $redis  = RatingsTest::RedisServer->new(directory => "$ENV{TEST_LOGS}/redis-socket", port => $ENV{HTTP_PORT} + 3,
    arguments => [ '--unixsocket', $socket, '--unixsocketperm', '777' ])->start;
$redis->call(qw(ACL SETUSER ratings on >p@ss ~* +@all));

my $store = "unix://ratings:p%40ss\@$socket?db=5";
local $ENV{RATINGS_CONNECTION} = $store;
my $httpd = own_httpd(name => 'unix-socket', conf => qq(RatingsTalks "\${TALKS_CONNECTION}"\nRatingsStore "$store"\nRatingsStream "\${STREAMS_CONNECTION}"\n)
    . qq(RatingsStats "\${RATINGS_LAMBDA_URL}"\nRatingsTopic $topic\n) . RatingsTest::Httpd::locations());
$httpd->expect_log(qr/RT030[125]: /, qr/RT020[12]: Redis/, qr/RT0208: Redis/, qr/RT0501: /)->start;
my @at = (port => $httpd->port);
ok(wait_ready(@at), 'ready') or diag(get('/readyz', @at)->body);
my $talk = new_talk();
is(rate($talk, 4, @at)->status, 200, 'a rating is visible') for 1 .. 3;
is(histogram_of($talk, @at)->{ratings}{4}, 3, 'and counted');
is(json(get('/', @at)->body)->{metadata}{ratings}, "unix://ratings:***\@$socket?db=5", 'the metadata show the path, and no password');
like($redis->call(qw(INFO keyspace)), qr/^db5:/m, 'it is in the database that the URL names');

for my $command ('status', 'audit') {
    my $run = run_program($ENV{RATINGSCTL}, $command, '--topic', $topic, '--store', $store);
    is($run->{code}, 0, "ratingsctl $command") or diag(transcript($run));
}

# ---- the socket goes and comes back ----

$redis->stop;
ok(wait_until(sub { get('/readyz', @at)->status == 503 }, 20), 'not ready without Redis') or diag(get('/readyz', @at)->body);
is(rate($talk, 4, @at)->status, 202, 'a rating is recorded');
$redis->start;
$redis->call(qw(ACL SETUSER ratings on >p@ss ~* +@all));
ok(wait_until(sub { ((histogram_of($talk, @at) // {})->{ratings}{4} // 0) == 4 }, 20), 'and counted when Redis answers again, with all others')
    or diag(get("/ratings?talkId=$talk", @at)->raw);
$httpd->stop;
$redis->stop;
unlink $socket;
finish();
