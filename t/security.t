# The configurations of docs/security.md, word for word, but for the file of passwords.
use strict;
use warnings;
use Digest::SHA qw(sha1_base64);
use MIME::Base64 qw(encode_base64);
use Test::More;
use RatingsTest;

my $passwords = "$ENV{TEST_LOGS}/security-passwords";
my $secret    = "$ENV{TEST_LOGS}/security-secret";
my @form      = ('Content-Type' => 'application/x-www-form-urlencoded');

# The one sample that has the words.
sub sample {
    my ($words) = @_;
    my $document = $ENV{TEST_STACK} =~ s{build/stack/stack$}{docs/security.md}r;
    my $text = do { local (@ARGV, $/) = $document; <> };
    my @found = grep { /\Q$words\E/ } $text =~ /((?:^ {4}.*\n)+)/mg;
    is(scalar @found, 1, "docs/security.md has a sample with $words") or BAIL_OUT('no sample');
    return $found[0] =~ s{/etc/apache2/ratings\.passwd}{$passwords}r;
}

sub user { my ($name) = @_; return (Authorization => 'Basic ' . encode_base64("$name:pw", '')) }

write_file($passwords, join '', map { "$_:{SHA}" . sha1_base64('pw') . "=\n" } 'ann', 'ben', 'anna@example.org', 'x y');
write_file($secret, 'x' x 32 . "\n");
chmod 0600, $secret;
my $port  = $ENV{HTTP_PORT} + 1;
my %hosts = (voter => 'RatingsVoter expr=%{REMOTE_USER}', user => 'RequestHeader set', cors => 'RatingsOrigin', cookie => '<If');
# A log of its own: who leads must have the secret.
my %own   = (topic => 'ratings-security-' . int(time) . "-$$", database => 3);
my $httpd = own_httpd(name => 'security', %own, modules => RatingsTest::Httpd::load(qw(headers auth_basic authn_core authn_file authz_user)),
    conf => RatingsTest::Httpd::backends(%own) . qq(RatingsVoterSecret "file:$secret"\n<Location "/readyz">\nRatingsEndpoint health\n</Location>\n<VirtualHost *:$port>\nServerName first.test\n</VirtualHost>\n)
        . join '', map { "<VirtualHost *:$port>\nServerName $_.test\n" . sample($hosts{$_}) . "</VirtualHost>\n" } sort keys %hosts);
redis(database => $own{database})->call('FLUSHDB'); # of another run, of another topic
$httpd->expect_log(qr/RT0305: the store is rebuilt/, qr/RT030[12]: /, qr/AH0179\d|AH01617|AH01618|AH01630/);
$httpd->start;
ok(wait_ready(port => $httpd->port, host => 'first.test'), 'ready');

sub ask {
    my ($host, $method, $path, $headers, $body) = @_;
    return client(port => $httpd->port, host => "$host.test")->request($method, $path, $headers, $body);
}

# ---- voters ----

{
    my $talk = new_talk();
    my $post = sub { my ($user, $value) = @_; ask('voter', 'POST', '/ratings', [ @form, $user ? user($user) : () ], "talkId=$talk&value=$value") };
    is($post->(undef, 5)->status, 401, 'a voter: nobody may not rate');
    is($post->('ann', 5)->status, 200, 'a voter rates a talk');
    is($post->('ann', 3)->status, 200, 'and changes the rating');
    is($post->('ben', 1)->status, 200, 'another voter');
    is(ask('voter', 'GET', "/ratings/mine?talkId=$talk", [ user('ann') ])->body, qq({"rating":{"talk_uuid":"$talk","value":3}}), 'each sees the own rating');
    is(ask('voter', 'GET', "/ratings/mine?talkId=$talk", [])->status, 401, 'and nobody else does');
    is(ask('voter', 'DELETE', "/ratings?talkId=$talk", [ user('ben') ])->status, 204, 'and may withdraw it');
    is(ask('voter', 'GET', "/ratings?talkId=$talk", [])->body =~ /"ratings":(\{.*?\})/ ? $1 : '', '{"1":0,"2":0,"3":1,"4":0,"5":0}', 'everybody may read what counts');
}

# ---- a rating that cannot be changed ----

