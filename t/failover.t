# A primary that becomes a replica while its clients stay connected, as behind a virtual address, a name, or a proxy
# that checks roles: the new one is found, and no connection to the old one is gone by any longer.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::RedisServer ();
use RatingsTest::Tool        ();

my $topic  = 'ratings-failover';
my $within = sanitized() ? 9 : 3; # seconds until all is well again
my @usual  = (qr/RT030[125]: /, qr/RT0501: /, qr/RT0202: /, qr/RT0208: /);

# As many children as given, of 16 threads each
sub sizes {
    my ($children) = @_;
    my $threads = 16 * $children;
    return "StartServers $children\nServerLimit $children\nThreadsPerChild 16\nMaxRequestWorkers $threads\nMinSpareThreads 1\nMaxSpareThreads $threads\n";
}

sub server {
    my ($name, $port, %options) = @_;
    return RatingsTest::RedisServer->new(directory => "$ENV{TEST_LOGS}/$name", port => $ENV{HTTP_PORT} + $port, %options)->start;
}

sub info { my ($server, $pattern) = @_; return $server->call('INFO', 'replication') =~ $pattern }

sub follow { my ($server, $port) = @_; return $server->call('REPLICAOF', '127.0.0.1', $port) }

# Connections of every child are opened: many ask at once, for ratings and for readiness.
sub open_connections {
    my ($talks, @at) = @_;
    my @done = in_children(12, sub {
        my $good = 0;
        for my $round (1 .. 6) {
            $good += get("/ratings?talkId=$_", @at)->status == 200 for @$talks;
            get('/readyz', @at);
        }
        return { good => $good };
    })->();
    is(scalar(grep { $_->{good} == 6 * @$talks } @done), 12, 'many read at once') or diag(to_json(\@done));
    return;
}

# Asks `count` times: how many answers are as they are to be.
sub good_of { my ($count, $is_good) = @_; return scalar grep { $is_good->() } 1 .. $count }

sub all_is_well {
    my ($name, $talk, $counted, $begun, @at) = @_;
    my %statuses;
    ok(wait_until(sub { my $status = rate($talk, 3, @at)->status; $statuses{$status}++; $status == 200 }, 15), "$name: POST is 200 again");
    my $taken = $statuses{200} + ($statuses{202} || 0);
    cmp_ok(time - $begun, '<', $within, "$name: in time");
    sleep $begun + $within - time if time < $begun + $within;
    is(good_of(40, sub { get('/readyz', @at)->status == 200 }), 40, "$name: ready, 40 of 40 times") or diag(get('/readyz', @at)->body);
    is(good_of(40, sub { ((histogram_of($talk, @at) // {})->{ratings}{3} // -1) == $counted + $taken }), 40, "$name: each GET counts all")
        or diag(get("/ratings?talkId=$talk", @at)->raw);
    is(rate($talk, 3, @at)->status, 200, "$name: POST is 200");
    return $counted + $taken + 1;
}

# httpd with that many children, started with these variables more, and ready: with four talks that have a rating, as the replica knows.
sub start_service {
    my ($name, $children, $replica, %environment) = @_;
    my $httpd = own_httpd(name => $name, topic => $topic, sizes => sizes($children), before => "RatingsStorePool 8\nRatingsCacheTTL 0s\n");
    $httpd->expect_log(@usual);
    {
        local @ENV{ keys %environment } = values %environment;
        $httpd->start;
    }
    my @at = (port => $httpd->port);
    ok(wait_ready(@at), 'ready') or diag(get('/readyz', @at)->body);
    my @talks = new_talks(4);
    is(rate($_, 3, @at)->status, 200, 'a rating') for @talks;
    open_connections(\@talks, @at);
    ok(wait_until(sub { info($replica, qr/master_link_status:up/) }, 10), 'the replica follows');
    return ($httpd, \@talks, @at);
}

sub play {
    my ($version, $binary, $children) = @_; # as 6.2; system: the one that is installed, Redis 7 or newer
    my ($one, $two) = map { server("redis-$version-$_", 3 + $_, binary => $binary) } 1, 2;
    my ($found) = $one->call('INFO', 'server') =~ /redis_version:(\d+\.\d+)/;
    ok($version eq 'system' ? $found >= 7 : $found eq $version, "Redis $version") or diag($found);
    follow($two, $one->port);
    my $proxy = RatingsTest::Tool->new('proxy', $ENV{HTTP_PORT} + 6, $one->port);
    local $ENV{RATINGS_CONNECTION} = "redis://127.0.0.1:@{[ $ENV{HTTP_PORT} + 6 ]}";
    my ($httpd, $talks, @at) = start_service("failover-$version", $children, $two);

    # the one that is demoted has no link: it goes on answering what it knew
    my $begun = time;
    $two->call(qw(REPLICAOF NO ONE));
    follow($one, $ENV{HTTP_PORT} + 7); # nobody is there
    $proxy->command('aim ' . $two->port);
    my $counted = all_is_well("$version, demoted and without a link", $talks->[0], 1, $begun, @at);

    # back again, and the one that is demoted follows
    follow($one, $two->port);
    ok(wait_until(sub { info($one, qr/master_link_status:up/) && $one->call(qw(HGET ratings:log generation)) }, 10), 'the other one follows');
    open_connections($talks, @at);
    $begun = time;
    $one->call(qw(REPLICAOF NO ONE));
    follow($two, $one->port);
    $proxy->command('aim ' . $one->port);
    all_is_well("$version, demoted", $talks->[0], $counted, $begun, @at);
    $httpd->stop;
    return;
}

# A name that from now on has another address; httpd looks it up by what stands in a file (libnss-wrapper).
sub play_name {
    my ($wrapper, $hosts) = ('/usr/lib/' . qx(gcc -print-multiarch) =~ s/\n//r . '/libnss_wrapper.so', "$ENV{TEST_LOGS}/failover-hosts");
    my $say = sub { rename write_file("$hosts.new", "$_[0] store.example\n"), $hosts or die "$hosts: $!" };
    my ($one, $two) = map { server("redis-name-$_", 4, address => "127.0.0.$_") } 1, 2;
    $two->call('REPLICAOF', '127.0.0.1', $one->port);
    $say->('127.0.0.1');
    local @ENV{qw(NSS_WRAPPER_HOSTS RATINGS_CONNECTION)} = ($hosts, "redis://store.example:@{[ $one->port ]}");
    my ($httpd, $talks, @at) = start_service('failover-name', 2, $two, LD_PRELOAD => $wrapper);
    my $begun = time;
    $two->call(qw(REPLICAOF NO ONE));
    $one->call('REPLICAOF', '127.0.0.2', $two->port);
    $say->('127.0.0.2');
    all_is_well('a name', $talks->[0], 1, $begun, @at);
    $httpd->stop;
    return;
}

play('system', undef, 2);
SKIP: {
    skip 'a sanitizer comes first of what is preloaded', 1 if sanitized();
    play_name();
}
SKIP: {
    skip 'no Redis 6.2 here: make deps-test', 1 unless $ENV{TEST_REDIS_6};
    play('6.2', "$ENV{TEST_REDIS_6}/redis-server", 1); # no other child projects, which would begin with a new connection
}

finish();
