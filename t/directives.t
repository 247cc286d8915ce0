# What each directive takes, and what is said of what it does not take.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path);
use Test::More;
use RatingsTest;

my $backends = RatingsTest::Httpd::backends();
my $endpoint = qq(<Location "/ratings">\nRatingsEndpoint ratings\n</Location>\n);
my $number   = 0;
my $host = sub { my ($port, $lines) = @_; return "<VirtualHost *:$port>\nServerName h$port.test\n$lines</VirtualHost>\n" };

# The exit code of httpd -t, and what it said.
sub configtest { return own_httpd(name => 'configtest-' . ++$number, conf => shift)->configtest }

# What configtest said, on the terminal and in the log, where check_config writes
sub said {
    my ($output) = @_;
    return $output . join '', map { local (@ARGV, $/) = $_; -e $_ ? (<> // '') : '' } "$ENV{TEST_LOGS}/configtest-$number/error_log";
}

sub told { my ($conf, $name) = @_; return said(taken($conf, $name)) }

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
    my $said = said($output);
    my @missing = grep { $said !~ $_ } @patterns;
    ok($code != 0 && !@missing, "refused: $name") or diag("code $code, without @missing: $said");
    unlike($said, qr/s3cr3t/, "the password is not shown: $name") if $conf =~ /s3cr3t/;
    unlike($said, qr/s3c|r3t/, "nor a part of it: $name") if $conf =~ /s3c.r3t/;
    return $said;
}

taken('', 'nothing at all');
taken($backends . $endpoint, 'the four backends');

# ---- the page ----

taken("$backends${endpoint}RatingsPage $_\n", "RatingsPage $_") for qw(/ /rate/talks/);
refused("$backends${endpoint}RatingsPage $_\n", "RatingsPage $_", qr/RatingsPage: it takes a path that begins and ends with a slash/) for qw(rate /rate/talks rate/ /rate/?x=/ /a%20b/);
refused("RatingsPage /rate/talks/\n", 'RatingsPage without a service', qr/RT0112: RatingsPage needs RatingsTalks, which is not set/);

# ---- numbers, times and flags: the range, and the words for it ----

for (
    #  directive                  least and most            kinds of bad values
    [ 'RatingsTopicPartitions',  [ 1, 4 ],                  [ 0, -1, 'x', '1x', '', '4.0', '99999999999999999999' ] ],
    [ 'RatingsTopicReplication', [ 0, 32 ],                 [ 33, -1, 'x' ] ],
    [ 'RatingsTalksPool',        [ 1, 1024 ],               [ 0, 1025, '8 ' . 'x', 'many' ] ],
    [ 'RatingsStorePool',        [ 1, 1024 ],               [ 0, 1025, 'many' ] ],
    [ 'RatingsStatsPool',        [ 1, 64 ],                 [ 0, 65, 'many' ] ],
    [ 'RatingsBreakerFailures',  [ 1, 1_000_000 ],          [ 0, 1_000_001, 'x' ] ],
    [ 'RatingsWaitersMax',       [ 0, 100_000 ],            [ 100_001, -1, 'x' ] ],
    [ 'RatingsBodyLimit',        [ 64, 1_048_576 ],         [ 63, 1_048_577, '4k', -1 ] ],
    [ 'RatingsTalksTimeout',     [ '10ms', '60', '1s' ],    [ '9ms', '61', '0', '-1', '', 'x', '1x', '+1' ] ],
    [ 'RatingsStoreTimeout',     [ '10ms', '60' ],          [ '9ms', '61', 'x' ] ],
    [ 'RatingsStreamTimeout',    [ '100ms', '60' ],         [ '99ms', '61', 'x' ] ],
    [ 'RatingsStatsTimeout',     [ '10ms', '60', '1min' ],  [ '9ms', '61', '2min', 'x' ] ],
    [ 'RatingsBreakerCooldown',  [ '10ms', '60' ],          [ '9ms', '61', 'x' ] ],
    [ 'RatingsLease',            [ '300ms', '60' ],         [ '299ms', '61', 'x' ] ],
    [ 'RatingsTalkTTL',          [ '0', '86400', '24h', '90ms' ], [ '86401', '25h', '-1', 'x' ] ],
    [ 'RatingsCacheTTL',         [ '0', '3600', '1min' ],   [ '3601', '-1', 'x' ] ],
    [ 'RatingsVisibilityTimeout', [ '0', '60', '1500ms' ],  [ '61', '-1', 'x' ] ],
    [ 'RatingsIdempotencyWindow', [ '0', '744h', '90min' ], [ '745h', '-1', 'x', '1d' ] ],
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
for my $value ('off', '1,1,1,1,1', '1,1,3,8,7', '1000,1000,1000,1000,1000') { taken("${backends}RatingsRankingPrior $value\n", "RatingsRankingPrior $value") }
for my $value ('on', '1', '1,1,1,1', '1,1,1,1,1,1', '0,1,1,1,1', '1,1,1,1,1001', '1, 1, 1, 1, 1', '1,1,1,1,1.5', '01,1,1,1,1') {
    refused(qq(${backends}RatingsRankingPrior "$value"\n), "RatingsRankingPrior '$value'", qr/RatingsRankingPrior: it takes off, or the ratings of 1, 2, 3, 4 and 5/);
}
# the message names a range as the documents name it
for my $row ([ 'RatingsTalkTTL', '0ms to 24h' ], [ 'RatingsCacheTTL', '0ms to 1h' ], [ 'RatingsLease', '300ms to 60s' ],
    [ 'RatingsIdempotencyWindow', '0ms to 744h' ])
{
    my ($directive, $range) = @$row;
    refused("$backends$directive x\n", "$directive tells its range", qr/$directive: 'x' is not allowed: it takes a time from $range, in seconds or with a unit \(ms, s, min, h\)/);
}
for my $flag (qw(RatingsMetadataSecrets RatingsStatsMemo RatingsTraceContext RatingsNotes)) {
    taken("$backends$flag $_\n", "$flag $_") for qw(On Off on);
    refused("$backends$flag maybe\n", "$flag maybe", qr/$flag must be On or Off/);
}

# ---- connection strings ----

# The backends with another value of a directive, which they may not have had
sub with {
    my ($directive, $value) = @_;
    return $backends =~ s/^$directive .*\n//mr . qq($directive "$value"\n);
}

my %connections = (
    RatingsTalks => [
        [ 'postgres://u:p@h:5432/d', 'postgresql://h/d', 'postgres://u@h/d?sslmode=require', 'host=h user=u password=p' ],
        [ 'postgres://u:s3c/r3t@h/d', 'postgres://u:s3c@r3t@h/d', 'host=h dbname=postgres://u:s3cr3t@h/d', 'mysql://u:s3cr3t@h/d', 'h:5432', '', 'postgres:/u:s3cr3t@h', 'redis://h' ],
    ],
    RatingsStore => [
        [ 'redis://h', 'redis://h:6379', 'redis://h:6379/3', 'redis://:p@h', 'redis://u:p@h:1/0', 'redis://[::1]:6379', 'unix:///s', 'unix://u:p@/run/s?db=1',
            'redis+sentinel://h/m', 'redis+sentinel://u:p@h,[::1]:2/m/1',
            'rediss://h', 'rediss://u:p@h:1/0', 'rediss+sentinel://:p@h,i/m/1' ],
        [ 'h:6379', '', 'http://h', 'redis://', 'redis://:s3cr3t@', 'redis://s3cr3t@h', 'redis://h:0', 'redis://h:99999', 'redis://h:x', 'redis://u:s3cr3t@h/x',
            'unix://h/s', 'unix://u:s3c/r3t@/s', 'unix://u:s3cr3t@/s?d=1', 'unix:///',
            'redis+sentinel://h', 'redis+sentinel://u:s3cr3t@h,/m', 'redis+sentinel://u:s3c/r3t@h/m', 'redis+sentinel://h/m n',
            'rediss://', 'rediss://s3cr3t@h', 'rediss+sentinel://u:s3cr3t@h', 'redis+tls://u:s3cr3t@h' ],
    ],
    RatingsStream => [
        [ 'h:9092', 'h:9092,i:9093', '127.0.0.1:9092', '[::1]:9092' ],
        [ '', 'h', 'h:', ':9092', 'h:99999', 'h:9092,i', 'kafka://h:9092', 'u:s3cr3t@h:9092', ',' ],
    ],
    RatingsStats => [
        [ 'http://h/', 'https://h', 'http://h:9000/x', 'https://id.lambda-url.eu-central-1.on.aws/' ],
        [ 'http://h:99999/?code=s3cr3t', 'http://u:s3cr3t@h:x/', 'http://h /?code=s3cr3t', '', 'h:9000', 'ftp://h/', 'http://', 'http:///x', 'file:///etc/passwd' ],
    ],
    RatingsStatsProxy => [
        [ 'none', 'http://proxy.example.org:3128', 'http://u:s3cr3t%40@proxy.example.org:3128/' ],
        [ '', 'None', 'proxy:3128', 'http://proxy', 'http://proxy:0', 'http://u:s3cr3t@proxy', 'http://u:s3cr3t%0a@proxy:1', 'socks5://proxy:1080', 'http://proxy:1/x' ],
    ],
    RatingsTopic => [ [ 'ratings', 'a.b-c_D9', 'x' x 249 ], [ '', '.', '..', 'a b', 'a/b', 'x' x 250, "r\xc3\xa4" ] ],
);
for my $directive (sort keys %connections) {
    my ($good, $bad) = @{ $connections{$directive} };
    my $make = sub { $directive eq 'RatingsTopic' ? "${backends}RatingsTopic \"$_[0]\"\n" : with($directive, $_[0]) };
    taken($make->($_), "$directive " . substr $_, 0, 40) for @$good;
    refused($make->($_), "$directive '" . substr($_, 0, 40) . q('), length $_ ? qr/$directive: \S/ : qr/$directive takes one argument/) for @$bad;
    refused($make->('x${RATINGS_TEST_UNSET}y'), "$directive with a variable that is not set", qr/$directive: a variable in it is neither defined nor in/);
}

# The same in a file, which httpd reads itself: nothing in it is quoted, and no variable replaced.
{
    my $file = "$ENV{TEST_LOGS}/directives.connection";
    my $in_file = sub {
        my ($directive, $text) = @_;
        write_file($file, "$text\n", 0600);
        return with($directive, "file:$file");
    };
    for my $directive (grep { $_ ne 'RatingsTopic' } sort keys %connections) {
        my ($good, $bad) = @{ $connections{$directive} };
        taken($in_file->($directive, $_), "$directive in a file: " . substr $_, 0, 40) for @$good[ 0 .. 1 ];
        for my $text (@$bad[ 0 .. 3 ]) {
            my $conf = $in_file->($directive, $text);
            refused($text =~ /s3c/ ? "# $text\n$conf" : $conf, "$directive in a file: '$text'", qr/$directive: file:\S+: \S/);
        }
    }
    taken($in_file->(RatingsTalks => q(host='h' password='s3"c\\\\r${HOME}3t' )), 'what httpd would have replaced');
    taken($in_file->(RatingsTalks => "host=h\nuser=u\npassword=s3cr3t"), 'words of libpq, a line each');
    taken($in_file->(RatingsStore => 'redis://h') =~ s/^(?=RatingsStore)/Define RATINGS_TEST_FILE $file\n/mr =~ s/"file:.*"/"file:\${RATINGS_TEST_FILE}"/r, 'a file that a variable names');
    refused(with($_ => 'file:s3cr3t'), "$_ of a file without a path", qr/$_: it takes file: and the absolute path of a file/) for qw(RatingsTalks RatingsStore RatingsStream RatingsStats RatingsStatsProxy);
}

# ---- Redis by TLS ----

{
    my $secure = with('RatingsStore', 'rediss://h');
    taken("$secure$_\n", $_) for 'RatingsStoreTLSCA system', 'RatingsStoreTLSCertificate none', 'RatingsStoreTLSKey none', 'RatingsStoreTLSName host',
        'RatingsStoreTLSName redis.example.org', 'RatingsStoreTLSName ::1', qq(RatingsStoreTLSCA "$ENV{TEST_LOGS}");
    refused("${secure}RatingsStoreTLSCA $_\n", "RatingsStoreTLSCA $_", qr/RatingsStoreTLSCA: it takes the absolute path of a file or directory, or system/) for 'ca.pem', 'none';
    for my $directive (qw(RatingsStoreTLSCertificate RatingsStoreTLSKey)) {
        refused("$secure$directive $_\n", "$directive $_", qr/$directive: it takes the absolute path of a file, or none/) for 'client.pem', 'file:/client.pem';
        refused("$secure$directive /nowhere/client\n", "$directive alone", qr/RT0121: .*needs its (certificate|key)/);
    }
    refused("${secure}RatingsStoreTLSName @{[ 'x' x 256 ]}\n", 'RatingsStoreTLSName of 256 bytes', qr/RatingsStoreTLSName: it takes a name or an address of at most 255 bytes, or host/);
    refused("${secure}RatingsStoreTLSName .example.org\n", 'RatingsStoreTLSName of all names below one', qr/RatingsStoreTLSName: it takes a name or an address of at most 255 bytes, or host/);
    refused("${secure}RatingsStoreTLSCA /nowhere\n", 'RatingsStoreTLSCA of no file', qr/RT0121: .*\/nowhere: No such file or directory/);
    refused("${backends}RatingsStoreTLSCA $ENV{TEST_LOGS}\n", 'RatingsStoreTLSCA without TLS', qr/RT0122: RatingsStoreTLSCA is set/);
}

# ---- RatingsStatsHeader ----

{
    my $file  = "$ENV{TEST_LOGS}/directives.header";
    my $write = sub { my ($text, $mode) = @_; return write_file($file, $text, $mode) };
    taken("${backends}RatingsStatsHeader $_\n", "RatingsStatsHeader $_") for 'X-Key s3cr3t', 'Authorization "Bearer s3cr3t"', 'x-key "a b"', 'none';
    for (
        [ '',                             qr/RatingsStatsHeader takes 1-2 arguments/ ],
        [ 'X-Key a s3cr3t',               qr/RatingsStatsHeader takes 1-2 arguments/ ],
        [ 'X-Key',                        qr/RatingsStatsHeader: it takes a name and a value, or none/ ],
        [ 's3cr3t',                       qr/RatingsStatsHeader: it takes a name and a value, or none/ ],
        [ 'None',                         qr/RatingsStatsHeader: it takes a name and a value, or none/ ],
        [ 's3cr3t: X-Key',                qr/RatingsStatsHeader: it takes the name of a header/ ],
        [ 'Host s3cr3t',                  qr/RatingsStatsHeader: the header of this name is set by HTTP itself/ ],
        [ 'X-Key " s3cr3t"',              qr/RatingsStatsHeader: its value begins or ends with a blank/ ],
        [ 'X-Key ""',                     qr/RatingsStatsHeader: it takes a name and a value, or none/ ],
        [ "X-Key \xc3\xa9s3cr3t",         qr/RatingsStatsHeader: its value has a byte that is no printable/ ],
        [ 'X-Key file:s3cr3t',            qr/RatingsStatsHeader: it takes file: and the absolute path of a file/ ],
        [ 'X-Key ${RATINGS_TEST_UNSET}',  qr/RatingsStatsHeader: a variable in it is neither defined nor in/ ],
        )
    {
        my ($line, $pattern) = @$_;
        refused("${backends}RatingsStatsHeader $line\n", "RatingsStatsHeader $line", $pattern);
    }
    for (
        [ 'a missing file',           qr/No such file or directory/ ],
        [ 'an empty one',             qr/it is empty/, "\n" ],
        [ 'one of two lines',         qr/its value has a byte that is no printable/, "s3cr3t\nmore\n" ],
        [ 'a long one',               qr/its value is longer than 1024 bytes/, 'x' x 1025 ],
        [ 'one that others may read', qr/others than its owner and group may read or write it/, "s3cr3t\n", 0604 ],
        )
    {
        my ($name, $pattern, $text, $mode) = @$_;
        unlink $file;
        $write->($text, $mode // 0600) if defined $text;
        refused(qq(${backends}RatingsStatsHeader X-Key "file:$file"\n), "RatingsStatsHeader: $name", qr/RatingsStatsHeader: file:\S+: $pattern/);
    }
    $write->("s3cr3t\n", 0600);
    taken(qq(${backends}RatingsStatsHeader X-Key "file:$file"\n), 'RatingsStatsHeader: a good file');
}

# ---- RatingsStatsAuth ----

{
    local %ENV = (%ENV, AWS_ACCESS_KEY_ID => 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY => 's3cr3t');
    my $lambda = sub { with('RatingsStats', $_[0]) };
    my $own    = 'https://id.lambda-url.eu-central-1.on.aws/';
    taken($lambda->($own) . "RatingsStatsAuth $_\n", "RatingsStatsAuth $_") for qw(off aws-sigv4 aws-sigv4:us-east-1);
    taken($lambda->('http://u:s3cr3t@h/?code=s3cr3t') . "RatingsStatsAuth off\n", 'RatingsStatsAuth off, and any URL');
    refused($backends . qq(RatingsStatsAuth "$_"\n), "RatingsStatsAuth $_", qr/RatingsStatsAuth: it takes off, aws-sigv4, or aws-sigv4:REGION/) for qw(on aws-sigv4: aws-sigv4:EU iam);
    my $refused = sub { my ($text, $name, $pattern) = @_; unlike(refused($text, "RatingsStatsAuth: $name", $pattern), qr/s3cr3t/, 'and nothing of it') };
    $refused->($lambda->('https://stats.example.org/') . "RatingsStatsAuth aws-sigv4\n", 'no region', qr/RT0114: .* write aws-sigv4:REGION/);
    $refused->($lambda->("$own?a=s3cr3t") . "RatingsStatsAuth aws-sigv4\n", 'a query', qr/RT0114: .* has a query/);
    $refused->($lambda->('https://u:s3cr3t@h/') . "RatingsStatsAuth aws-sigv4:us-east-1\n", 'a user', qr/RT0114: .* has a user/);
    $refused->($lambda->($own) . "RatingsStatsAuth aws-sigv4\nRatingsStatsHeader X-Key s3cr3t\n", 'a header', qr/RT0114: .*RatingsStatsHeader is set as well/);
    my $signed = "RatingsTopic other\nRatingsStatsAuth aws-sigv4\n" . $lambda->($own) =~ s{(RatingsStore .*)"}{$1/9"}r;
    refused("${backends}RatingsStatsHeader X-Key s3cr3t\n" . $host->(81, $signed), 'RatingsStatsAuth: a header that a virtual host inherits', qr/RT0114: .*RatingsStatsHeader is set as well/);
    taken("${backends}RatingsStatsHeader X-Key s3cr3t\n" . $host->(81, "${signed}RatingsStatsHeader none\n"), 'RatingsStatsHeader none takes back what a virtual host inherits');
    local $ENV{AWS_ACCESS_KEY_ID} = '';
    $refused->($lambda->($own) . "RatingsStatsAuth aws-sigv4\n", 'half of the credentials', qr/RT0115: RatingsStatsAuth aws-sigv4: the credentials of AWS: .*no access key id/);
    local $ENV{AWS_SECRET_ACCESS_KEY} = '';
    for (
        [ AWS_WEB_IDENTITY_TOKEN_FILE        => '/no/such/token',            'web identity is not supported' ],
        [ AWS_CONTAINER_CREDENTIALS_FULL_URI => 'https://u:s3cr3t@h/s3cr3t', 'AWS_CONTAINER_CREDENTIALS_FULL_URI has a user' ],
        [ AWS_EC2_METADATA_SERVICE_ENDPOINT  => 'http://u:s3cr3t@h/',        'AWS_EC2_METADATA_SERVICE_ENDPOINT has a user' ],
        )
    {
        my ($variable, $value, $said) = @$_;
        local %ENV = (%ENV, HOME => '/no/such', $variable => $value);
        $refused->($lambda->($own) . "RatingsStatsAuth aws-sigv4\n", "$variable=$value", qr/RT0115: RatingsStatsAuth aws-sigv4: the credentials of AWS: .*$said/);
    }
    local $ENV{AWS_SHARED_CREDENTIALS_FILE} = '/no/such/file';
    $refused->($lambda->($own) . "RatingsStatsAuth aws-sigv4\n", 'a file that is missing', qr{RT0115: .*: /no/such/file: No such file});
    taken($lambda->($own), 'which does not matter where nothing is signed');
}

# ---- sets ----

for my $directive (qw(RatingsTalks RatingsStore RatingsStream RatingsStats)) {
    refused($backends =~ s/^$directive .*\n//mr, "no $directive", qr/RT0101: $directive is not set/);
}
refused($endpoint, 'an endpoint without a service', qr/RT0102: RatingsEndpoint at \S+:\d+ needs RatingsTalks/);
taken(qq(<Location "/x">\nRatingsEndpoint none\n</Location>\n), 'RatingsEndpoint none needs no service');

# ---- APR-util's driver for PostgreSQL ----

{
    # what APR finds before it is a library without a driver in it
    my $hiding = "$ENV{TEST_LOGS}/hiding";
    make_path($hiding);
    copy("$ENV{TEST_MODULES}/mod_dir.so", "$hiding/apr_dbd_pgsql-1.so") or die "$hiding: $!";
    local $ENV{LD_LIBRARY_PATH} = $hiding;
    refused($backends, "without the driver for PostgreSQL", qr/RT0109: RatingsTalks cannot be used: .*libaprutil1-dbd-pgsql/);
    taken('', 'which does not matter where nothing is configured');
}

# ---- RatingsKafka ----

taken("${backends}RatingsKafka $_\n", "RatingsKafka $_") for 'linger.ms 1', 'security.protocol PLAINTEXT', 'client.id "a b"', 'compression.codec lz4';
for (
    [ 'no.such.property 1',      qr/RatingsKafka no\.such\.property: \S/ ],
    [ 'linger.ms x',             qr/RatingsKafka linger\.ms: \S/ ],
    [ 'linger.ms -1',            qr/RatingsKafka linger\.ms: \S/ ],
    [ 'compression.codec zip',   qr/RatingsKafka compression\.codec: \S/ ],
    [ 'client.id ${RATINGS_TEST_UNSET}', qr/RatingsKafka client\.id: a variable in it is neither defined nor in/ ],
    )
{
    my ($line, $pattern) = @$_;
    refused("${backends}RatingsKafka $line\n", "RatingsKafka $line", $pattern);
}
# What the module rests on: by every name that librdkafka has for it
my @never = qw(bootstrap.servers metadata.broker.list topic.blacklist allow.auto.create.topics test.mock.num.brokers test.mock.broker.rtt
    plugin.library.paths api.version.request internal.termination.signal enabled_events log.queue enable_sasl_queue enable.gapless.guarantee
    transactional.id transaction.timeout.ms partitioner message.timeout.ms delivery.timeout.ms delivery.report.only.error group.id
    group.instance.id group.protocol group.protocol.type group.remote.assignor partition.assignment.strategy auto.offset.reset
    enable.auto.commit auto.commit.enable auto.commit.interval.ms enable.auto.offset.store offset.store.method offset.store.path
    offset.store.sync.interval.ms enable.partition.eof queued.min.messages queued.max.messages.kbytes);
my %stays = (
    acks                    => [ [ 'all', '-1' ], [ 0, 1, 2 ] ],
    'request.required.acks' => [ [ 'all', '-1' ], [ 0, 1, 2 ] ],
    'enable.idempotence'    => [ ['true'], ['false'] ],
    'isolation.level'       => [ ['read_committed'], ['read_uncommitted'] ],
    'queuing.strategy'      => [ ['fifo'], ['lifo'] ],
);
my %range = (
    'max.in.flight.requests.per.connection' => [ [ 1, 5 ], [ 0, 6, 'x' ] ],
    'max.in.flight'                => [ [ 1, 5 ], [ 0, 6 ] ],
    'message.send.max.retries'     => [ [1], [0] ],
    'retries'                      => [ [1], [0] ],
    'linger.ms'                    => [ [ 0, 1000 ], [ 1001, 'x', -1 ] ],
    'queue.buffering.max.ms'       => [ [ 0, 1000 ], [1001] ],
    'queue.buffering.max.messages' => [ [ 1000, 1_000_000 ], [ 0, 999 ] ],
    'message.max.bytes'            => [ [65536], [1000] ],
    'fetch.wait.max.ms'            => [ [ 0, 1000 ], [1001] ],
    'fetch.queue.backoff.ms'       => [ [], [1001] ],
    'fetch.error.backoff.ms'       => [ [10000], [10001] ],
    'reconnect.backoff.ms'         => [ [1000], [10001] ],
    'reconnect.backoff.max.ms'     => [ [10000], [10001] ],
    'retry.backoff.ms'             => [ [1000], [ 0, 10001 ] ],
    'retry.backoff.max.ms'         => [ [], [10001] ],
    'topic.metadata.refresh.fast.interval.ms' => [ [10000], [10001] ],
);
refused("${backends}RatingsKafka $_ 1\n", "RatingsKafka $_", qr/conf:\d+:|line \d+/, qr/RatingsKafka \Q$_\E: not to be set: \S/) for @never;
for my $row ([ qr/it stays \w+: \S/, \%stays ], [ qr/it takes a whole number from \d+ to \d+: \S/, \%range ]) {
    my ($words, $properties) = @$row;
    for my $key (sort keys %$properties) {
        my ($good, $bad) = @{ $properties->{$key} };
        taken("${backends}RatingsStreamTimeout 5\nRatingsKafka $key $_\n", "RatingsKafka $key $_") for @$good;
        refused("${backends}RatingsKafka $key $_\n", "RatingsKafka $key $_", qr/RatingsKafka \Q$key\E: $words/) for @$bad;
    }
}
{
    my %settled = map { $_ => 1 } @never, keys %stays, keys %range;
    my @pairs = map { /^(\S+)\s.*\bAlias for `([^`]+)`/ ? [ $1, $2 ] : () } qx(kcat -X list);
    my @open = grep { $settled{ $_->[0] } xor $settled{ $_->[1] } } @pairs;
    ok(@pairs > 5 && !@open, 'no alias leads past') or diag(join ' ', scalar @pairs, map { "@$_" } @open);
}

# What librdkafka takes one by one and refuses together, or cannot read: tried at configtest, in a process of its own
sub refused_together {
    my ($lines, $name, @patterns) = @_;
    my $said = refused($backends . join('', map { "RatingsKafka $_\n" } @$lines), "together: $name", qr/RT0106: RatingsKafka \S+ at \S+:\d+: \S/, @patterns);
    return $said;
}
refused_together([ 'security.protocol ssl', 'ssl.ca.location /no/such/file' ], 'a CA file that is not there', qr/RatingsKafka ssl\.ca\.location at /);
refused_together([ 'security.protocol sasl_ssl' ], 'SASL without a mechanism, which is Kerberos then', qr/sasl\.kerberos/);
refused_together([ 'security.protocol sasl_ssl', 'sasl.mechanisms PLAIN' ], 'PLAIN without a user', qr/sasl\.username and sasl\.password must be set/);
refused_together([ 'security.protocol sasl_ssl', 'sasl.mechanisms NONE' ], 'a mechanism that is none', qr/Unsupported SASL mechanism/);
refused_together([ 'security.protocol sasl_ssl', "$_ OAUTHBEARER" ], "$_ OAUTHBEARER without a token", qr/OAUTHBEARER takes `sasl\.oauthbearer\.method` oidc/)
    for qw(sasl.mechanism sasl.mechanisms);
refused_together([ 'session.timeout.ms 400000' ], 'a session longer than a poll', qr/max\.poll\.interval\.ms/);
refused("${backends}RatingsStreamTimeout 500ms\nRatingsKafka linger.ms 900\n", 'together: longer than RatingsStreamTimeout', qr/RT0106: RatingsKafka linger\.ms at \S+:\d+: .*message\.timeout\.ms/);
refused($host->(81, $backends . "RatingsKafka security.protocol ssl\nRatingsKafka ssl.ca.location /no/such/file\n"), 'together: in a virtual host', qr/RT0106/);
taken("${backends}RatingsKafka security.protocol sasl_plaintext\nRatingsKafka sasl.mechanisms PLAIN\nRatingsKafka sasl.username u\nRatingsKafka sasl.password p\n", 'together: PLAIN as it should be');
taken("${backends}RatingsKafka security.protocol sasl_plaintext\nRatingsKafka sasl.mechanisms OAUTHBEARER\nRatingsKafka enable.sasl.oauthbearer.unsecure.jwt true\nRatingsKafka sasl.oauthbearer.config principal=x\n",
    'together: OAUTHBEARER with a token of its own making');

# ---- times beyond the deadline ----

for my $directive (qw(RatingsTalksTimeout RatingsStoreTimeout RatingsStreamTimeout RatingsStatsTimeout RatingsVisibilityTimeout)) {
    my $said = told("${backends}RatingsDeadline 4\n$directive 4001ms\n", "$directive beyond RatingsDeadline");
    like($said, qr/RT0108: $directive \(4001 ms\) is beyond RatingsDeadline \(4000 ms\)/, "$directive beyond RatingsDeadline: a warning");
    unlike(told("${backends}RatingsDeadline 4\n$directive 4\n", "$directive as RatingsDeadline"), qr/RT0108/, "$directive as RatingsDeadline: none");
}

{
    my $file  = "$ENV{TEST_LOGS}/directives.kafka";
    my $write = sub { my ($text, $mode) = @_; return write_file($file, $text, $mode // 0600) };
    my $kafka = sub { return qq(${backends}RatingsKafka $_[0] "file:$file"\n) };
    $write->("7\n");
    taken($kafka->('linger.ms'), 'RatingsKafka linger.ms in a file');
    $write->("s3cr3t\n");
    refused("# s3cr3t\n" . $kafka->($_), "RatingsKafka $_ in a file", qr/RatingsKafka \Q$_\E: file:\S+: \S/) for 'linger.ms', 'security.protocol', 'queue.buffering.max.kbytes', 'acks', 'no.such.property';
    taken($kafka->('sasl.password'), 'RatingsKafka sasl.password in a file');
    $write->("s3cr3t\n", 0644);
    refused("# s3cr3t\n" . $kafka->('sasl.password'), 'RatingsKafka: a file that others may read', qr/RatingsKafka sasl\.password: file:\S+: others than its owner/);
    refused("${backends}RatingsKafka sasl.password file:s3cr3t\n", 'RatingsKafka: a file without a path', qr/RatingsKafka sasl\.password: it takes file: and the absolute path of a file/);
}
refused("${backends}RatingsKafka linger.ms\n", 'RatingsKafka without a value', qr/RatingsKafka takes two arguments/);
refused("${backends}RatingsKafka sasl.password \${RATINGS_TEST_UNSET}s3cr3t\n", 'RatingsKafka sasl.password', qr/RatingsKafka sasl\.password: \S/);

# ---- RatingsEndpoint: names and places ----

# All that its message says it takes: "name", or "name [kind|kind]", which also stands without a kind
my ($takes) = refused("$backends<Location \"/x\">\nRatingsEndpoint x\n</Location>\n", 'RatingsEndpoint x') =~ /it takes (.*, or \w+)/;
my @endpoints = map { my ($name, $kinds) = /^(\w+)(?: \[(.*)\])?$/; ($name, map { "$name $_" } split /\|/, $kinds // '') } split /, (?:or )?/, $takes // '';
is_deeply([ grep { /^(?:ratings|mine|health|health live|none)$/ } @endpoints ], [ 'ratings', 'mine', 'health', 'health live', 'none' ], 'its message names the endpoints');
taken("$backends<Location \"/x\">\nRatingsEndpoint $_\n</Location>\n", "RatingsEndpoint $_") for @endpoints;
refused("$backends<Location \"/x\">\nRatingsEndpoint $_\n</Location>\n", "RatingsEndpoint $_", qr/RatingsEndpoint: '\Q$_\E' is not allowed: it takes ratings, mine, talks, metadata/)
    for 'rating', 'health dead', 'ratings live', 'none live';
for my $section (qw(Directory Files)) {
    refused("$backends<$section \"/x\">\nRatingsEndpoint ratings\n</$section>\n", "RatingsEndpoint in $section", qr/RatingsEndpoint (not allowed|cannot occur)/);
}
for my $section ('If "true"', 'Limit GET', 'LimitExcept GET') {
    my ($name) = split ' ', $section;
    refused("$backends<Location \"/x\">\n<$section>\nRatingsEndpoint ratings\n</$name>\n</Location>\n", "RatingsEndpoint in $name of a Location", qr/RatingsEndpoint (not allowed|cannot occur)/);
}
{
    my $conf = "$backends<Proxy \"http://x/\">\nRatingsEndpoint ratings\n</Proxy>\n";
    my ($code, $output) = own_httpd(name => 'configtest-proxy', modules => RatingsTest::Httpd::load('proxy'), conf => $conf)->configtest;
    ok($code != 0 && $output =~ /RatingsEndpoint cannot occur within <Proxy> section/, 'refused: RatingsEndpoint in Proxy') or diag($output);
}
taken("$backends<LocationMatch \"^/\$\">\nRatingsEndpoint metadata\n</LocationMatch>\n", 'RatingsEndpoint in LocationMatch');
refused("$backends<Location \"/x\">\nRatingsStore redis://h\n</Location>\n", 'RatingsStore in a Location', qr/RatingsStore not allowed/);

# ---- RatingsHide ----

{
    my $location = sub { "$backends<$_[1]>\nRatingsHide $_[0]\n</" . ($_[1] =~ /^(\w+)/)[0] . ">\n" };
    taken($location->($_, 'Location "/x"'), "RatingsHide $_") for qw(never until-closed below=1 below=1000000 Until-Closed Below=7);
    for my $value (qw(always until below below= below=0 below=-1 below=01 below=1000001 below=3x below=99999999999999999999 below:3 3)) {
        refused($location->($value, 'Location "/x"'), "RatingsHide $value", qr/RatingsHide: '\Q$value\E' is not allowed: it takes never, until-closed, or below=N with a whole number N from 1 to 1000000/);
    }
    refused($location->('', 'Location "/x"'), 'RatingsHide without a value', qr/RatingsHide takes one argument/);
    taken($location->('below=3', 'LocationMatch "^/x$"'), 'RatingsHide in LocationMatch');
    refused($location->('never', qq($_ "/x")), "RatingsHide in $_", qr/RatingsHide (not allowed|cannot occur)/) for qw(Directory Files);
    refused("${backends}RatingsHide never\n", 'RatingsHide in no section', qr/RatingsHide (not allowed|cannot occur)/);
    for my $section ('If "true"', 'Limit GET') {
        my ($name) = split ' ', $section;
        refused("$backends<Location \"/x\">\n<$section>\nRatingsHide never\n</$name>\n</Location>\n", "RatingsHide in $name of a Location", qr/RatingsHide (not allowed|cannot occur)/);
    }
}

# ---- voters ----

{
    my $file   = "$ENV{TEST_LOGS}/directives.secret";
    my $secret = qq(RatingsVoterSecret "file:$file"\n);
    my $write  = sub { my ($text, $mode) = @_; return write_file($file, $text, $mode // 0600) };
    my $within = sub { return qq(<Location "/ratings">\nRatingsEndpoint ratings\n$_[0]\n</Location>\n) };
    my $good   = 'x' x 32 . "\n";

    $write->($good);
    taken($backends . $secret . $within->("RatingsVoter $_"), "RatingsVoter $_") for qw(off cookie COOKIE expr=%{REMOTE_USER} expr=%{reqenv:OIDC_CLAIM_sub}), q("expr=%{tolower:%{REMOTE_USER}} b");
    refused($backends . $secret . $within->(qq(RatingsVoter "$_")), "RatingsVoter $_", qr/RatingsVoter: '\Q$_\E' is not allowed: it takes off, cookie, or expr=EXPRESSION/)
        for 'on', 'cookies', 'expr=', 'expression=x', 'REMOTE_USER';
    refused($backends . $secret . $within->('RatingsVoter expr=%{NO_SUCH_VARIABLE}'), 'an expression that is none', qr/RatingsVoter: the expression '%\{NO_SUCH_VARIABLE\}': \S/);
    refused($backends . $secret . $within->("RatingsVoter expr=$_"), "an expression that makes one voter of all: $_", qr/RatingsVoter: the expression '\Q$_\E': it is the same for all requests/)
        for 'REMOTE_USER', '{REMOTE_USER}', '%REMOTE_USER';
    refused($backends . $secret . $within->('RatingsVoter expr=${RATINGS_TEST_UNSET}'), 'an expression with a variable that is not set', qr/RatingsVoter: .*a variable in it is neither/);
    for my $flag (qw(On Off)) { taken($backends . $within->("RatingsVoterRequired $flag"), "RatingsVoterRequired $flag") }
    refused($backends . $within->('RatingsVoterRequired maybe'), 'RatingsVoterRequired maybe', qr/RatingsVoterRequired must be On or Off/);
    taken($backends . $within->("RatingsVoterRate $_"), "RatingsVoterRate $_") for qw(off Off 1/1 10/60 1000000/86400);
    refused($backends . $within->("RatingsVoterRate $_"), "RatingsVoterRate $_",
        qr{RatingsVoterRate: '\Q$_\E' is not allowed: it takes off, or COUNT/SECONDS with whole numbers, COUNT from 1 to 1000000 and SECONDS from 1 to 86400})
        for qw(on 10 0/60 10/0 1000001/60 10/86401 10/1min 10/60/60 1.5/60);
    taken($backends . $within->("RatingsOrigin $_"), "RatingsOrigin $_") for 'none', 'https://a.example', 'https://a.example http://localhost:3000', "capacitor://localhost\nRatingsOrigin https://a.example";
    refused($backends . $within->("RatingsOrigin $_"), "RatingsOrigin $_", qr/RatingsOrigin: '\Q$_\E' is not allowed: it takes none, or origins as browsers write them/)
        for qw(* null a.example https://a.example/ https://A.example https://a.example:443);
    for my $line ('RatingsVoter cookie', 'RatingsVoterRequired On', 'RatingsVoterRate 10/60', 'RatingsOrigin none') {
        my ($directive) = split ' ', $line;
        refused("$backends$secret$line\n", "$line outside of a Location", qr/$directive not allowed/);
        refused("$backends$secret<Directory \"/x\">\n$line\n</Directory>\n", "$line in a Directory", qr/$directive (not allowed|cannot occur)/);
        refused($backends . $secret . $within->("<If \"true\">\n$line\n</If>"), "$line in an If", qr/$directive (not allowed|cannot occur)/);
    }

    # the secret
    refused($backends . $within->('RatingsVoter cookie'), 'voters without a secret', qr/RT0111: RatingsVoter at \S+:\d+ needs RatingsVoterSecret, which is not set/);
    refused($backends . $host->(81, $within->('RatingsVoter cookie')), 'voters without a secret in a virtual host', qr/RT0111/);
    taken($backends . $within->('RatingsVoter off'), 'no voters and no secret');
    taken($backends . $secret . $host->(81, $within->('RatingsVoter cookie')), 'a virtual host inherits the secret');
    refused($backends . $secret . $host->(81, "RatingsVoterSecret file:/etc/hostname\n"), 'a virtual host with another secret and the same backends', qr/RT0103: RatingsVoterSecret differs|RT0110/);
    refused($backends . qq(RatingsVoterSecret "$_"\n), "RatingsVoterSecret $_", qr/RatingsVoterSecret: it takes file: and the absolute path of a file/) for $file, 'file:x', 'x' x 40;
    for (
        [ 'a missing file',             qr/No such file or directory/ ],
        [ 'a short one',                qr/it is shorter than 32 bytes/,  'x' x 31 . "\n" ],
        [ 'a long one',                 qr/it is longer than 1024 bytes/, 'x' x 1025 ],
        [ 'one that others may read',   qr/others than its owner and group may read or write it/, $good, 0604 ],
        )
    {
        my ($name, $pattern, $text, $mode) = @$_;
        unlink $file;
        $write->($text, $mode) if defined $text;
        my $said = refused($backends . $secret . $within->('RatingsVoter cookie'), "RatingsVoterSecret: $name", qr/RT0110: RatingsVoterSecret file:\S+: $pattern/);
        unlike($said, qr/xxxx/, 'and nothing of it is shown');
    }
}

# ---- virtual hosts ----

taken($backends . $endpoint . $host->(81, '') . $host->(82, "RatingsBodyLimit 100\nRatingsVisibilityTimeout 2\n"), 'virtual hosts that inherit');
taken($backends . $endpoint . $host->(81, $backends =~ s{(RatingsStore .*)"}{$1/9"}r . "RatingsTopic other\n"), 'a virtual host with a store and a topic of its own');
refused($backends . $endpoint . $host->(81, "RatingsTopic other\n"), 'the same store for another topic', qr/RT0104: RatingsStore is also that of a server with another/);
refused($backends . $host->(81, "RatingsStream other:9092\n"), 'the same store for another stream', qr/RT0104/);
for my $line ('RatingsStatsHeader X-Key a', 'RatingsStorePool 3', 'RatingsLease 2', 'RatingsTalksTimeout 2', 'RatingsRankingPrior 1,1,1,1,1') {
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
    write_file("$ENV{TEST_LOGS}/htaccess/htdocs/.htaccess", "RatingsEndpoint ratings\n");
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

finish();
