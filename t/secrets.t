# Each place where a connection string or a property can hold a secret, in each spelling, given by the directive, the
# environment or a file; and each way out, while everything fails: no answer, no line of a log, no word of httpd or
# ratingsctl and no title of a process shows it. What is not secret is shown as it was configured.
use strict;
use warnings;
use MIME::Base64 qw(encode_base64);
use Test::More;
use RatingsTest '-alone';
use RatingsTest::Tool ();

my $secret = 'S3cret-w0rd';

# Letters and digits stay what they are, however a secret is written: so these are found wherever a part of it is.
my ($head, $tail) = qw(k7tQvBn r9LpXwe);
my %raw = (plain => "S$head-$tail", hard => qq(S$head\@:/%?#&='"\\ \$+$tail));
my $found = join '|', $head, $tail, map { quotemeta substr encode_base64("u:$_", ''), 4, 12 } values %raw;
sub shows { return scalar grep { /$found/ } @_ }

# How a secret is written: {S} as it is, {U} in a URL, {N} in a URL with a needless escape, {Q} quoted for libpq, {B} with backslashes.
my %written = (
    S => $raw{plain},
    U => $raw{hard} =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger,
    N => $raw{plain} =~ s/^S/%53/r,
    Q => "'" . $raw{hard} =~ s/(['\\])/\\$1/gr . "'",
    B => $raw{hard} =~ s/(['\\\s])/\\$1/gr,
);
my %directive = (talks => 'RatingsTalks', ratings => 'RatingsStore', ratings_lambda => 'RatingsStats', streams => 'RatingsStream');

# which, what is configured, what the metadata show; {A} is an address, {H} its host, {P} its port; {W} is http://
my @spellings = (
    [ talks => 'postgres://u:{S}@{A}/d?sslmode=disable',         'postgres://u:***@{A}/d?sslmode=disable' ],
    [ talks => 'postgresql://u:{U}@{A}/d',                       'postgresql://u:***@{A}/d' ],
    [ talks => 'postgres://u:{N}@{A},{A}/d',                     'postgres://u:***@{A},{A}/d' ],
    [ talks => 'postgres://u@{A}/d?password=x%40{U}',            'postgres://u:***@{A}/d' ],
    [ talks => 'postgres://{A}/d?user=u&pass%77ord={S}',         'postgres://u:***@{A}/d' ],
    [ talks => 'postgres://u@{A}/d?sslpassword={S}',             'postgres://u@{A}/d?sslpassword=***' ],
    [ talks => "user='u'password={S} host={H} port={P} dbname=d",  'user=u password=*** dbname=d host={H} port={P}' ],
    [ talks => 'user=u password = {Q} host={H} port={P} dbname=d', 'user=u password=*** dbname=d host={H} port={P}' ],
    [ talks => 'password={B} user=u host={H} port={P} dbname=d sslpassword={Q}', undef ],
    [ talks => 'password={S}2 user=u password={S} host={H} port={P} dbname=d', 'user=u password=*** dbname=d host={H} port={P}' ],
    [ ratings => 'redis://:{S}@{A}/15',                          'redis://:***@{A}/15' ],
    [ ratings => 'redis://u:{U}@{A}',                            'redis://u:***@{A}' ],
    [ ratings => 'redis://u:{N}@{A}/',                           'redis://u:***@{A}/' ],
    [ ratings => 'unix://u:{S}@/nowhere/redis?db=15',            'unix://u:***@/nowhere/redis?db=15' ],
    [ ratings => 'unix://:{U}@/nowhere/redis',                   'unix://:***@/nowhere/redis' ],
    [ ratings => 'redis+sentinel://u:{S}@{A},{A}/m/1',           'redis+sentinel://u:***@{A},{A}/m/1' ],
    [ ratings => 'redis+sentinel://:{U}@{A}/m',                  'redis+sentinel://:***@{A}/m' ],
    [ ratings => 'rediss://u:{S}@{A}/15',                        'rediss://u:***@{A}/15' ],
    [ ratings => 'rediss+sentinel://:{U}@{A}/m',                 'rediss+sentinel://:***@{A}/m' ],
    [ ratings_lambda => '{W}{A}/?code={S}',                  '{W}{A}/?code=***' ],
    [ ratings_lambda => '{W}{A}/x?a=b&key={U}&{S}',          '{W}{A}/x?a=***&key=***&***' ],
    [ ratings_lambda => 'http://u:{S}@{A}/',                     'http://u:***@{A}/' ],
    [ ratings_lambda => 'http://u:{U}@{A}/?code={S}',            'http://u:***@{A}/?code=***' ],
    [ ratings_lambda => 'https://u:{S}@{A}/',                    'https://u:***@{A}/' ],
    [ ratings_lambda => '{W}{S}@{A}/',                       'http://***@{A}/' ],
    [ ratings_lambda => '{W}{A}/#{S}',                       '{W}{A}/' ],
);
my ($stack) = $ENV{TALKS_CONNECTION} =~ m{([^@/]+)/[^/]*$};
my ($parrot, $mute, $closed) = map { "127.0.0.1:$_" } map { $ENV{HTTP_PORT} + $_ } 70 .. 72;
my %places = ( # in each of them, everything fails
    login   => { talks => $stack, ratings => $ENV{RATINGS_CONNECTION} =~ m{^redis://([^/]+)}, ratings_lambda => $ENV{RATINGS_LAMBDA_URL} =~ m{//([^/]+)}, streams => $ENV{STREAMS_CONNECTION} },
    map { my ($name, $at) = @$_; $name => { map { $_ => $at } keys %directive } } [ parrot => $parrot ], [ mute => $mute ], [ closed => $closed ],
);
sub fill {
    my ($text, $at) = @_;
    my ($host, $port) = split /:/, $at;
    my %values = (%written, W => 'http://', A => $at, H => $host, P => $port);
    return $text =~ s/\{([A-Z])\}/$values{$1}/gr;
}

# The three ways in which a directive is given a value
sub quoted { my $text = shift; $text =~ s/(["\\])/\\$1/g; return qq("$text") }
my $file_number = 0;
my $written_to;
my %given = (
    directive   => sub { return quoted($_[0]) },
    environment => sub { my $name = 'SECRET_' . ++$file_number; $ENV{$name} = quoted($_[0]) =~ s/^"|"$//gr; return qq("\${$name}") },
    file        => sub { return 'file:' . secret_file('secrets.given-' . ++$file_number, "$_[0]\n") },
);

# The directives of one round; `other`: values of others than the four
sub conf_of {
    my ($source, $strings, %other) = @_;
    my $value = $given{$source};
    my $header = $other{header} // "Bearer $raw{plain}";
    my %kafka = ('security.protocol' => 'SASL_PLAINTEXT', 'sasl.mechanism' => 'PLAIN', 'sasl.username' => 'u', 'sasl.password' => $raw{hard},
        'ssl.key.password' => $raw{plain}, 'ssl.keystore.password' => $raw{hard}, 'sasl.oauthbearer.config' => "principal=$raw{plain}", debug => 'all');
    return join('', map { "$directive{$_} " . $value->($strings->{$_}) . "\n" } sort keys %$strings)
        . join('', map { "RatingsKafka $_ " . $value->($kafka{$_}) . "\n" } sort keys %kafka)
        . 'RatingsStatsHeader X-Stats-Key ' . $value->($header) . "\n"
        . 'RatingsVoterSecret file:' . secret_file('secrets.voters', $raw{hard} x 2) . "\n"
        . ($other{proxy} ? 'RatingsStatsProxy ' . $value->($other{proxy}) . "\n" : '')
        . join('', map { "RatingsStatsTimeout 300ms\nRatingsTalksTimeout 300ms\nRatingsStoreTimeout 300ms\nRatingsStreamTimeout 300ms\nRatingsDeadline 1\nRatingsBreakerFailures 1\nRatingsBreakerCooldown 10ms\n" } 1)
        . "RatingsTopic ratings-secrets\n" . RatingsTest::Httpd::locations()
        . qq(<Location "/server-status">\nSetHandler server-status\n</Location>\nExtendedStatus On\n<Location "/server-info">\nSetHandler server-info\n</Location>\n)
        . qq(CustomLog "$ENV{TEST_LOGS}/secrets.access" "%h %{Host}i \\"%r\\" %U%q %f %s %>s %R %{error-notes}n %L %V"\n);
}

# What is in /proc of a process; undef: it cannot be read
sub proc_of { my ($pid, $name) = @_; return eval { read_file("/proc/$pid/$name") } }
sub httpd_says { my ($httpd, $options) = @_; return scalar qx($ENV{TEST_HTTPD} $options -f $httpd->{config} 2>&1) }

my $birds = RatingsTest::Tool->new(parrot => map { /:(\d+)/ } $parrot, $mute);

# Everything that the service, ratingsctl and httpd say of one configuration
my $number = 0;
sub fails_in_silence {
    my ($place, $source, $strings, $shown, %other) = @_;
    local %ENV = %ENV;
    my $name  = "$place, by $source";
    my $httpd = own_httpd(
        name => 'secrets-' . ++$number, cores => 0, modules => RatingsTest::Httpd::load(qw(status info)), conf => conf_of($source, $strings, %other), after => "LogLevel trace8\n",
    )->expect_log(qr/./);
    # mod_info shows directives with their variables replaced (docs/security.md)
    my %says = map { $_ => httpd_says($httpd, $_) } '-t', '-S', '-M', '-t -D DUMP_RUN_CFG', $source eq 'file' ? '-t -D DUMP_CONFIG' : ();
    is(shows(values %says), 0, "$name: in nothing that httpd says of its configuration") or diag(grep { /$found/ } map { /^.*$/gm } values %says);
    like($says{'-t'}, qr/Syntax OK/, "$name: which it takes");
    $httpd->start;
    my @at = (port => $httpd->port);
    my @pids = $httpd->processes;
    is(shows(map { proc_of($_, 'cmdline') // '', proc_of($_, 'comm') // '' } @pids), 0, "$name: in no title of a process");
    SKIP: {
        skip 'root may read everything', 1 if $> == 0;
        is(scalar(grep { defined proc_of($_, 'environ') } @pids), 0, "$name: who has the same user does not read httpd's environment");
    }
    my $metadata = get('/', @at);
    my $told = json($metadata->body)->{metadata};
    for my $which (sort keys %$shown) { is($told->{$which}, $shown->{$which}, "$name: the metadata show $shown->{$which}") }
    my @answers = ($metadata, map { (get('/ratings?talkId=a', @at), rate('a', 5, @at), get('/ratings/mine?talkId=a', @at), get('/talks', @at), get('/readyz', @at), get('/nothing', @at)) } 1 .. 2);
    is(scalar(grep { $_->status == 503 } @answers[1, 2, 4, 5]), 4, "$name: what needs a backend is refused") or diag(join ' ', map { $_->status } @answers);
    push @answers, map { get('/metrics', @at, headers => [ Accept => $_ ]) } 'text/plain', 'application/openmetrics-text', 'application/json';
    push @answers, map { get($_, @at) } '/server-status', '/server-status?auto', $source eq 'file' ? '/server-info' : ();
    is(shows(map { $_->raw } @answers), 0, "$name: in no answer") or diag(grep { /$found/ } map { $_->raw } @answers);
    ok(wait_until(sub { $httpd->log->has(qr/RT0208|RT020[1-4]/) }, 10), "$name: the log has why");
    $httpd->signal('USR1');
    get('/ratings?talkId=a', @at);
    $httpd->stop;
    is(shows($httpd->log->lines), 0, "$name: not in the log at trace8") or diag((grep { /$found/ } $httpd->log->lines)[0 .. 3]);
    tool_fails_in_silence($name, $source, $strings) if $source ne 'directive';
}

# ratingsctl, whose addresses are in its environment, or in files that this names
sub tool_fails_in_silence {
    my ($name, $source, $strings) = @_;
    my %variable = (talks => 'TALKS_CONNECTION', ratings => 'RATINGS_CONNECTION', ratings_lambda => 'RATINGS_LAMBDA_URL', streams => 'STREAMS_CONNECTION');
    for my $which (keys %$strings) { $ENV{ $variable{$which} } = $source eq 'file' ? 'file:' . secret_file("secrets.tool-$which", "$strings->{$which}\n") : $strings->{$which} }
    my $password = $source eq 'file' ? 'file:' . secret_file('secrets.tool-kafka', $raw{hard}) : $raw{hard};
    my @kafka = ('-X', 'security.protocol=SASL_PLAINTEXT', '-X', 'sasl.mechanism=PLAIN', '-X', 'sasl.username=u', '-X', "sasl.password=$password", '-X', 'debug=all');
    my @runs = map { run_program($ENV{RATINGSCTL}, @$_, '--timeout', 1) } [ 'status', @kafka ], [ 'status', '--json', @kafka ], [ 'talks', 'export' ], [ 'explain', 'a', @kafka ];
    is(scalar(grep { $_->{code} eq 0 } @runs), 0, "$name: ratingsctl fails") or diag(map { transcript($_) } @runs);
    is(shows(map { transcript($_) } @runs), 0, "$name: and shows nothing") or diag(grep { /$found/ } map { transcript($_) } @runs);
}

# Each spelling in each of the three ways, and in each way each place.
my %by_backend;
push @{ $by_backend{ $_->[0] } }, $_ for @spellings;
my @sources = sort keys %given;
for my $round (0 .. 9) {
    for my $turn (0 .. $#sources) {
        my $place = (sort keys %places)[ ($round + $turn) % 4 ];
        my (%strings, %shown);
        for my $which (keys %by_backend) {
            my $row = $by_backend{$which}[ $round % @{ $by_backend{$which} } ];
            my $at  = $places{$place}{$which};
            $strings{$which} = fill($row->[1], $at);
            $shown{$which} = fill($row->[2], $at) if $row->[2];
        }
        $strings{streams} = $shown{streams} = $places{$place}{streams};
        my %other = $round == 0 ? (proxy => fill('http://u:{U}@{A}', $parrot)) : $round == 1 ? (header => $raw{hard}) : ();
        fails_in_silence($place, $sources[$turn], \%strings, \%shown, %other);
    }
}
{
    my @lines = lines_of("$ENV{TEST_LOGS}/secrets.access");
    cmp_ok(scalar(@lines), '>', 300, 'the access log has every request');
    is(shows(@lines), 0, 'and no secret');
}
undef $birds;

# ---- what is refused ----

{
    my %wrong = (
        RatingsTalks => [ "postgres://u:$raw{hard}\@h/d", "host=h password='$raw{plain}", "password=$raw{plain} no", "mysql://u:$raw{plain}\@h/d", "postgres://h/d?passwort=$raw{plain}" ],
        RatingsStore => [ "redis://$raw{plain}\@h", "redis://u:$raw{hard}\@h", "redis://u:%zz$raw{plain}\@h", "unix://u:$raw{plain}\@h/s", "redis+sentinel://u:$raw{plain}\@h", "http://u:$raw{plain}\@h" ],
        RatingsStats => [ "http://u:$raw{plain}\@h:x/", "ftp://u:$raw{plain}\@h/", "http://h:99999/?code=$raw{plain}" ],
        RatingsStatsProxy => [ "http://u:$raw{plain}\@h", "socks5://u:$raw{plain}\@h:1" ],
        RatingsStream => [ "$raw{plain}\@h:9092", "u:$raw{plain}" ],
        'RatingsKafka security.protocol' => [ $raw{plain} ],
        'RatingsKafka linger.ms' => [ $raw{plain} ],
        'RatingsKafka debug' => [ $raw{plain} ],
        'RatingsKafka no.such' => [ $raw{plain} ],
        'RatingsStatsHeader X-Stats-Key' => [ "$raw{plain}\x01", " $raw{plain}", "$raw{plain}\n$raw{plain}", $raw{plain} x 100 ],
        "RatingsStatsHeader $raw{plain}:" => [ 'x' ],
    );
    for my $line (sort keys %wrong) {
        my ($directive) = split ' ', $line;
        for my $value (@{ $wrong{$line} }) {
            for my $source (@sources) {
                next if $value =~ /\n/ && $source ne 'file';
                local %ENV = %ENV;
                my ($code, $said) = own_httpd(name => 'secrets-refused-' . ++$number, conf => "$line " . $given{$source}->($value) . "\n")->configtest;
                my $from = $source eq 'file' && $line !~ /$head/ ? qr{: file:/\S+/secrets\.given-\d+: \S} : qr/: \S/;
                like($said, qr/line \d+ of .*\n$directive\b.*$from/, "refused: " . $line =~ s/$head//r . " by $source") or diag("$code: $said");
                is(shows($said), 0, 'and not shown') or diag($said);
            }
        }
    }
    # what librdkafka takes one by one, and refuses together
    for (
        { 'security.protocol' => 'ssl', 'ssl.key.pem' => "$raw{plain}\n$raw{plain}", 'ssl.key.password' => $raw{hard} },
        { 'security.protocol' => 'ssl', 'ssl.keystore.location' => '/etc/passwd', 'ssl.keystore.password' => $raw{plain} },
        { 'security.protocol' => 'sasl_plaintext', 'sasl.mechanisms' => 'OAUTHBEARER', 'sasl.oauthbearer.config' => "scope=$raw{plain} extension_$raw{plain}" },
        { 'security.protocol' => 'sasl_plaintext', 'sasl.mechanisms' => 'SCRAM-SHA-256', 'sasl.password' => $raw{plain} },
        )
    {
        my %property = %$_;
        my $conf = RatingsTest::Httpd::backends() . join '', map { "RatingsKafka $_ " . $given{file}->($property{$_}) . "\n" } sort keys %property;
        my $httpd = own_httpd(name => 'secrets-refused-' . ++$number, conf => $conf)->expect_log(qr/RT0106: /);
        my ($code, $said) = $httpd->configtest;
        isnt($code, 0, 'refused together: ' . join ' ', sort keys %property) or diag($said);
        is(shows($said, $httpd->log->lines), 0, 'and not shown') or diag($said, $httpd->log->lines);
    }
    my $path = "$ENV{TEST_LOGS}/secrets.wrong";
    for (
        [ 'another may read it', "redis://:$raw{plain}\@h",   qr/others than its owner and group may read or write it/, 0604 ],
        [ 'it is empty',         "\n",                        qr/it is empty/ ],
        [ 'it has a zero byte',  "redis://:$raw{plain}\0\@h", qr/it has a byte of zero/ ],
        [ 'it is too long',      $raw{plain} x 1100,          qr/it is longer than 16383 bytes/ ],
        [ 'it is not there',     undef,                       qr/No such file or directory/ ],
        [ 'it is no path',       undef,                       qr/it takes file: and the absolute path of a file/ ],
        )
    {
        my ($name, $text, $why, $mode) = @$_;
        my $value = $name =~ /no path/ ? "file:$raw{plain}" : "file:$path";
        unlink $path;
        write_file($path, $text, $mode // 0600) if defined $text;
        for my $line ('RatingsTalks', 'RatingsStore', 'RatingsStream', 'RatingsStats', 'RatingsStatsProxy', 'RatingsStatsHeader X-Key', 'RatingsKafka sasl.password') {
            my ($code, $said) = own_httpd(name => 'secrets-refused-' . ++$number, conf => "$line \"$value\"\n")->configtest;
            my ($directive) = split ' ', $line;
            like($said, qr/^$directive\b.*: $why/m, "$line: $name");
            is(shows($said), 0, 'and not shown') or diag($said);
        }
        local $ENV{RATINGS_CONNECTION} = $value;
        my $run = run_program($ENV{RATINGSCTL}, 'rebuild', '--yes', '--timeout', 1);
        like(transcript($run), qr/^exit code 2\n.*the file of the address of the store: $why/s, "ratingsctl: $name");
        is(shows(transcript($run)), 0, 'and not shown') or diag(transcript($run));
        $run = run_program($ENV{RATINGSCTL}, 'explain', 'a', '--brokers', '127.0.0.1:1', '--store', 'redis://127.0.0.1:1', '-X', "sasl.password=$value", '--timeout', 1);
        like(transcript($run), qr/^exit code 2\n.*the file of -X sasl\.password: $why/s, "ratingsctl -X: $name");
        is(shows(transcript($run)), 0, 'and not shown') or diag(transcript($run));
    }
}

# ---- what works ----

# All four are in files, and change by a graceful restart.
{
    my %right = (talks => $ENV{TALKS_CONNECTION}, ratings => "$ENV{RATINGS_CONNECTION}/14", ratings_lambda => $ENV{RATINGS_LAMBDA_URL}, streams => $ENV{STREAMS_CONNECTION});
    my $write = sub { my (%strings) = (%right, @_); return map { $_ => secret_file("secrets.own-$_", "$strings{$_}\n") } keys %strings };
    my %file  = $write->(talks => "postgres://u:$raw{plain}\@$stack/d", ratings => "redis://u:$raw{plain}\@$closed");
    my $httpd = own_httpd(name => 'secrets-rotated', conf => join('', map { "$directive{$_} file:$file{$_}\n" } sort keys %file)
            . "RatingsTopic ratings-secrets-own\nRatingsKafka client.id file:" . secret_file('secrets.client', 'of the test') . "\n" . RatingsTest::Httpd::locations(),
        after => "LogLevel trace8\n", database => 14)->expect_log(qr/./)->start;
    my @at = (port => $httpd->port);
    is(get('/ratings?talkId=a', @at)->status, 503, 'in files, and wrong');
    $write->();
    $httpd->signal('USR1');
    my $talk = new_talk();
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 30), 'a graceful restart reads the files anew: rated');
    is(total(histogram_of($talk, @at) // {}), 1, 'and counted');
    local %ENV = (%ENV, TALKS_CONNECTION => "file:$file{talks}", STREAMS_CONNECTION => "file:$file{streams}");
    my $run = run_program($ENV{RATINGSCTL}, qw(audit --topic ratings-secrets-own --store), "file:$file{ratings}", '-X', "client.id=file:$ENV{TEST_LOGS}/secrets.client");
    is($run->{code}, 0, 'ratingsctl reads them, too') or diag(transcript($run));
    $run = run_program($ENV{RATINGSCTL}, qw(status --topic ratings-secrets-own --store), "file:$file{ratings}", '--stats', "file:$file{ratings_lambda}");
    is(scalar(() = $run->{out} =~ /reached in/g), 4, 'of all four') or diag(transcript($run));
    secret_file('secrets.own-ratings', "redis://u:$raw{plain}\@");
    my ($code, $said) = $httpd->configtest;
    isnt($code, 0, 'a file that is wrong is found before a restart');
    unlike($said, qr/$found/, 'and not shown');
    $httpd->stop;
    is(shows($httpd->log->lines), 0, 'neither password is in the log');
}

# A core holds all of them: there is none unless CoreDumpDirectory asks for it, which httpd then writes.
SKIP: {
    skip 'a sanitizer catches the signal', 4 if sanitized();
    for my $asked (0, 1) {
        local $ENV{TEST_HTTPD} = "ulimit -c unlimited 2>/dev/null; $ENV{TEST_HTTPD}";
        my $httpd = own_httpd(name => "secrets-core-$asked", cores => $asked)->expect_log(qr/exit signal Segmentation fault/)->start;
        ok(wait_ready(port => $httpd->port), 'ready');
        my ($child) = $httpd->children;
        kill 'SEGV', $child;
        ok(wait_until(sub { $httpd->log->has(qr/exit signal Segmentation fault/) }, 20), 'a child crashes');
        my $dumped = $httpd->log->has(qr/possible coredump in/) ? 1 : 0;
        if   ($asked) { note 'with CoreDumpDirectory: ' . ($dumped ? 'a core' : 'none, as the kernel is set') }
        else          { is($dumped, 0, 'and leaves no core') }
        $httpd->stop;
        unlink glob "$ENV{TEST_LOGS}/secrets-core-$asked/core*";
    }
}

{
    my %given = (streams => $closed, ratings => "redis://u:$secret\@$closed/15", talks => "user='u'password=$secret host=127.0.0.1 port=1 dbname=d", ratings_lambda => "http://$closed/?code=$secret");
    my $httpd = own_httpd(name => 'secrets-shown', conf => conf_of('file', \%given) . "RatingsMetadataSecrets On\n")->expect_log(qr/./)->start;
    my $metadata = get('/', port => $httpd->port);
    is_deeply({ %{ json($metadata->body)->{metadata} }{ keys %given } }, \%given, 'RatingsMetadataSecrets On: all as the files have it') or diag($metadata->body);
    $httpd->stop;
}

# The header of a file: new after a graceful restart, and not shown by one that fails.
{
    my $file  = "$ENV{TEST_LOGS}/secrets.header";
    my $write = sub { return write_file($file, $_[0], 0600) };
    $write->("$secret\n");
    my $function = RatingsTest::Tool->new('function', $ENV{HTTP_PORT} + 8);
    local $ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:@{[ $ENV{HTTP_PORT} + 8 ]}/key";
    my $httpd = own_httpd(name => 'secrets-header', before => "RatingsStatsHeader X-Stats-Key \"file:$file\"\nRatingsStatsMemo Off\n",
        topic => 'ratings-secrets-own', database => 14, after => "LogLevel trace8\n")->expect_log(qr/RT0209: .*status 403|RT0204: |RT0305: |RT030[12]: |RT0501: |AH0002[0-9]/)->start;
    my @at   = (port => $httpd->port);
    my $talk = new_talk();
    my $has_stats = sub { return exists json(get("/ratings?talkId=$talk", @at)->body)->{stats} };
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 20), 'a header that the function does not know: rated');
    ok(!$has_stats->(), 'and without statistics');
    $write->("of the test\n");
    $httpd->signal('USR1');
    ok(wait_until($has_stats, 20), 'a graceful restart reads the file anew: with statistics');
    $write->("$secret\x01\n");
    my ($code, $said) = $httpd->configtest;
    isnt($code, 0, 'a value that is none is refused');
    like($said, qr/RatingsStatsHeader: file:\S+: its value has a byte/, 'with the name of the file');
    unlike($said, qr/\Q$secret/, 'and nothing of it');
    $httpd->stop;
    is_deeply([ grep { /\Q$secret\E|of the test/ } $httpd->log->lines ], [], 'neither value is in the log at trace8');
}

# Signed calls: what httpd's environment and a metadata service give.
{
    my $directory = "$ENV{TEST_LOGS}/secrets-aws";
    my $port      = $ENV{HTTP_PORT} + 8;
    my $write     = sub { my ($name, $text) = @_; return write_file("$directory/$name", $text) };
    my $events    = sub { return scalar grep { /$_[0]/ } lines_of("$directory/events") };
    mkdir $directory;
    $write->(mode => 'ok 5 0');
    my $stub = RatingsTest::Tool->new(aws => $directory, $port);
    local %ENV = (%ENV, RATINGS_LAMBDA_URL => "http://127.0.0.1:$port/signed", AWS_EC2_METADATA_DISABLED => 'true', HOME => '/no/such');
    my @log  = (qr/RT0209: |RT0204: |RT0305: |RT030[12]: |RT0501: /, qr/RT021[01]: /);
    my %more = (topic => 'ratings-secrets-own', database => 14, before => "RatingsStatsAuth aws-sigv4:eu-central-1\nRatingsStatsMemo Off\n", after => "LogLevel trace8\n");
    my $with = sub {
        my ($name, $do) = @_;
        my $httpd = own_httpd(name => "secrets-aws-$name", %more)->expect_log(@log)->start;
        my @at    = (port => $httpd->port);
        my $talk  = new_talk();
        my $has_stats = sub { return exists json(get("/ratings?talkId=$talk", @at)->body)->{stats} };
        ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 20), "$name: rated");
        $do->($httpd, $has_stats);
        my @answers = map { get($_, @at) } '/', '/readyz';
        is(scalar(grep { $_->raw =~ /of\+the=session|\Q$secret\E|secret\d|token\dxx/ } @answers), 0, "$name: in no answer");
        $httpd->stop;
        is_deeply([ grep { m{of\+the=session|\Q$secret\E|secret\d|token\dxx|of-the-session} } $httpd->log->lines ], [], "$name: not in the log at trace8");
        return $httpd;
    };
    my ($code, $said) = own_httpd(name => 'secrets-aws-none', %more)->configtest;
    like($said, qr/RT0115: RatingsStatsAuth aws-sigv4:eu-central-1: the credentials of AWS: there are none/, 'no credentials: httpd does not start');
    {
        local %ENV = (%ENV, AWS_ACCESS_KEY_ID => 'AKIDSESSION', AWS_SECRET_ACCESS_KEY => 'secret/of+the=session', AWS_SESSION_TOKEN => 'token/of+the=session');
        $with->(environment => sub { ok(wait_until($_[1], 20), 'the environment signs') });
    }
    {
        local %ENV = (%ENV, AWS_ACCESS_KEY_ID => 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY => $secret);
        my $httpd = $with->(wrong => sub { ok(!$_[1]->(), 'a wrong secret: no statistics') });
        ok($httpd->log->has(qr/RT020[49]: .*status 403/), 'the log has the status');
    }
    {
        my $service = "http://127.0.0.1:$port";
        local %ENV = (%ENV, AWS_CONTAINER_CREDENTIALS_FULL_URI => "$service/$secret?key=$secret", AWS_CONTAINER_AUTHORIZATION_TOKEN => $secret);
        $with->(container => sub {
            my ($own, $has_stats) = @_;
            ok(!$has_stats->(), 'a container that refuses: no statistics');
            ok(wait_until(sub { $own->log->has(qr{RT0210: .*: the answer of \Q$service\E to GET has status 401}) }, 10), 'the log says who refuses, and why');
        });
    }
    {
        local %ENV = (%ENV, AWS_EC2_METADATA_DISABLED => '', AWS_EC2_METADATA_SERVICE_ENDPOINT => "http://127.0.0.1:$port");
        my $httpd = $with->(instance => sub {
            my ($own, $has_stats) = @_;
            ok(wait_until($has_stats, 20), 'an instance signs');
            my ($asked, $without) = (0, 0);
            wait_until(sub { $asked++; $without++ unless $has_stats->(); return $events->('issued') > 3 }, 30);
            is($without, 0, "each of $asked answers has statistics, while credentials expire and are refreshed");
            $write->(mode => 'status 500');
            ok(wait_until(sub { !$has_stats->() }, 20), 'none are left: no statistics');
            ok(wait_until(sub { $own->log->has(qr/RT0210: .*status 500/) }, 10), 'the log says why');
            $write->(mode => 'ok 3600 0');
            ok(wait_until($has_stats, 60), 'the metadata service answers again, and so does the Lambda');
        });
        cmp_ok(scalar(grep { /RT0210: / } $httpd->log->lines), '<=', 2 * 4, 'a child says once that it has none');
    }
}

finish();
