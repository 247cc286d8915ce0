# What each directive takes, and what is said of what it does not take.
use strict;
use warnings;
use Test::More;
use RatingsTest;

my $backends = RatingsTest::Httpd::backends();
my $endpoint = qq(<Location "/ratings">\nRatingsEndpoint ratings\n</Location>\n);
my $number   = 0;

# The exit code of httpd -t, and what it said.
sub configtest { return own_httpd(name => 'configtest-' . ++$number, conf => shift)->configtest }

sub taken {
    my ($conf, $name) = @_;
    my ($code, $output) = configtest($conf);
    ok($code == 0 && $output =~ /Syntax OK/, "taken: $name") or diag("$code: $output");
    return $output;
}

# refused(CONFIGURATION, NAME, PATTERN...): each pattern is in what is said
sub refused {
    my ($conf, $name, @patterns) = @_;
    my ($code, $output) = configtest($conf);
    # check_config runs after the log is open: what it says may be there alone
    my $said = $output . join '', map { local (@ARGV, $/) = $_; -e $_ ? (<> // '') : '' } "$ENV{TEST_LOGS}/configtest-$number/error_log";
    my @missing = grep { $said !~ $_ } @patterns;
    ok($code != 0 && !@missing, "refused: $name") or diag("code $code, without @missing: $said");
    unlike($said, qr/s3cr3t/, "the password is not shown: $name") if $conf =~ /s3cr3t/;
    return $said;
}

taken('', 'nothing at all');
taken($backends . $endpoint, 'the four backends');

# ---- numbers, times and flags: the range, and the words for it ----

for (
    #  directive                  least and most            kinds of bad values
    [ 'RatingsTopicPartitions',  [ 1, 4 ],                  [ 0, -1, 'x', '1x', '', '4.0', '99999999999999999999' ] ],
    [ 'RatingsTopicReplication', [ 0, 32 ],                 [ 33, -1, 'x' ] ],
    [ 'RatingsTalksPool',        [ 1, 1024 ],               [ 0, 1025, '8 ' . 'x', 'many' ] ],
    [ 'RatingsStorePool',        [ 1, 1024 ],               [ 0, 1025, 'many' ] ],
    [ 'RatingsStatsPool',        [ 1, 64 ],                 [ 0, 65, 'many' ] ],
    [ 'RatingsBreakerFailures',  [ 1, 1_000_000 ],          [ 0, 1_000_001, 'x' ] ],
    [ 'RatingsBodyLimit',        [ 64, 1_048_576 ],         [ 63, 1_048_577, '4k', -1 ] ],
    [ 'RatingsTalksTimeout',     [ '10ms', '60', '1s' ],    [ '9ms', '61', '0', '-1', '', 'x', '1x', '+1' ] ],
    [ 'RatingsStoreTimeout',     [ '10ms', '60' ],          [ '9ms', '61', 'x' ] ],
    [ 'RatingsStreamTimeout',    [ '100ms', '60' ],         [ '99ms', '61', 'x' ] ],
    [ 'RatingsStatsTimeout',     [ '10ms', '60', '1min' ],  [ '9ms', '61', '2min', 'x' ] ],
    [ 'RatingsBreakerCooldown',  [ '10ms', '60' ],          [ '9ms', '61', 'x' ] ],
    [ 'RatingsLease',            [ '300ms', '60' ],         [ '299ms', '61', 'x' ] ],
    [ 'RatingsTalkTTL',          [ '0', '86400', '90ms' ],  [ '86401', '-1', 'x' ] ],
    [ 'RatingsCacheTTL',         [ '0', '3600', '1min' ],   [ '3601', '-1', 'x' ] ],
    [ 'RatingsVisibilityTimeout', [ '0', '60', '1500ms' ],  [ '61', '-1', 'x' ] ],
    )
{
    my ($directive, $good, $bad) = @$_;
    taken("$backends$directive $_\n", "$directive $_") for @$good;
    for my $value (@$bad) {
        if ($value eq '' || $value =~ / /) { refused("$backends$directive $value\n", "$directive $value", qr/$directive takes one argument/) }
        else {
            refused("$backends$directive \"$value\"\n", "$directive '$value'", qr/$directive: '\Q$value\E' is not allowed: it takes a (whole number|time) from .* to /);
        }
    }
    refused("$backends$directive\n", "$directive without a value", qr/$directive takes one argument/);
}
for my $flag (qw(RatingsMetadataSecrets RatingsStatsMemo)) {
    taken("$backends$flag $_\n", "$flag $_") for qw(On Off on);
    refused("$backends$flag maybe\n", "$flag maybe", qr/$flag must be On or Off/);
}

# ---- connection strings ----

sub with { my ($directive, $value) = @_; return $backends =~ s/^$directive .*$/$directive "$value"/mr }

my %connections = (
    RatingsTalks => [
        [ 'postgres://u:p@h:5432/d', 'postgresql://h/d', 'postgres://u@h/d?sslmode=require', 'host=h user=u password=p' ],
        [ 'mysql://u:s3cr3t@h/d', 'h:5432', '', 'postgres:/u:s3cr3t@h', 'redis://h' ],
    ],
    RatingsStore => [
        [ 'redis://h', 'redis://h:6379', 'redis://h:6379/3', 'redis://:p@h', 'redis://u:p@h:1/0', 'redis://[::1]:6379' ],
        [ 'h:6379', '', 'http://h', 'redis://', 'redis://:s3cr3t@', 'redis://h:0', 'redis://h:99999', 'redis://h:x', 'redis://u:s3cr3t@h/x' ],
    ],
    RatingsStream => [
        [ 'h:9092', 'h:9092,i:9093', '127.0.0.1:9092', '[::1]:9092' ],
        [ '', 'h', 'h:', ':9092', 'h:99999', 'h:9092,i', 'kafka://h:9092', 'u:s3cr3t@h:9092', ',' ],
    ],
    RatingsStats => [
        [ 'http://h/', 'https://h', 'http://h:9000/x', 'https://id.lambda-url.eu-central-1.on.aws/' ],
        [ '', 'h:9000', 'ftp://h/', 'http://', 'http:///x', 'file:///etc/passwd' ],
    ],
    RatingsTopic => [ [ 'ratings', 'a.b-c_D9', 'x' x 249 ], [ '', '.', '..', 'a b', 'a/b', 'x' x 250, "r\xc3\xa4" ] ],
);
for my $directive (sort keys %connections) {
    my ($good, $bad) = @{ $connections{$directive} };
    my $make = sub { $directive eq 'RatingsTopic' ? "${backends}RatingsTopic \"$_[0]\"\n" : with($directive, $_[0]) };
    taken($make->($_), "$directive " . substr $_, 0, 40) for @$good;
    refused($make->($_), "$directive '" . substr($_, 0, 40) . q('), length $_ ? qr/$directive: \S/ : qr/$directive takes one argument/) for @$bad;
    refused($make->('x${RATINGS_TEST_UNSET}y'), "$directive with a variable that is not set", qr/$directive: .*environment variable/);
}

# ---- sets ----

for my $directive (qw(RatingsTalks RatingsStore RatingsStream RatingsStats)) {
    refused($backends =~ s/^$directive .*\n//mr, "no $directive", qr/RT0101: $directive is not set/);
}
refused($endpoint, 'an endpoint without a service', qr/RT0102: RatingsEndpoint at \S+:\d+ needs RatingsTalks/);
taken(qq(<Location "/x">\nRatingsEndpoint none\n</Location>\n), 'RatingsEndpoint none needs no service');

# ---- RatingsKafka ----

taken("${backends}RatingsKafka $_\n", "RatingsKafka $_") for 'linger.ms 1', 'security.protocol PLAINTEXT', 'client.id "a b"', 'compression.codec lz4';
for (
    [ 'no.such.property 1',      qr/RatingsKafka no\.such\.property: \S/ ],
    [ 'linger.ms x',             qr/RatingsKafka linger\.ms: \S/ ],
    [ 'linger.ms -1',            qr/RatingsKafka linger\.ms: \S/ ],
    [ 'compression.codec zip',   qr/RatingsKafka compression\.codec: \S/ ],
    [ 'client.id ${RATINGS_TEST_UNSET}', qr/RatingsKafka client\.id: .*environment variable/ ],
    (map { [ "$_ 1", qr/RatingsKafka \Q$_\E: not to be set: \S/ ] }
        qw(bootstrap.servers metadata.broker.list auto.offset.reset enable.auto.commit partitioner message.timeout.ms
        delivery.timeout.ms transactional.id allow.auto.create.topics)),
    )
{
    my ($line, $pattern) = @$_;
    refused("${backends}RatingsKafka $line\n", "RatingsKafka $line", $pattern);
}
refused("${backends}RatingsKafka linger.ms\n", 'RatingsKafka without a value', qr/RatingsKafka takes two arguments/);
refused("${backends}RatingsKafka sasl.password \${RATINGS_TEST_UNSET}s3cr3t\n", 'RatingsKafka sasl.password', qr/RatingsKafka sasl\.password: \S/);

# ---- RatingsEndpoint: names and places ----

taken("$backends<Location \"/x\">\nRatingsEndpoint $_\n</Location>\n", "RatingsEndpoint $_")
    for 'ratings', 'metadata', 'health', 'health live', 'health ready', 'none';
refused("$backends<Location \"/x\">\nRatingsEndpoint $_\n</Location>\n", "RatingsEndpoint $_", qr/RatingsEndpoint: '\Q$_\E' is not allowed: it takes ratings, metadata/)
    for 'rating', 'health dead', 'ratings live', 'none live';
for my $section (qw(Directory Files)) {
    refused("$backends<$section \"/x\">\nRatingsEndpoint ratings\n</$section>\n", "RatingsEndpoint in $section", qr/RatingsEndpoint (not allowed|cannot occur)/);
}
taken("$backends<LocationMatch \"^/\$\">\nRatingsEndpoint metadata\n</LocationMatch>\n", 'RatingsEndpoint in LocationMatch');
refused("$backends<Location \"/x\">\nRatingsStore redis://h\n</Location>\n", 'RatingsStore in a Location', qr/RatingsStore not allowed/);

# ---- virtual hosts ----

my $host = sub { my ($port, $lines) = @_; return "<VirtualHost *:$port>\nServerName h$port.test\n$lines</VirtualHost>\n" };
taken($backends . $endpoint . $host->(81, '') . $host->(82, "RatingsBodyLimit 100\nRatingsVisibilityTimeout 2\n"), 'virtual hosts that inherit');
taken($backends . $endpoint . $host->(81, $backends =~ s{(RatingsStore .*)"}{$1/9"}r . "RatingsTopic other\n"), 'a virtual host with a store and a topic of its own');
refused($backends . $endpoint . $host->(81, "RatingsTopic other\n"), 'the same store for another topic', qr/RT0104: RatingsStore is also that of a server with another/);
refused($backends . $host->(81, "RatingsStream other:9092\n"), 'the same store for another stream', qr/RT0104/);
for my $line ('RatingsStorePool 3', 'RatingsLease 2', 'RatingsTalksTimeout 2') {
    my ($directive) = $line =~ /^(\S+)/;
    refused($backends . $host->(81, "$line\n"), "$line in a virtual host that shares its service", qr/RT0103: $directive differs/);
}
refused($backends . $host->(81, "RatingsKafka linger.ms 7\n"), 'RatingsKafka in a virtual host that shares its service', qr/RT0103: RatingsKafka differs/);
taken($backends . $host->(81, $backends), 'a virtual host that says the same again');
taken($host->(81, $backends . $endpoint) . $host->(82, ''), 'a service in one virtual host alone');
refused($host->(81, $backends . $endpoint) . $host->(82, $endpoint), 'an endpoint in the virtual host without a service', qr/RT0102/);

# ---- .htaccess ----

{
    my $httpd = own_httpd(name => 'htaccess', conf => $backends . $endpoint, after => qq(<Directory "/">\nAllowOverride All\n</Directory>\n));
    open my $file, '>', "$ENV{TEST_LOGS}/htaccess/htdocs/.htaccess" or die;
    print $file "RatingsEndpoint ratings\n";
    close $file;
    $httpd->expect_log(qr/RatingsEndpoint not allowed here/, qr/RT030[15]/);
    $httpd->start;
    is(wait_until(sub { get('/x', port => $httpd->port)->status || undef }, 10), 500, 'RatingsEndpoint is refused in .htaccess');
    ok($httpd->log->has(qr/RatingsEndpoint not allowed here/), 'and the log says so');
    defined $httpd->stop or fail('it stops');
}

# ---- what takes effect ----

{
    my $own = $backends =~ s{(RatingsStore .*)"}{$1/3"}r;
    redis(database => 3)->call('FLUSHDB'); # another test uses it for another topic
    my $httpd = own_httpd(
        name => 'hosts', port => 2,
        conf => $backends . "RatingsBodyLimit 100\n" . RatingsTest::Httpd::locations() . join('',
            "<VirtualHost *:@{[$ENV{HTTP_PORT} + 2]}>\nServerName one.test\n</VirtualHost>\n",
            "<VirtualHost *:@{[$ENV{HTTP_PORT} + 2]}>\nServerName two.test\nRatingsBodyLimit 200\n</VirtualHost>\n",
            "<VirtualHost *:@{[$ENV{HTTP_PORT} + 2]}>\nServerName three.test\n${own}RatingsTopic ratings-hosts\n</VirtualHost>\n"),
    )->start;
    $httpd->expect_log(qr/RT030[45]/, qr/RT0301/);
    my %at = map { $_ => { port => $httpd->port, host => "$_.test" } } qw(one two three);
    ok(wait_ready(%{ $at{$_} }), "$_ is ready") for sort keys %at;
    my $talk = new_talk();
    my $body = to_json({ talkId => $talk, value => 5 });
    my $big  = $body . ' ' x (150 - length $body);
    is(post($big, %{ $at{one} })->status, 413, 'a virtual host inherits RatingsBodyLimit');
    is(post($big, %{ $at{two} })->status, 200, 'a virtual host has its own RatingsBodyLimit');
    is(total(histogram_of($talk, %{ $at{one} })), 1, 'virtual hosts with the same backends share a service');
    is(total(histogram_of($talk, %{ $at{three} })), 0, 'a virtual host with another topic and store has its own');
    is(post($body, %{ $at{three} })->status, 200, 'and takes ratings there');
    is(total(histogram_of($talk, %{ $at{three} })), 1, 'which are counted there');
    is(total(histogram_of($talk, %{ $at{two} })), 1, 'and not elsewhere');
    ok(defined $httpd->stop, 'it stops');
}

# librdkafka takes each property, and refuses the two together when the child makes its handle
{
    my $httpd = own_httpd(
        name => 'combination', port => 3,
        conf => $backends =~ s{(RatingsStore .*)"}{$1/4"}r . "RatingsTopic ratings-combination\nRatingsKafka acks 1\n" . RatingsTest::Httpd::locations(),
    );
    my ($code) = $httpd->configtest;
    is($code, 0, 'a combination that librdkafka refuses passes the configtest');
    $httpd->expect_log(qr/RT0205: Kafka \(RatingsStream\) cannot be used in this child/, qr/RT0501/);
    $httpd->start;
    my @at = (port => $httpd->port);
    ok(wait_until(sub { get('/', @at)->status == 200 }, 10), 'httpd starts all the same, and GET / answers');
    ok(wait_until(sub { $httpd->log->has(qr/RT0205: .*(idempotence|acks)/) }, 5), 'the log says what is refused');
    my $talk = new_talk();
    problem_ok(rate($talk, 5, @at), 503, 'POST: 503');
    like(get("/ratings?talkId=$talk", @at)->status, qr/^(200|503)$/, 'GET: what is there, or 503');
    is(get('/healthz', @at)->status, 200, 'live');
    is(get('/readyz', @at)->status, 503, 'not ready');
    ok(defined $httpd->stop, 'it stops');
}

finish();
