# A Redis that cannot be the store, or what answers in its place: readiness and the error log say what is wrong and what
# to do. The answer to a client names the store.
use strict;
use warnings;
use Test::More;
use RatingsTest;
use RatingsTest::RedisServer ();

my $cluster = 'the store is a node of a Redis Cluster: name a Redis with cluster-enabled no';
my $replica = 'the store is a read-only replica: name its primary';
sub denied { return "it refuses the command $_[0] to the service's user: see the error log" }
my $login   = 'the store refuses the login: correct user and password of RatingsStore';

my $port = $ENV{HTTP_PORT} + 4;
# of the cluster's bus: by default it is beyond the server's by 10000, among those that clients take, so that it may be in use
my @cluster = ('--cluster-enabled', 'yes', '--cluster-port', $ENV{HTTP_PORT} + 9);

# name, arguments of the server, what is called before, user and password, reason; whether it serves all the same
my @rows = (
    [ 'cluster',     [@cluster], [], '', $cluster ],
    [ 'whole-cluster', [@cluster], [ [qw(CLUSTER ADDSLOTSRANGE 0 16383)] ], '', $cluster ],
    [ 'replica',     [ '--replicaof', '127.0.0.1', $ENV{HTTP_PORT} + 7 ], [], '', $replica ],
    [ 'no-info',     [ '--user', qw(ratings on >pass ~* +@all -info) ], [], 'ratings:pass@', denied('INFO'), 1 ],
    [ 'no-scripts',  [ '--user', qw(ratings on >pass ~* +@all -eval) ], [], 'ratings:pass@', denied('EVAL') ],
    [ 'no-hash',     [ '--user', qw(ratings on >pass ~* +@all -hset) ], [], 'ratings:pass@', denied('HSET') ],
    [ 'no-echo',     [ '--user', qw(ratings on >pass ~* +@all -echo) ], [], 'ratings:pass@', denied('ECHO') ],
    [ 'wrong-login', [ '--user', qw(ratings on >pass ~* +@all) ], [], 'ratings:other@', $login ],
    [ 'no-login',    [ '--requirepass', 'pass' ], [], '', $login ],
);

for my $row (@rows) {
    my ($name, $arguments, $calls, $user, $reason, $serves) = @$row;
    my $redis = RatingsTest::RedisServer->new(directory => "$ENV{TEST_LOGS}/redis-$name", port => $port, arguments => $arguments);
    $redis->start;
    $redis->call(@$_) for @$calls;
    local $ENV{RATINGS_CONNECTION} = "redis://${user}127.0.0.1:$port";
    my $httpd = own_httpd(name => "store-$name", topic => 'ratings-store-faults')->expect_log(qr/RT0301: /, qr/RT020[28]: /, qr/RT0501: /);
    $httpd->start;
    my @at = (port => $httpd->port);
    my $ready;
    wait_until(sub { $ready = get('/readyz', @at); (json($ready->body)->{backends}{store}{reason} // '') eq $reason }, 10, 0.3);
    is($ready->status, 503, "$name: not ready");
    is(json($ready->body)->{backends}{store}{reason}, $reason, "$name: and says why");
    my ($said) = $reason =~ /refuses the command (\w+)/ ? qr/RT0(?:301|208): .*\b$1\b/i : qr/RT0(?:301|208): .*\Q$reason\E/;
    ok(wait_until(sub { $httpd->log->has($said) }, 5), "$name: so does the error log");
    my $talk = new_talk();
    if ($serves) {
        is(rate($talk, 5, @at)->status, 200, "$name: POST");
        $httpd->stop;
        next;
    }
    like(problem_ok(rate($talk, 5, @at), 503, "$name: POST")->{detail}, qr/the store of ratings/, "$name: POST names the store");
    like(problem_ok(get("/ratings?talkId=$talk", @at), 503, "$name: GET")->{detail}, qr/the store of ratings/, "$name: GET names the store");
    $httpd->stop;
    $redis->stop;
}

finish();
