# Voters by an OpenID Connect login: Debian's mod_auth_openidc, and a certified provider (npm's oidc-provider) on loopback.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use FindBin qw($Bin);
use HTTP::Cookies ();
use HTTP::Request ();
use LWP::UserAgent ();
use Test::More;
use RatingsTest;
use RatingsTest::Tool ();

plan skip_all => 'no OpenID provider here: make deps-test' unless $ENV{TEST_NODE} && -e "$ENV{TEST_MODULES}/mod_auth_openidc.so";

my $begun         = time;
my $topic         = 'ratings-oidc';
my $secret        = 'a secret of the tests, thirty-two bytes or more';
my $port          = $ENV{HTTP_PORT} + 1;
my $provider_port = $ENV{HTTP_PORT} + 8;
my ($site, $issuer) = map { "http://127.0.0.1:$_" } $port, $provider_port;

# ---- the provider, and one httpd ----

my $provider = RatingsTest::Tool->new("$ENV{TEST_NODE}/node", "$Bin/oidc/provider.mjs", $ENV{TEST_NODE}, $provider_port, "$site/login/answer");

secret_file('oidc.secret', $secret);

my $login  = "AuthType openid-connect\nRequire valid-user\n";
my $voters = "${login}RatingsVoter expr=%{reqenv:OIDC_CLAIM_sub}\n";
my $httpd = own_httpd(
    name => 'oidc', topic => $topic, database => 14, modules => RatingsTest::Httpd::load(qw(authn_core authz_user auth_openidc)),
    conf => RatingsTest::Httpd::backends(topic => $topic, database => 14) . RatingsTest::Httpd::locations() . <<"END",
RatingsVoterSecret "file:$ENV{TEST_LOGS}/oidc.secret"
OIDCProviderMetadataURL $issuer/.well-known/openid-configuration
OIDCClientID ratings
OIDCClientSecret "a secret of the tests"
OIDCRedirectURI $site/login/answer
OIDCPKCEMethod S256
OIDCCryptoPassphrase "a passphrase of the tests"
OIDCPassClaimsAs environment
<Location "/login">
$login</Location>
<Location "/ratings">
OIDCUnAuthAction pass
RatingsVoterRequired On
$voters</Location>
<Location "/anybody">
RatingsEndpoint ratings
OIDCUnAuthAction pass
$voters</Location>
<Location "/named">
RatingsEndpoint ratings
OIDCUnAuthAction pass
RatingsVoterRequired On
RatingsVoter expr=%{REMOTE_USER}
$login</Location>
<Location "/members">
RatingsEndpoint ratings
OIDCUnAuthAction 401
$voters</Location>
END
);
mkdir "$ENV{TEST_LOGS}/oidc/htdocs/login";
write_file("$ENV{TEST_LOGS}/oidc/htdocs/login/index.html", 'logged in');
$httpd->expect_log(qr/RT0301: the projector is stalled/); # while the topic is new
$httpd->start;
ok(wait_ready(port => $port), 'ready') or BAIL_OUT('the service does not become ready');

# ---- a browser ----

# Keeps cookies and follows redirects, also those that answer a form. mod_auth_openidc redirects only who takes HTML.
sub browser {
    my $browser = LWP::UserAgent->new(cookie_jar => HTTP::Cookies->new, requests_redirectable => [qw(GET HEAD POST)], timeout => 30);
    $browser->default_header(Accept => 'text/html,*/*;q=0.8');
    return $browser;
}

