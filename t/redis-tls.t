# Redis by TLS, of the service and of ratingsctl: whom they trust and whom not, what the log says of each refusal, files that are
# read again by a graceful restart, a server that restarts, and a failover by a sentinel that speaks TLS as well.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path);
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::RedisServer ();

my $patience = 30;
my $files    = "$ENV{TEST_LOGS}/redis-tls";
my $topic    = 'ratings-redis-tls-' . int(time) . "-$$";
my @user     = qw(ACL SETUSER ratings on >p@ss ~* +@all);
my $port     = $ENV{HTTP_PORT} + 10;

# ---- certificates ----

make_path($files);
my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes);

sub openssl {
    my @words = @_;
    my $run = run_program('openssl', @words);
    return $run->{code} == 0 || BAIL_OUT(transcript($run));
}

sub authority {
    my ($name) = @_;
    return openssl(qw(req -x509), @key, qw(-days 2 -keyout), "$files/$name.key", '-out', "$files/$name.pem", '-subj', "/CN=$name");
}

sub certificate {
    my ($authority, $name, $for, $days) = @_;
    my $path = "$files/$name";
    openssl('req', @key, '-keyout', "$path.key", '-out', "$path.csr", '-subj', "/CN=$name");
    write_file("$path.ext", "subjectAltName=$for\n");
    return openssl(qw(x509 -req -in), "$path.csr", '-CA', "$files/$authority.pem", '-CAkey', "$files/$authority.key", '-CAcreateserial',
        '-days', $days // 2, '-extfile', "$path.ext", '-out', "$path.pem");
}

authority($_) for qw(ours theirs);
certificate(ours   => 'server',    'IP:127.0.0.1');
certificate(ours   => 'elsewhere', 'DNS:redis.example.org');
certificate(ours   => 'expired',   'IP:127.0.0.1', 0);
certificate(ours   => 'client',    'DNS:client');
certificate(theirs => 'stranger',  'DNS:client');

# ---- one Redis, which has a port of TLS ----

sub tls_options { my ($tls_port, $clients) = @_; return (
    'tls-port' => $tls_port, 'tls-cert-file' => "$files/server.pem", 'tls-key-file' => "$files/server.key",
    'tls-ca-cert-file' => "$files/ours.pem", 'tls-auth-clients' => $clients) }

sub as_arguments { my @words = @_; return [ map { $_ % 2 ? $words[$_] : "--$words[$_]" } 0 .. $#words ] }

sub start_redis { my ($redis) = @_; $redis->start->call(@user); return $redis }

my $redis = start_redis(RatingsTest::RedisServer->new(directory => "$files/redis", port => $port, arguments => as_arguments(tls_options($port + 1, 'no'))));
my $place = '127.0.0.1:' . ($port + 1);
my %good  = (url => "rediss://ratings:p%40ss\@$place/3", ca => "$files/ours.pem");

# The certificate that it shows, and whether it wants one of clients.
sub serve {
    my ($certificate, $clients) = @_;
    return $redis->call(qw(CONFIG SET), 'tls-cert-file' => "$files/$certificate.pem", 'tls-key-file' => "$files/$certificate.key", 'tls-auth-clients' => $clients // 'no');
}

# ---- the service, and ratingsctl as it is set ----

my %directive = (ca => 'CA', certificate => 'Certificate', key => 'Key', name => 'Name');

sub conf_of {
    my (%set) = @_;
    return qq(RatingsTalks "\${TALKS_CONNECTION}"\nRatingsStore "$set{url}"\nRatingsStream "\${STREAMS_CONNECTION}"\nRatingsStats "\${RATINGS_LAMBDA_URL}"\n)
        . join('', map { qq(RatingsStoreTLS$directive{$_} "$set{$_}"\n) } grep { $set{$_} } sort keys %directive)
        . "RatingsTopic $topic\nRatingsCacheTTL 0s\nRatingsStoreTimeout 500ms\n" . RatingsTest::Httpd::locations();
}

sub ctl {
    my ($command, %set) = @_;
    return run_program($ENV{RATINGSCTL}, $command, qw(--timeout 2 --topic), $set{topic} // $topic, '--store', $set{url},
        map { ("--store-$_", $set{$_}) } grep { $set{$_} } sort keys %directive);
}

my $httpd = own_httpd(name => 'redis-tls', conf => conf_of(%good));
$httpd->expect_log(qr/RT030[1259]: /, qr/RT0310: /, qr/RT0501: /, qr/RT020[1-4]: /, qr/RT0208: /)->start;
my @at    = (port => $httpd->port);
my $talk  = new_talk();
my $taken = 0;

sub reason { my $answer = get('/readyz', @at); return $answer->status == 200 ? 'ready' : json($answer->body)->{backends}{store}{reason} // '' }

sub expect_well {
    my ($name) = @_;
    ok(wait_until(sub { reason() eq 'ready' }, $patience), "$name: ready") or diag(get('/readyz', @at)->body);
    is(rate($talk, 4, @at)->status, 200, "$name: a rating is visible");
    $taken++;
    my $counted;
    ok(wait_until(sub { $counted = (histogram_of($talk, @at) // {})->{ratings}{4} // 0; $counted == $taken }, $patience), "$name: $taken ratings are counted")
        or diag($counted // 'none');
    return;
}

# Until no child of before can answer.
sub restart_as {
    my (%set) = @_;
    my %old = map { $_ => 1 } $httpd->children;
    $httpd->configure(conf => conf_of(%set));
    $httpd->signal('USR1');
    return wait_until(sub { !grep { $old{$_} } $httpd->children }, $patience);
}

expect_well('by TLS');
is(json(get('/', @at)->body)->{metadata}{ratings}, "rediss://ratings:***\@$place/3", 'the metadata show the place, and no password');
for my $command ('status', 'audit') {
    my $run = ctl($command, %good);
    is($run->{code}, 0, "ratingsctl $command") or diag(transcript($run));
}

{
    my $report = check_report($httpd->{config});
    is(check_finding($report, 'store', $_)->{verdict}, 'ok', "ratingsctl check: $_") or diag($report->{transcript}) for qw(connection settings rights contents);
}

# ---- refusals ----

my %client  = (certificate => "$files/client.pem",   key => "$files/client.key");
my %unknown = (certificate => "$files/stranger.pem", key => "$files/stranger.key");
my $untrusted = "the store's certificate is refused: correct it, RatingsStoreTLSCA or RatingsStoreTLSName";
my $unknown   = qr/self.signed certificate in certificate chain|unable to get local issuer certificate/;
my $client    = "the store wants a client's certificate, or another: correct RatingsStoreTLSCertificate";

for (
    [ 'another authority', [ 'server' ], { ca => "$files/theirs.pem" }, $untrusted, $unknown ],
    [ 'the authorities of the system', [ 'server' ], { ca => undef }, $untrusted, $unknown ],
    [ 'a certificate of another host', [ 'elsewhere' ], {}, $untrusted, qr/IP address mismatch/ ],
    [ 'a certificate of another name', [ 'server' ], { name => 'redis.example.org' }, $untrusted, qr/[Hh]ostname mismatch/ ],
    [ 'an expired certificate', [ 'expired' ], {}, $untrusted, qr/certificate has expired/ ],
    [ "no client's certificate", [ 'server', 'yes' ], {}, $client, qr/TLS: |closed|reset/ ],
    [ "a stranger's certificate", [ 'server', 'yes' ], \%unknown, $client, qr/TLS: |closed|reset/ ],
    [ 'no TLS there', [ 'server' ], { url => "rediss://ratings:p%40ss\@127.0.0.1:$port/3" }, qr/cannot be reached|speaks no TLS/,
        qr/in the handshake of TLS, which the server may not speak|wrong version number/, qr/timed out|no answer|wrong version number/ ],
    [ 'TLS there alone', [ 'server' ], { url => "redis://ratings:p%40ss\@$place/3", ca => undef }, qr/by rediss:\/\/ if it wants TLS/, qr/hangs up/, qr/closed|reset/ ],
    )
{
    my ($name, $server, $set, $shown, $logged, $told) = @$_;
    my %set = (%good, %$set);
    my $log_ends = () = $httpd->log->lines;
    serve(@$server);
    is(restart_as(%set), 1, "$name: a graceful restart");
    ok(wait_until(sub { my $reason = reason(); ref $shown ? $reason =~ $shown : $reason eq $shown }, $patience), "$name: not ready, for that reason")
        or diag(get('/readyz', @at)->body);
    my $status = rate($talk, 4, @at)->status; # another url is another store, of which is not known by how many partitions it routes
    is($status, $set->{url} ? 503 : 202, "$name: a rating is recorded, if it can be");
    $taken++ if $status == 202;
    my @new;
    ok(wait_until(sub { @new = $httpd->log->lines; splice @new, 0, $log_ends; grep { /RT\d{4}: .*$logged/ } @new }, $patience), "$name: the log says why")
        or diag(join "\n", grep { /RT/ } @new);
    my $run = ctl('status', %set);
    ok($run->{code} == 2 || $run->{code} == 1, "$name: so does ratingsctl") or diag(transcript($run));
    like($run->{out} . $run->{err}, $told // $logged, 'with the reason');
}

# A configuration that httpd does not run with.
{
    serve('server');
    my $config  = RatingsTest::Httpd->new(name => 'redis-tls-check', conf => conf_of(%good, ca => "$files/theirs.pem"))->{config};
    my $report  = check_report($config);
    my $finding = check_finding($report, 'store', 'connection');
    ok($report->{code} == 1 && $finding->{verdict} eq 'fail' && $finding->{text} =~ $unknown, 'another authority: ratingsctl check names the cause') or diag($report->{transcript});
    unlike($report->{transcript}, qr/p%40ss|p\@ss/, 'without the password');
}

for (
    [ 'a name of its own', [ 'elsewhere' ], { name => 'redis.example.org' } ],
    [ "a client's certificate", [ 'server', 'yes' ], \%client ],
    )
{
    my ($name, $server, $set) = @$_;
    serve(@$server);
    restart_as(%good, %$set);
    expect_well($name);
    my $run = ctl('audit', %good, %$set);
    is($run->{code}, 0, "$name: ratingsctl audit") or diag(transcript($run));
}

# ---- files are read again; the server restarts ----

my %moving = (%good, ca => "$files/moving.pem");
copy("$files/ours.pem", $moving{ca});
serve('server');
restart_as(%moving);
expect_well('a file that will change');
copy("$files/theirs.pem", $moving{ca});
is($httpd->signal('USR1'), 1, 'a graceful restart after the authority has changed');
ok(wait_until(sub { reason() eq $untrusted }, $patience), 'the file was read again') or diag(reason());
copy("$files/ours.pem", $moving{ca});
$httpd->signal('USR1');
expect_well('changed back');

$redis->stop;
ok(wait_until(sub { reason() ne 'ready' }, $patience), 'not ready without Redis');
is(rate($talk, 4, @at)->status, 202, 'a rating is recorded');
$taken++;
start_redis($redis);
expect_well('after a restart of Redis');

# ---- what configtest says ----

for (
    [ 'a file that is missing', { ca => "$files/nowhere" }, qr/RT0121: RatingsStore cannot be asked by TLS: \S+nowhere: No such file or directory/ ],
    [ 'a file that holds none', { ca => "$files/client.key" }, qr/RT0121: .*client\.key: / ],
    [ 'a certificate without its key', { certificate => "$files/client.pem" }, qr/RT0121: .*client\.pem: a certificate needs its key/ ],
    [ 'a key of another', { certificate => "$files/client.pem", key => "$files/server.key" }, qr/RT0121: .*server\.key: key values mismatch/ ],
    [ 'settings without TLS', { url => "redis://ratings:p%40ss\@$place/3" }, qr/RT0122: RatingsStoreTLSCA is set/ ],
    )
{
    my ($name, $set, $pattern) = @$_;
    my ($code, $output) = own_httpd(name => 'redis-tls-configtest', conf => conf_of(%good, %$set))->configtest;
    ok($code != 0, "refused: $name");
    like($output, $pattern, 'with the reason');
    unlike($output, qr/p%40ss|p\@ss/, 'and no password');
}

# ---- by a sentinel ----

my $sentinel_topic = "$topic-sentinel";
my @servers = map { start_redis(RatingsTest::RedisServer->new(directory => "$files/monitored-$_", port => $port + 2 * $_,
    arguments => as_arguments(tls_options($port + 2 * $_ + 1, 'no'), 'tls-replication' => 'yes'))) } 1, 2;
$servers[1]->call('REPLICAOF', '127.0.0.1', $port + 3);
my %line = (tls_options($port + 7, 'no'), 'tls-replication' => 'yes');
my $sentinel = RatingsTest::RedisServer->new(directory => "$files/sentinel", port => $port + 6, monitors => [
    (map { "$_ $line{$_}" } sort keys %line), "sentinel monitor ratings 127.0.0.1 @{[ $port + 3 ]} 1",
    'sentinel down-after-milliseconds ratings 500', 'sentinel failover-timeout ratings 3000' ])->start;
ok(wait_until(sub { $sentinel->call(qw(SENTINEL replicas ratings))->[0] }, $patience), 'a sentinel knows a replica by TLS');
my %named = (url => "rediss+sentinel://ratings:p%40ss\@127.0.0.1:@{[ $port + 7 ]}/ratings/3", ca => "$files/ours.pem", topic => $sentinel_topic);
sub master { return $sentinel->call(qw(SENTINEL get-master-addr-by-name ratings))->[1] }

$topic = $sentinel_topic;
$taken = 0;
$talk  = new_talk();
restart_as(%named);
expect_well('by a sentinel');
is(json(get('/', @at)->body)->{metadata}{ratings}, $named{url} =~ s/p%40ss/***/r, 'the metadata show the sentinel, and no password');
my $before = master();
my ($old) = grep { $_->port + 1 == $before } @servers;
$old->stop;
ok(wait_until(sub { master() != $before }, $patience, 0.02), 'another master is named');
my $begun = time;
ok(wait_until(sub { my $status = rate($talk, 4, @at)->status; $taken++ if $status == 200 || $status == 202; $status == 200 }, $patience, 0.05),
    'and ratings are visible again') or diag(get('/readyz', @at)->body);
my $took = time - $begun;
ok($took < (sanitized() ? 9 : 3), sprintf 'after %.2f s', $took);
expect_well('after the failover');
my $run = ctl('audit', %named);
is($run->{code}, 0, 'ratingsctl audit finds the new master') or diag(transcript($run));
$run = ctl('status', %named, ca => "$files/theirs.pem");
like($run->{out} . $run->{err}, qr/a sentinel of .*$unknown/, 'which it looks for at a sentinel that it trusts');

$httpd->stop;
is_deeply([ grep { /p%40ss|p\@ss|PRIVATE KEY/ } $httpd->log->lines ], [], 'no line of the log has the password');
$_->stop for $redis, @servers, $sentinel;
finish();
