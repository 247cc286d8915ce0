# Who votes: by an expression, by a login, by a cookie; what another origin may; and what a voter can do.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex sha1_base64);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $begun  = time;
my $topic  = 'ratings-voters';
my $secret = 'a secret of the tests, thirty-two bytes or more';
my $port   = $ENV{HTTP_PORT} + 1;
my @json   = ('Content-Type' => 'application/json');

# ---- one httpd, a virtual host for each way ----

secret_file('voters.secret', "$secret\n");
secret_file('voters.passwd', join '', map { "$_:{SHA}" . sha1_base64('pw') . "=\n" } qw(ann ben));
my $login = qq(AuthType Basic\nAuthName ratings\nAuthBasicProvider file\nAuthUserFile "$ENV{TEST_LOGS}/voters.passwd"\n<LimitExcept GET>\nRequire valid-user\n</LimitExcept>\n);
my %hosts = (
    anonymous => '',
    header    => "RatingsVoter expr=%{HTTP:X-User}\n",
    nobody    => "RatingsVoterRequired On\n",
    lower     => "RatingsVoter expr=%{tolower:%{HTTP:X-User}}\n",
    must      => "RatingsVoter expr=%{HTTP:X-User}\nRatingsVoterRequired On\n",
    basic     => "RatingsVoter expr=%{REMOTE_USER}\n$login",
    claim     => "RatingsVoter expr=%{HTTP:X-User}\nRatingsVoterRequired On\n$login",
    cookie    => "RatingsVoter cookie\n",
    strict    => "RatingsVoter cookie\nRatingsVoterRequired On\n",
    origins   => "RatingsVoter expr=%{HTTP:X-User}\nRatingsOrigin https://talks.example capacitor://localhost\n",
    shared    => "RatingsOrigin https://talks.example capacitor://localhost\n$login",
    broken    => qq(RatingsVoter "expr=%{file:/no/such/file}"\n),
);
my $httpd = own_httpd(
    name => 'voters', topic => $topic, database => 4, modules => RatingsTest::Httpd::load(qw(auth_basic authn_core authn_file authz_user)),
    conf => RatingsTest::Httpd::backends(topic => $topic, database => 4) . RatingsTest::Httpd::locations()
        . qq(RatingsVoterSecret "file:$ENV{TEST_LOGS}/voters.secret"\n<VirtualHost *:$port>\nServerName first.example\n</VirtualHost>\n)
        . join('', map { qq(<VirtualHost *:$port>\nServerName $_.example\n<Location "/ratings">\n$hosts{$_}</Location>\n</VirtualHost>\n) } sort keys %hosts)
        . qq(<VirtualHost *:$port>\nServerName "https://tls.example"\n<Location "/ratings">\nRatingsVoter cookie\n</Location>\n</VirtualHost>\n),
);
$httpd->expect_log(qr/RT0305: the store is rebuilt/, qr/AH01797|AH0161[78]|AH01630/, qr/RT0502: request \S+ answered with 500: its voter cannot be found out: \S/, qr/Evaluation of expression from \S+ failed: /,
    qr/RT0301: the projector is stalled/, # while the topic is new
    qr/RT0319: RatingsVoterSecret is that of the electorate/);
$httpd->start;
ok(wait_ready(port => $port, host => 'first.example'), 'ready') or BAIL_OUT('the service does not become ready');

sub ask {
    my ($host, $method, $path, $headers, $body) = @_;
    return client(port => $port, host => "$host.example")->request($method, $path, $headers || [], $body);
}
sub vote     { my ($host, $talk, $value, @headers) = @_; return ask($host, 'POST', '/ratings', [ @json, @headers ], to_json({ talkId => $talk, value => $value })) }
sub withdraw { my ($host, $talk, @headers) = @_; return ask($host, 'DELETE', "/ratings?talkId=$talk", \@headers) }
sub mine     { my ($host, $talk, @headers) = @_; return ask($host, 'GET', "/ratings/mine?talkId=$talk", \@headers) }
sub user     { return ('X-User' => shift) }
sub password { my ($name) = @_; return (Authorization => 'Basic ' . encode_base64("$name:pw", '')) }

# The counts as five figures
sub counts {
    my ($talk) = @_;
    my $answer = histogram_of($talk, port => $port, host => 'first.example') or return 'none';
    return join '', map { $answer->{ratings}{$_} } 1 .. 5;
}

