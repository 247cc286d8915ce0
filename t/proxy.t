# The Lambda by way of a proxy: httpd's own mod_proxy, which asks for a password.
use strict;
use warnings;
use Digest::SHA qw(sha1_base64);
use Test::More;
use RatingsTest;
use RatingsTest::Tool ();

my %own      = (topic => 'ratings-proxy', database => 10);
my $password = 'p@ss:w/rd';
my $coded    = 'p%40ss%3Aw%2Frd';

# ---- the proxy ----

my $directory = "$ENV{TEST_LOGS}/forward-proxy";
my $modules   = join '', map { "LoadModule ${_}_module \"$ENV{TEST_MODULES}/mod_$_.so\"\n" } qw(authn_core authn_file authz_user auth_basic proxy proxy_http proxy_connect);
my $function_port = $ENV{HTTP_PORT} + 8;
my $proxy = own_httpd(name => 'forward-proxy', port => 4, conf => <<"END");
$modules
ProxyRequests On
AllowCONNECT $function_port
CustomLog "$directory/access" "%m %U user=%u %>s"
<Proxy "*">
AuthType Basic
AuthName "proxy"
AuthBasicProvider file
AuthUserFile "$directory/users"
Require valid-user
</Proxy>
END
$proxy->expect_log(qr/AH01617: user ratings: authentication failure/, qr/AH01618: /);
write_file("$directory/users", 'ratings:{SHA}' . sha1_base64($password) . "=\n");
$proxy->start;
my $proxy_port = $proxy->port;

# What the proxy was asked for since the last time.
my $seen = 0;
sub asked {
    my @lines = lines_of("$directory/access");
    my @new   = @lines[ $seen .. $#lines ];
    $seen = @lines;
    chomp @new;
    return @new;
}

# The same, when it was asked: httpd writes the line when the request has ended, after its answer.
sub asked_for {
    my @new;
    wait_until(sub { push @new, asked(); return scalar @new }, 10);
    return @new;
}

# ---- the function, and the service ----

my $function = RatingsTest::Tool->new('function', $function_port);
$ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:$function_port/";

sub service {
    my ($name, $proxy_url, $do) = @_;
    my $line  = $proxy_url ? "RatingsStatsProxy \"$proxy_url\"\n" : '';
    my $httpd = own_httpd(name => $name, %own, before => "RatingsBreakerFailures 1000\nRatingsStatsTimeout 4s\n$line")->expect_log(qr/RT0305: |RT0501: |RT030[12]: /)->start;
    my @at    = (port => $httpd->port);
    ok(wait_ready(@at), "$name: ready");
    asked();
    $do->($httpd, @at);
    $httpd->stop;
    ok(!$httpd->log->has(qr/p\@ss|p%40ss|w\/rd|ratings:p/), "$name: no line of the error log shows the password");
}

# A talk with so many ratings as no other one, so that its statistics are not remembered: GET
my $serial = 0;
sub read_new {
    my (@at) = @_;
    my $talk = new_talk();
    rate($talk, 4, @at) for 1 .. ++$serial;
    return histogram_of($talk, @at);
}

service('through-proxy', "http://ratings:$coded\@127.0.0.1:$proxy_port", sub {
    my ($httpd, @at) = @_;
    is_deeply(read_new(@at)->{stats}, { avg => 4, totalCount => $serial }, 'statistics come by the proxy');
    is_deeply([ asked_for() ], ["POST http://127.0.0.1:$function_port/ user=ratings 200"], 'which was asked once, with the password decoded');
    unlike(get('/', @at)->body, qr/proxy|$proxy_port|p\@ss|p%40ss/i, 'the metadata do not show it');
    ok(!$httpd->log->has(qr/RT0209: /), 'no answer went without');
});

service('proxy-refuses', "http://ratings:wrong\@127.0.0.1:$proxy_port", sub {
    my ($httpd, @at) = @_;
    for my $n (1 .. 4) { ok(!read_new(@at)->{stats}, 'a proxy that refuses: no statistics') }
    like((asked_for())[0], qr/ 407$/, 'it did');
    my @lines = grep { /\[ratings:warn\].*RT0209: / } $httpd->log->lines;
    is(scalar @lines, 1, 'one line says that answers go without stats');
    like($lines[0], qr/RT0209: an answer goes without stats: the proxy refuses the call \(status 407\)/, 'and why');
    $httpd->expect_log(qr/RT0209: /);
});

service('no-proxy-there', 'http://127.0.0.1:' . ($ENV{HTTP_PORT} + 7), sub {
    my ($httpd, @at) = @_;
    ok(!read_new(@at)->{stats}, 'a proxy that is not there: no statistics, though the function could be reached');
    ok($httpd->log->has(qr/RT0209: an answer goes without stats: .*(?:connect|refused)/i), 'the line says so');
    $httpd->expect_log(qr/RT0209: /);
});

{
    local $ENV{http_proxy} = "http://127.0.0.1:$proxy_port";
    local $ENV{ALL_PROXY}  = "http://127.0.0.1:$proxy_port";
    service('proxy-of-the-environment', undef, sub {
        my ($httpd, @at) = @_;
        ok(read_new(@at)->{stats}, 'a proxy of the environment alone: statistics');
        is_deeply([ asked() ], [], 'which it did not bring');
    });
    local $ENV{no_proxy} = '*';
    service('environment-without-proxy', "http://ratings:$coded\@127.0.0.1:$proxy_port", sub {
        my ($httpd, @at) = @_;
        ok(read_new(@at)->{stats}, 'an environment that excludes all hosts from proxies: statistics');
        is_deeply([ asked_for() ], ["POST http://127.0.0.1:$function_port/ user=ratings 200"], 'by the proxy that was configured');
    });
}

{
    local $ENV{RATINGS_LAMBDA_URL} = "https://127.0.0.1:$function_port/";
    service('tunnel', "http://ratings:$coded\@127.0.0.1:$proxy_port", sub {
        my ($httpd, @at) = @_;
        ok(!read_new(@at)->{stats}, 'https: the function, which speaks no TLS, is not asked in the clear');
        like((asked_for())[0], qr/^CONNECT \S* ?user=ratings 200$/, 'the proxy is asked for a tunnel');
        $httpd->expect_log(qr/RT0209: /);
    });
}

$proxy->stop;
finish();