# Sends the form of a page as a user would who fills in these fields.
sub submit {
    my ($browser, $page, %fields) = @_;
    my ($action) = $page->decoded_content =~ /<form[^>]* action="([^"]+)"/ or die 'no form in ' . $page->as_string;
    my %hidden = $page->decoded_content =~ /<input type="hidden" name="([^"]+)" value="([^"]*)"/g;
    return $browser->post(URI->new_abs($action, $page->base), { %hidden, %fields });
}

# The whole of the code flow: the page that asks for a login leads to the provider, whose forms lead back to it.
sub log_in {
    my ($name) = @_;
    my $browser = browser();
    my $page    = $browser->get("$site/login/");
    like($page->base, qr{^\Q$issuer\E/}, "$name is led to the provider");
    $page = submit($browser, $page, login => $name, password => 'any');
    $page = submit($browser, $page) if $page->base =~ m{^\Q$issuer\E/}; # which asks whether it may tell
    is($page->base . ' ' . $page->decoded_content, "$site/login/ logged in", 'and with a code back to where the login began');
    is(scalar(grep { $_->request->uri =~ m{/login/answer\?(?:.*&)?code=} } $page->redirects), 1, 'by the authorization code flow');
    return $browser;
}

sub ask {
    my ($browser, $method, $path, %options) = @_;
    my $request = HTTP::Request->new($method, "$site$path", [ 'Content-Type' => 'application/json', %{ $options{headers} || {} } ], $options{body});
    return $browser->simple_request($request);
}
sub vote { my ($browser, $talk, $value, %options) = @_; return ask($browser, 'POST', $options{path} || '/ratings', body => to_json({ talkId => $talk, value => $value }), %options)->code }
sub withdraw { my ($browser, $talk) = @_; return ask($browser, 'DELETE', "/ratings?talkId=$talk")->code }
sub mine { my ($browser, $talk) = @_; my $response = ask($browser, 'GET', "/ratings/mine?talkId=$talk"); return $response->code == 200 ? json($response->content)->{rating}{value} : $response->code }

# The counts as five figures
sub counts { my ($talk) = @_; my $answer = histogram_of($talk, port => $port) or return 'none'; return join '', map { $answer->{ratings}{$_} } 1 .. 5 }

# ---- two users ----

my ($ann, $ben, $nobody) = (log_in('ann'), log_in('ben'), browser());
my $talk = new_talk();

is(vote($ann, $talk, 5), 200, 'one user rates');
is(vote($ben, $talk, 4), 200, 'another one, too');
is(counts($talk), '00011', 'each has a rating');
is(vote($ann, $talk, 3), 200, 'one changes it');
is(counts($talk), '00110', 'which takes the place of the one before');
is(mine($ann, $talk), 3, 'and sees it');
is(mine($ben, $talk), 4, 'the other one sees the own one');
is(withdraw($ann, $talk), 204, 'one withdraws');
is(counts($talk), '00010', 'and the other\'s stays');
is(mine($ann, $talk), 404, 'there is none to see any more');
is(vote(log_in('ben'), $talk, 1), 200, 'who logs in by another browser');
is(counts($talk), '10000', 'is the same voter');

# ---- and who is none ----

is(ask($nobody, 'GET', "/ratings?talkId=$talk")->code, 200, 'who has not logged in may read');
my $refused = ask($nobody, 'POST', '/ratings', body => to_json({ talkId => $talk, value => 5 }));
is($refused->code . ' ' . $refused->header('Content-Type'), '401 application/problem+json', 'and not rate');
is(withdraw($nobody, $talk), 401, 'nor withdraw');
is(mine($nobody, $talk), 401, 'nor has a rating to see');
is(vote($nobody, $talk, 5, path => '/members'), 401, 'where the login is required httpd refuses first');
is(vote($ben, $talk, 2, path => '/members'), 200, 'and lets in who has logged in');
is(vote($nobody, $talk, 5, headers => { OIDC_CLAIM_sub => 'ann', 'OIDC-CLAIM-sub' => 'ann' }), 401, 'nobody claims in a header to be somebody');
is(vote($nobody, $talk, 5, headers => { Cookie => 'mod_auth_openidc_session=0f0e0d0c-0b0a-4908-8706-050403020100' }), 401, 'nor by a session that was made up');
is(vote($ben, $talk, 5, headers => { Origin => 'https://evil.example' }), 403, 'a page of another origin may not rate with a login');
is(counts($talk), '01000', 'and none of that counts');
is(vote($nobody, $talk, 5, path => '/anybody'), 200, 'where no voter is required, who has not logged in counts') for 1, 2;
is(vote($ben, $talk, 3, path => '/anybody'), 200, 'and who has is a voter there');
is(counts($talk), '00102', 'with one rating');
is(vote($nobody, $talk, 5, path => '/named'), 401, 'where REMOTE_USER says who votes, who has not logged in is nobody');
is(vote($ben, $talk, 1, path => '/named'), 200, 'and who has');
is(counts($talk), '10102', 'is a voter by name and issuer');
my ($record) = grep { $_->{key} eq $talk && (json($_->{payload})->{value} // 0) == 1 } reverse topic_since($begun, $topic);
is(json($record->{payload})->{voter}, substr(hmac_sha256_hex("mod_ratings voter\0$topic\0ben\@$issuer", $secret), 0, 32), 'which the log does not have');

ok(defined $httpd->stop, 'it stops');
finish();