# What the cookie of an answer is, NAME=VALUE, and its attributes
sub cookie_of {
    my ($response) = @_;
    my ($pair, $attributes) = ($response->header('Set-Cookie') // '') =~ /^([^;]*)(?:; (.*))?$/;
    return ($pair // '', $attributes // '');
}

sub mine_ok {
    my ($response, $talk, $value, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($response->status . ' ' . $response->body, qq(200 {"rating":{"talk_uuid":"$talk","value":$value}}), $name);
    is($response->header('Cache-Control'), 'private, no-store', 'which no cache may keep');
}

sub none_ok {
    my ($response, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $problem = problem_ok($response, 404, $name);
    is($problem->{detail}, 'There is no rating of this talk by you.', 'and says so');
    is($response->header('Cache-Control'), 'private, no-store', 'which no cache may keep');
}

# ---- a voter sets, changes, withdraws ----

{
    my $talk = new_talk();
    none_ok(mine('header', $talk, user('ann')), 'a voter who has not voted has no rating');
    is(withdraw('header', $talk, user('ann'))->status, 204, 'nor anything to withdraw, which is no error');
    my ($raw, $other) = map { $_->raw =~ s/^(?:Date|Ratings-Position): .*\r\n//mgr } vote('header', $talk, 5, user('ann')), vote('anonymous', $talk, 5);
    is($raw, $other, 'a voter gets the answer that everybody gets');
    is(counts($talk), '00002', 'a voter counts beside who is none');
    mine_ok(mine('header', $talk, user('ann')), $talk, 5, 'a voter sees the own rating');
    is(vote('header', $talk, 3, user('ann'))->status, 200, 'a voter changes the rating');
    is(counts($talk), '00101', 'which takes the place of the one before');
    is(vote('header', $talk, 3, user('ann'))->status, 200, 'the same again');
    is(counts($talk), '00101', 'changes nothing');
    is(vote('header', $talk, 3, user('ben'))->status, 200, 'another voter');
    is(counts($talk), '00201', 'counts for one more');
    mine_ok(mine('header', $talk, user('ann')), $talk, 3, 'the voter sees the changed rating');
    my $gone = withdraw('header', $talk, user('ann'));
    is($gone->status, 204, 'a voter withdraws');
    is($gone->body . ($gone->header('Content-Length') // ''), '', 'without a body');
    is(counts($talk), '00101', 'and counts no more');
    none_ok(mine('header', $talk, user('ann')), 'and has no rating');
    mine_ok(mine('header', $talk, user('ben')), $talk, 3, 'the other one still has');
    is(withdraw('header', $talk, user('ann'))->status, 204, 'withdrawing twice is no error');
    is(vote('header', $talk, 1, user('ann'))->status, 200, 'a voter who has withdrawn may vote again');
    is(counts($talk), '10101', 'and counts again');
    is(ask('header', 'HEAD', "/ratings/mine?talkId=$talk", [ user('ann') ])->status, 200, 'HEAD as GET');
    problem_ok(withdraw('header', 'no-such-talk', user('ann')), 404, 'there is nothing to withdraw of a talk that is not there');
    problem_ok(mine('header', 'no-such-talk', user('ann')), 404, 'nor a rating of one');
    problem_ok(ask('header', $_->[0], $_->[1], [ user('ann') ]), 400, "$_->[0] $_->[1]") for map { [ DELETE => "/ratings$_" ], [ GET => "/ratings/mine$_" ] } '', '?talkId=', '?talkId=a&talkId=b', '?talkId=%';
    problem_ok(withdraw('header', $talk, user('ann'), 'Idempotency-Key' => '"x'), 400, 'DELETE with a malformed Idempotency-Key');
}

# ---- idempotency keys ----

{
    my $talk = new_talk();
    my @key  = ('Idempotency-Key' => '"one"');
    is(vote('header', $talk, 5, user('ann'), @key)->status, 200, 'a rating with a key');
    is(vote('header', $talk, 2, user('ann'))->status, 200, 'a change');
    is(vote('header', $talk, 5, user('ann'), @key)->status, 200, 'the first one, sent again');
    is(counts($talk), '01000', 'which counts for nothing, whatever came between');
    problem_ok(withdraw('header', $talk, user('ann'), @key), 422, 'a withdrawal under the key of a rating');
    is(withdraw('header', $talk, user('ann'), 'Idempotency-Key' => '"two"')->status, 204, 'a withdrawal with a key of its own') for 1, 2;
    is(counts($talk), '00000', 'which counts once');
}

# ---- whom an expression names ----

{
    my $talk = new_talk();
    is(vote('lower', $talk, $_->[1], user($_->[0]))->status, 200, "the login $_->[0], in any case") for [ ann => 5 ], [ ANN => 2 ];
    is(counts($talk), '01000', 'is one voter where the expression says so');
    is(withdraw('lower', $talk, user('Ann'))->status, 204, 'and withdraws as one');
    is(vote('header', $talk, 4)->status, 200, 'whom the expression does not name is counted') for 1, 2;
    is(vote('header', $talk, 4, user(''))->status, 200, 'an empty text names nobody');
    is(counts($talk), '00030', 'each one more');
    is(withdraw('header', $talk)->status, 204, 'who is nobody has nothing to withdraw');
    is(counts($talk), '00030', 'and withdraws nothing');
    none_ok(mine('header', $talk), 'and no rating');
    for my $response (vote('must', $talk, 4), withdraw('must', $talk), mine('must', $talk)) {
        problem_ok($response, 401, 'RatingsVoterRequired: nobody is refused');
        is($response->header('WWW-Authenticate'), 'RatingsVoter', 'with a challenge');
    }
    problem_ok(vote('nobody', $talk, 4, user('ann')), 401, 'who is refused without RatingsVoter as well: all');
    is(ask('must', 'GET', "/ratings?talkId=$talk")->status, 200, 'and everybody may read');
    is(vote('must', $talk, 5, user('ann'))->status, 200, 'a voter is not refused');
    is(counts($talk), '00031', 'and is counted');
    mine_ok(mine('header', $talk, user('ann')), $talk, 5, 'the same identity is the same voter at another location');
    my $options = ask('header', 'OPTIONS', '/ratings');
    is($options->header('Allow'), 'GET, HEAD, POST, DELETE, OPTIONS', 'OPTIONS tells of DELETE');
    is(ask('header', 'OPTIONS', '/ratings/mine')->header('Allow'), 'GET, HEAD, OPTIONS', 'and what mine takes');
    problem_ok(ask('header', 'PUT', '/ratings'), 405, 'other methods are not allowed');
    problem_ok(ask('header', $_, '/ratings/mine'), 405, "$_ of mine is not allowed") for qw(POST DELETE);
    is(vote('broken', $talk, 5)->status, 500, 'an expression that cannot be evaluated') for 1, 2;
    is(counts($talk), '00031', 'counts for nothing');
}

# ---- the log knows no identity ----

{
    my $talk = new_talk();
    is(vote('header', $talk, 4, user('ann'))->status, 200, 'a voter') for 1, 2;
    my @records = grep { $_->{key} eq $talk } topic_since($begun, $topic);
    my $expected = substr hmac_sha256_hex("mod_ratings voter\0$topic\0ann", $secret), 0, 32;
    is_deeply([ map { json($_->{payload})->{voter} } @records ], [ $expected, $expected ], 'the log has 128 bits of an HMAC of topic and identity');
    ok(!(grep { to_json($_) =~ /\bann\b/ } topic_since($begun, $topic)), 'and nobody\'s name');
    ok(!(grep { $_ =~ /\bann\b/ } $httpd->log->lines), 'nor has the error log');
}

# ---- behind mod_auth_basic ----

{
    my $talk = new_talk();
    is(vote('basic', $talk, 5)->status, 401, 'a login: without one httpd refuses');
    is(vote('basic', $talk, 5, password('ann'))->status, 200, 'with one');
    is(vote('basic', $talk, 2, password('ann'))->status, 200, 'changed');
    is(vote('basic', $talk, 2, password('ben'))->status, 200, 'another user');
    is(counts($talk), '02000', 'each has one');
    is(withdraw('basic', $talk, password('ben'))->status, 204, 'withdrawn');
    is(counts($talk), '01000', 'by one of them');
    is(withdraw('basic', $talk)->status, 401, 'nobody withdraws without a login');
    is(vote('basic', $talk, 5, password('ann'), Origin => 'https://evil.example')->status, 403, 'a page of another origin may not vote with it');
    is(counts($talk), '01000', 'nor is that counted');
    my $unnamed = vote('claim', $talk, 5, password('ann'));
    problem_ok($unnamed, 401, 'a login of which the expression makes no voter');
    is($unnamed->header('WWW-Authenticate'), 'Basic realm="ratings"', 'is asked for another one');
}

# ---- a cookie ----

{
    my $talk  = new_talk();
    my $first = vote('cookie', $talk, 5);
    my ($one, $attributes) = cookie_of($first);
    is($first->status, 200, 'a browser without a cookie is counted');
    like($one, qr/^ratings-voter=[0-9a-f]{32}\.[0-9a-f]{32}$/, 'and gets one');
    is($attributes, 'Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax', 'which scripts and other sites do not have');
    my $again = vote('cookie', $talk, 3, Cookie => $one);
    is($again->status, 200, 'it changes its rating with it');
    is($again->header('Set-Cookie'), undef, 'and gets no other one');
    is(counts($talk), '00100', 'it has one rating');
    mine_ok(mine('cookie', $talk, Cookie => "theme=dark; $one"), $talk, 3, 'its own');
    my ($two) = cookie_of(vote('cookie', $talk, 1, Cookie => 'theme=dark'));
    isnt($two, $one, 'another browser gets another cookie');
    is(counts($talk), '10100', 'and has a rating of its own');
    is(withdraw('cookie', $talk, Cookie => $one)->status, 204, 'the first withdraws');
    is(counts($talk), '10000', 'and the other one\'s stays');
    for (
        [ 'a forged signature', $two =~ s/([0-9a-f])$/$1 eq '0' ? '1' : '0'/er ],
        [ 'a forged identity',  $two =~ s/=([0-9a-f])/'=' . ($1 eq '0' ? '1' : '0')/er ],
        [ 'a foreign one',      'ratings-voter=' . '0' x 32 . '.' . substr hmac_sha256_hex("mod_ratings cookie\0\0" . '0' x 32, 'another secret'), 0, 32 ],
        [ 'the name that it has over TLS', "__Host-$two" ],
        [ 'nonsense',           'ratings-voter=1' ],
        )
    {
        my ($name, $cookie) = @$_;
        my ($before, $response) = (total(histogram_of($talk, port => $port, host => 'first.example')), vote('cookie', $talk, 4, Cookie => $cookie));
        my ($new) = cookie_of($response);
        ok($new =~ /^ratings-voter=/ && $new ne $two, "$name is replaced");
        is(total(histogram_of($talk, port => $port, host => 'first.example')), $before + 1, 'and is another voter');
        none_ok(mine('cookie', $talk, Cookie => $cookie), 'as it has no rating by itself');
    }
    is(mine('cookie', $talk, Cookie => "ratings-voter=1; $two")->status, 200, 'of two cookies of the name the one that was signed counts');
    my $own = 'ratings-voter=' . 'f' x 32 . '.' . substr hmac_sha256_hex("mod_ratings cookie\0\0" . 'f' x 32, $secret), 0, 32;
    is(vote('cookie', $talk, 4, Cookie => $own)->header('Set-Cookie'), undef, 'what the secret has signed is taken');

    for my $response (ask('cookie', 'GET', "/ratings?talkId=$talk"), mine('cookie', $talk), withdraw('cookie', $talk), ask('cookie', 'OPTIONS', '/ratings')) {
        is($response->header('Set-Cookie'), undef, 'only a POST hands out a cookie: ' . $response->status);
    }
    ok((cookie_of($_))[0], 'also one that fails with ' . $_->status) for vote('cookie', 'no-such-talk', 5), vote('cookie', $talk, 6);
}
{
    my $talk = new_talk();
    my ($secure, $attributes) = cookie_of(vote('tls', $talk, 5));
    like($secure, qr/^__Host-ratings-voter=[0-9a-f.]{65}$/, 'over TLS the name says that no other host has set it');
    is($attributes, 'Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure', 'and it is not sent without TLS');
    is(vote('tls', $talk, 4, Cookie => $secure)->header('Set-Cookie'), undef, 'it is taken');
    is(vote('tls', $talk, 4, Cookie => $secure, Origin => 'https://tls.example')->status, 200, 'also from a page of the host');
    problem_ok(vote('tls', $talk, 1, Cookie => $secure, Origin => 'http://tls.example'), 403, 'not from one without TLS');
    is(mine('tls', $talk, Cookie => $secure =~ s/^__Host-//r)->status, 404, 'under the other name it is not');
    is(counts($talk), '00010', 'one browser, one rating');
}
{
    my $talk  = new_talk();
    my $first = vote('strict', $talk, 5);
    my ($cookie) = cookie_of($first);
    problem_ok($first, 401, 'RatingsVoterRequired: the first POST of a browser is not counted');
    ok($cookie, 'and hands out the cookie');
    is(counts($talk), '00000', 'nothing has counted');
    my $second = vote('strict', $talk, 5, Cookie => $cookie);
    is($second->status, 200, 'sent again with the cookie, it is');
    is($second->header('Set-Cookie'), undef, 'without another one');
    is(counts($talk), '00001', 'and counts once');
    problem_ok($_, 401, 'without the cookie there is nothing to withdraw or to see'), is($_->header('Set-Cookie'), undef, 'nor another cookie')
        for withdraw('strict', $talk), mine('strict', $talk);
}

# ---- pages of other origins ----

{
    my $talk = new_talk();
    for (
        #  who sends it                      header  origins headers
        [ 'no page',                          200, 200 ],
        [ 'a page of this origin',            200, 200, Origin => 'http://HOST' ],
        [ 'one of this origin, behind TLS',   200, 200, Origin => 'https://HOST' ],
        [ 'one that tells its site',          200, 200, Origin => 'http://HOST', 'Sec-Fetch-Site' => 'same-origin' ],
        [ 'one that hides its origin',        200, 200, Origin => 'null', 'Sec-Fetch-Site' => 'same-origin' ],
        [ 'a bookmark',                       200, 200, 'Sec-Fetch-Site' => 'none' ],
        [ 'a page of another origin',         403, 403, Origin => 'https://evil.example' ],
        [ 'one that claims the host\'s name', 403, 403, Origin => 'https://HOST.evil.example' ],
        [ 'one of another port',              403, 403, Origin => 'http://HOST:81' ],
        [ 'one without an origin',            403, 403, Origin => 'null' ],
        [ 'one of another site',              403, 403, Origin => 'https://evil.example', 'Sec-Fetch-Site' => 'cross-site' ],
        [ 'one of the same site',             403, 403, Origin => 'https://x-HOST', 'Sec-Fetch-Site' => 'same-site' ],
        [ 'one that hides its site',          403, 403, 'Sec-Fetch-Site' => 'cross-site' ],
        [ 'an origin that may',               403, 200, Origin => 'https://talks.example' ],
        [ 'an app that may',                  403, 200, Origin => 'capacitor://localhost', 'Sec-Fetch-Site' => 'cross-site' ],
        [ 'another scheme of one that may',   403, 403, Origin => 'http://talks.example' ],
        [ 'a longer name of one that may',    403, 403, Origin => 'https://talks.example.evil.example' ],
        )
    {
        my ($name, $there, $allowed, @headers) = @$_;
        for my $case ([ 'header', $there ], [ 'origins', $allowed ]) {
            my ($host, $status) = @$case;
            my @sent = map { s/HOST/$host.example/r } @headers;
            my $response = vote($host, $talk, 4, user('ann'), @sent);
            is($response->status, $status, "$host: a POST of $name is $status");
            problem_ok($response, 403, 'and says why') if $status == 403;
            is(withdraw($host, $talk, user('ann'), @sent)->status, $status == 403 ? 403 : 204, "$host: and its DELETE");
            is(ask($host, 'GET', "/ratings?talkId=$talk", \@sent)->status, 200, "$host: it may read");
        }
    }
    is(vote('cookie', $talk, 4, Origin => 'https://evil.example')->header('Set-Cookie'), undef, 'no cookie for the page of another origin');
    is(counts($talk), '00000', 'what was refused is not counted');
}

# ---- CORS ----

{
    my $talk = new_talk();
    my @page = (Origin => 'https://talks.example');
    my @asks = ('Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => 'content-type, idempotency-key');
    my $tells = sub { my ($response) = @_; return join ' ', map { $response->header("Access-Control-$_") // '-' } qw(Allow-Origin Allow-Credentials Expose-Headers) };
    my $shared = 'https://talks.example true ETag, Ratings-Position, Retry-After';

    for my $host (qw(origins shared)) {
        my $answer = ask($host, 'OPTIONS', '/ratings', [ @page, @asks ]);
        is($answer->status, 200, "$host: a preflight is answered, also without a login");
        is($tells->($answer), $shared, 'and lets the page in');
        is($answer->header('Access-Control-Allow-Methods'), $answer->header('Allow'), 'with the methods that there are');
        is($answer->header('Allow'), $host eq 'shared' ? 'GET, HEAD, POST, OPTIONS' : 'GET, HEAD, POST, DELETE, OPTIONS', 'which are these');
        is($answer->header('Access-Control-Allow-Headers'), 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Ratings-Position', 'and the headers that clients send');
        is($answer->header('Access-Control-Max-Age'), 600, 'for ten minutes');
        is($answer->body, '', 'without a body');
        is($tells->(ask($host, 'OPTIONS', '/ratings', [ Origin => 'https://evil.example', @asks ])), '- - -', 'not for a page of another origin');
        is($tells->(ask($host, 'GET', "/ratings?talkId=$talk", [ Origin => 'https://evil.example' ])), '- - -', 'nor an answer');
        my $read = ask($host, 'GET', "/ratings?talkId=$talk", \@page);
        is($tells->($read), $shared, 'the page may read');
        is($read->header('Vary'), 'Origin', 'and caches tell pages apart');
        is(ask($host, 'GET', "/ratings?talkId=$talk")->header('Vary'), 'Origin', 'also where no page asks');
        is($tells->(ask($host, 'GET', "/ratings?talkId=$talk", [ @page, 'If-None-Match' => $read->header('ETag') ])), $shared, 'a 304');
        is($tells->(ask($host, 'GET', '/ratings?talkId=', \@page)), $shared, 'and a 400');
    }
    is($tells->(vote('origins', $talk, 5, @page, user('ann'))), $shared, 'the answer to a POST');
    is($tells->(mine('origins', $talk, @page, user('ann'))), $shared, 'and to mine');
    my $refused = vote('shared', $talk, 5, @page);
    is($refused->status . ' ' . $tells->($refused), "401 $shared", 'and to who has no login, which httpd refuses');
    is($tells->(ask('header', 'OPTIONS', '/ratings', [ @page, @asks ])), '- - -', 'without RatingsOrigin there is none of it');
}

# ---- another secret, by a graceful restart: under it everybody could vote twice ----

sub restart_with { my ($text) = @_; secret_file('voters.secret', $text); $httpd->signal('USR1'); return }

{
    my ($talk, $cookie) = (new_talk(), 'ratings-voter=' . 'f' x 32 . '.' . substr hmac_sha256_hex("mod_ratings cookie\0\0" . 'f' x 32, $secret), 0, 32);
    is(vote('cookie', $talk, 4, Cookie => $cookie)->status, 200, 'a voter by a cookie');
    is(vote('header', $talk, 2, user('ann'))->status, 200, 'and one by an expression');
    restart_with('another secret of the tests, thirty-two bytes or more');
    ok(wait_until(sub { vote('cookie', $talk, 4, Cookie => $cookie)->status == 503 }, 20), 'under another secret nobody votes');
    for (
        [ 'POST by a cookie',        vote('cookie', $talk, 5, Cookie => $cookie) ],
        [ 'POST without one',        vote('cookie', $talk, 5) ],
        [ 'POST by an expression',   vote('header', $talk, 5, user('ann')) ],
        [ 'DELETE by a cookie',      withdraw('cookie', $talk, Cookie => $cookie) ],
        [ 'DELETE by an expression', withdraw('header', $talk, user('ann')) ],
        [ 'mine by a cookie',        mine('cookie', $talk, Cookie => $cookie) ],
        [ 'mine by an expression',   mine('header', $talk, user('ann')) ],
        )
    {
        my ($name, $response) = @$_;
        problem_ok($response, 503, $name);
        ok($response->header('Retry-After'), 'which may be tried again');
        is($response->header('Set-Cookie'), undef, 'and leaves the cookie alone');
    }
    is(vote('header', $talk, 3)->status, 200, 'who is no voter is counted');
    is(withdraw('header', $talk)->status, 204, 'as before');
    is(counts($talk), '01110', 'and everybody may read');
    is(scalar(grep { /RT0319: RatingsVoterSecret is that of the electorate/ } $httpd->log->lines), 1, 'the error log says it once');
    restart_with("$secret\n");
    ok(wait_until(sub { vote('cookie', $talk, 5, Cookie => $cookie)->status == 200 }, 20), 'the secret put back, voters are let in');
    is(counts($talk), '01101', 'and are who they were');
    is(scalar(grep { /RT0320: / } $httpd->log->lines), 1, 'which the error log says, too');
}

ok(defined $httpd->stop, 'it stops');
finish();