{
    my ($talk, $other) = new_talks(2);
    my $post = sub { my ($user, $talk, $value, @more) = @_; ask('user', 'POST', '/ratings', [ @form, $user ? user($user) : (), @more ], "talkId=$talk&value=$value") };
    is($post->(undef, $talk, 5)->status, 401, 'a user: nobody may not rate');
    is($post->('ann', $talk, 5)->status, 200, 'a user rates a talk');
    is($post->('ann', $talk, 5)->status, 200, 'the same again');
    is($post->('ann', $talk, 5, 'Idempotency-Key' => '"mine"')->status, 200, 'the same again with a key of the client');
    problem_ok($post->('ann', $talk, 1), 422, 'another value of the same user');
    problem_ok($post->('ann', $talk, 1, 'Idempotency-Key' => '"mine"'), 422, 'another value with a key of the client');
    is($post->('ann', $other, 1)->status, 200, 'another talk');
    is($post->('ben', $talk, 1)->status, 200, 'another user');
    is($post->('anna@example.org', $talk, 2)->status, 200, 'a user with an address for a name');
    is($post->('x y', $talk, 2)->status, 200, 'a user with a blank in the name');
    is(ask('user', 'GET', "/ratings?talkId=$talk", [])->body =~ /"ratings":(\{.*?\})/ ? $1 : '', '{"1":1,"2":2,"3":0,"4":0,"5":1}', 'each counts once, and everybody may read');
}

# ---- other origins ----

{
    my $talk   = new_talk();
    my @origin = (Origin => 'https://talks.example.org');
    my $wanted = 'authorization, content-type, idempotency-key, if-none-match';
    my $asked  = ask('cors', 'OPTIONS', '/ratings', [ @origin, 'Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => $wanted ]);
    is($asked->status, 200, 'another origin: the preflight needs no user');
    is($asked->header('Access-Control-Allow-Origin'), $origin[1], 'it allows the origin');
    my %allowed = map { lc($_) => 1 } split /, /, $asked->header('Access-Control-Allow-Headers') // '';
    ok(!(grep { !$allowed{$_} } split /, /, $wanted), 'it allows each header that a client of the service sends');
    my $key = [ @form, @origin, user('ann'), 'Idempotency-Key' => '"k"' ];
    is(ask('cors', 'POST', '/ratings', $key, "talkId=$talk&value=5")->status, 200, 'a rating with a key');
    is(ask('cors', 'POST', '/ratings', [ @form, @origin ], "talkId=$talk&value=5")->status, 401, 'and none without a user');
    my $read = ask('cors', 'GET', "/ratings?talkId=$talk", [ @origin, user('ann') ]);
    is($read->header('Access-Control-Expose-Headers'), 'ETag, Ratings-Position, Retry-After', 'a script sees what it needs');
    my $again = ask('cors', 'GET', "/ratings?talkId=$talk", [ @origin, user('ann'), 'If-None-Match' => $read->header('ETag') ]);
    is($again->status, 304, 'it validates what it has');
    is($again->header('Access-Control-Allow-Origin'), $origin[1], 'and may see that');
    is(ask('cors', 'GET', "/ratings?talkId=$talk", [@origin])->header('Access-Control-Allow-Origin'), $origin[1], 'a refusal is seen, too');
}

# ---- cookies ----

{
    my $talk = new_talk();
    for (
        [ 'its own page',         200, Origin => 'https://talks.example.org' ],
        [ 'a program',            200 ],
        [ 'another page',         403, Origin => 'https://evil.example.org' ],
        [ 'another scheme',       403, Origin => 'http://talks.example.org' ],
        [ 'a longer name',        403, Origin => 'https://talks.example.org.evil.example' ],
        [ 'a page that hides it', 403, Origin => 'null' ],
        )
    {
        my ($name, $status, @origin) = @$_;
        is(ask('cookie', 'POST', '/ratings', [ @form, @origin ], "talkId=$talk&value=5")->status, $status, "a cookie: POST of $name: $status");
        is(ask('cookie', 'GET', "/ratings?talkId=$talk", \@origin)->status, 200, "a cookie: GET of $name");
    }
    is(total(histogram_of($talk, port => $port, host => 'voter.test')), 2, 'what was refused is not counted');
}

ok(defined $httpd->stop, 'it stops');
finish();
