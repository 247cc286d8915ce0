# The page of a talk: what mod_include is given to fill it in, and where its form goes back to.
use strict;
use warnings;
use utf8;
use Encode qw(encode_utf8);
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;
use RatingsTest::Windows;

my %own  = (topic => 'ratings-page', database => 14);
my $port = $ENV{HTTP_PORT} + 1;
my $browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

# ---- a page of the test's own, which shows its environment ----

my $files = "$ENV{TEST_LOGS}/page-files";
mkdir $_ or -d $_ or die "$_: $!" for $files, "$files/words", "$files/parts";
write_file("$files/words/words.html.$_", qq(<!--#set var="lang" value="$_"--><!--#include virtual="\$PAGE"-->\n)) for qw(en de es fr);
write_file("$files/parts/$_.html", "page=$_\n<!--#printenv-->\n") for qw(index talk sheet);
write_file("$files/page.css", "/* " . 'x' x 2000 . " */\n");
secret_file('page.secret', "a secret of the tests, thirty-two bytes or more\n");

my %hosts = (
    plain  => '',
    header => "RatingsVoter expr=%{HTTP:X-User}\n",
    cookie => "RatingsVoter cookie\n",
    strict => "RatingsVoter cookie\nRatingsVoterRequired On\n",
    slow   => "RatingsVoter expr=%{HTTP:X-User}\nRatingsVoterRate 1/3600\n",
    hidden => "RatingsHide until-closed\n",
);
make_database('paged', ', title text, speakers text[], room text, track text, starts_at timestamptz, ends_at timestamptz, opens_at timestamptz, closes_at timestamptz, language text');
in_database('paged', encode_utf8(<<'END'));
insert into talks (uuid, title, speakers, room, track, starts_at, ends_at, language, opens_at, closes_at) values
    ('all',    'Café <b>"&amp;"</b>', '{"Ann Lee","Bo, \"Flo\" Übel"}', 'A', 'Systems', '2026-11-29 09:00+01', '2026-11-29 09:30+01', 'fr', '2020-01-01 00:00+00', '2200-01-01 00:00+00'),
    ('early',  'To come', '{}', null, null, null, null, null, '2200-01-01 00:00+00', null),
    ('closed', 'Over',    null, null, null, null, null, null, null, '2020-01-01 00:00+00'),
    ('a b/c?', 'Odd id',  null, null, null, null, null, null, null, null);
insert into talks (uuid) values ('bare'), ('once'), ('changed'), ('cookie'), ('rated'), ('hidden');
END
RatingsTest::psql("alter database paged set timezone = 'Europe/Berlin'");

my $connection = RatingsTest::Windows::connection_to('paged');
my $backends   = RatingsTest::Httpd::backends(%own) =~ s/\$\{TALKS_CONNECTION\}/$connection/r;
my $page       = RatingsTest::Httpd::page(files => $files);
sub host { my ($name, $voter, $lines) = @_; return "<VirtualHost *:$port>\nServerName $name.example\n" . ($voter ? qq(<Location "/ratings">\n$voter</Location>\n) : '') . "$lines</VirtualHost>\n" }
my $httpd = own_httpd(
    name => 'page', %own, modules => RatingsTest::Httpd::page_modules(),
    conf => $backends . RatingsTest::Httpd::locations() . qq(RatingsVoterSecret "file:$ENV{TEST_LOGS}/page.secret"\nRatingsTalkTTL 0\n)
        . host('none', '', '') . host('slashes', '', "AllowEncodedSlashes On\n$page") . join('', map { host($_, $hosts{$_}, $page) } sort keys %hosts) . host('hasty', '', "RatingsVisibilityTimeout 0\n$page"),
);
$httpd->expect_log(qr/RT030[125]: /, qr/RT0501: request \S+ answered with 202/, qr/RT0319: /, qr/RT0503: request \S+ answered with a page without the list of talks: \S/, qr/RT0201: /);
$httpd->start;
ok(wait_ready(port => $port, host => 'none.example'), 'ready') or BAIL_OUT('the service does not become ready');

sub show {
    my ($host, $id, @headers) = @_;
    return client(port => $port, host => "$host.example")->request('GET', '/rate/talks/' . RatingsTest::escape(encode_utf8($id)), [@headers]);
}

# The variables of a page as it shows them, without their prefix
sub known {
    my ($response) = @_;
    return { map { /^RATINGS_(?!URL|QR)([A-Z_0-9]+)=(.*)$/ ? ($1 => $2) : () } split /\n/, $response->body };
}

sub send_form {
    my ($host, $body, @headers) = @_;
    my %given = @headers;
    unshift @headers, Accept => $browser unless exists $given{Accept};
    return client(port => $port, host => "$host.example")->request('POST', '/ratings', [ 'Content-Type' => 'application/x-www-form-urlencoded', @headers ], $body);
}

sub goes_back_ok {
    my ($response, $id, $outcome, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($response->status . ' ' . ($response->header('Location') // ''), "303 /rate/talks/$id?outcome=$outcome", $name) or diag($response->raw);
    is($response->body . join(',', map { $response->header($_) // '' } qw(Cache-Control Retry-After WWW-Authenticate)), 'no-store,,', "$name: nothing but that");
    return $response;
}

# ---- what the page knows ----

is_deeply(known(show('plain', 'all')), {
        TALK => 'all', TITLE => 'Caf&eacute; &lt;b&gt;&quot;&amp;amp;&quot;&lt;/b&gt;' =~ s/&eacute;/encode_utf8('é')/er, SPEAKERS => 'Ann Lee, Bo, &quot;Flo&quot; ' . encode_utf8('Übel'), ROOM => 'A', TRACK => 'Systems', LANGUAGE => 'fr',
        STARTS => '2026-11-29T08:00:00Z', ENDS => '2026-11-29T08:30:00Z', OPENS => '2020-01-01T00:00:00Z', CLOSES => '2200-01-01T00:00:00Z',
        STARTS_TEXT => '2026-11-29 08:00 UTC', ENDS_TEXT => '2026-11-29 08:30 UTC', OPENS_TEXT => '2020-01-01 00:00 UTC', CLOSES_TEXT => '2200-01-01 00:00 UTC',
        ZONE => 'Europe/Berlin', STATE => 'open', TOTAL => 0, map { ("COUNT_$_" => 0) } 1 .. 5,
    }, 'all that is known of a talk');
is_deeply(known(show('plain', 'bare')), { TALK => 'bare', ZONE => 'Europe/Berlin', STATE => 'open', TOTAL => 0, map { ("COUNT_$_" => 0) } 1 .. 5 }, 'a talk of which nothing is known');
is(known(show('plain', 'early'))->{STATE},  'early',  'a talk that is to come');
is(known(show('plain', 'closed'))->{STATE}, 'closed', 'a talk that is over');
is(known(show('slashes', 'a b/c?'))->{TITLE}, 'Odd id', 'an id with a slash, where httpd takes one');
is(show('plain', $_)->status, 404, "no talk '$_'") for 'nothing', 'x' x 256, "a\x{01}b";
is(show('plain', 'all')->header('Cache-Control'), 'private, no-cache', 'no cache keeps the page without asking');
is(show('none', 'all')->status, 404, 'without RatingsPage there is no page');

is(rate('rated', $_, port => $port, host => 'plain.example')->status, 200, "a rating of $_") for 5, 4, 4;
my $known = known(show('plain', 'rated'));
is(join(' ', map { $known->{$_} // '-' } (map { "COUNT_$_" } 1 .. 5), qw(TOTAL AVERAGE HIDDEN VOTERS MINE)), '0 0 0 2 1 3 4.33 - - -', 'counts, total and average');
my $head = client(port => $port, host => 'plain.example')->request('HEAD', '/rate/talks/rated', []);
is($head->status, 200, 'HEAD');

is(rate('hidden', 2, port => $port, host => 'hidden.example')->status, 200, 'a rating that is hidden');
$known = known(show('hidden', 'hidden'));
is(join(' ', map { $known->{$_} // '-' } qw(HIDDEN TOTAL UNTIL AVERAGE COUNT_1 COUNT_2)), '1 1 - - - -', 'hidden results set none of the counts');
is(known(show('hidden', 'all'))->{UNTIL}, '2200-01-01T00:00:00Z', 'and say until when');
is(known(show('hidden', 'all'))->{UNTIL_TEXT}, '2200-01-01 00:00 UTC', 'and in which time zone that is');
is(known(show('hidden', 'closed'))->{COUNT_1}, 0, 'until they are shown');

# ---- the page's files and languages ----

for my $case ([ 'de-CH,de;q=0.9,en;q=0.5', 'de' ], [ 'pt, es;q=0.8, en;q=0.7', 'es' ], [ 'fr', 'fr' ], [ 'pt', 'en' ], [ undef, 'en' ]) {
    my ($accepted, $language) = @$case;
    my $response = show('plain', 'all', $accepted ? ('Accept-Language' => $accepted) : (), 'Accept-Encoding' => 'identity');
    like($response->body, qr/^lang=$language$/m, 'the language of ' . ($accepted // 'nobody'));
    is(join(' ', map { $response->header($_) // '' } qw(Content-Language Content-Location)), "$language ", 'which the header says');
}
for my $case ([ '/rate/', 'index' ], [ '/rate/?view=stage', 'index' ], [ '/rate/sheet.html', 'sheet' ], [ '/rate/talks/all?view=stage', 'talk' ],
    [ '/rate//', 'index' ], [ '/rate//sheet.html', 'sheet' ], [ '/rate//talks/all', 'talk' ], [ '/%72ate/talks/all', 'talk' ]) {
    my ($path, $name) = @$case;
    my $response = get($path, port => $port, host => 'plain.example');
    like($response->body, qr/^page=$name$/m, $path);
    like($response->header('Content-Security-Policy'), qr/^default-src 'none';/, "$path: the policy");
    like($response->body, qr{^RATINGS_URL=/ratings$}m, "$path: where the ratings are");
}
{
    my $css = get('/rate/page.css', port => $port, host => 'plain.example', headers => [ 'Accept-Encoding' => 'gzip' ]);
    is(join(' ', map { $css->header($_) // '' } qw(Content-Type Content-Encoding Cache-Control)), 'text/css; charset=utf-8 gzip max-age=600', 'a style sheet, compressed');
    my $again = get('/rate/page.css', port => $port, host => 'plain.example', headers => [ 'Accept-Encoding' => 'gzip', 'If-Modified-Since' => $css->header('Last-Modified') ]);
    is($again->status, 304, 'which a browser validates');
    is(get('/rate/words/words.html.en', port => $port, host => 'plain.example')->status, 404, 'a file of words is no page');
    is(get('/rate/words/../../page.secret', port => $port, host => 'plain.example')->status, 404, 'nothing beside the files');
}

# ---- the form ----

goes_back_ok(send_form('plain', 'talkId=once&value=5'), 'once', 200, 'a rating');
is(total(histogram_of('once', port => $port, host => 'plain.example')), 1, 'which counts once');
goes_back_ok(send_form('plain', 'talkId=a+b%2Fc%3F&value=1'), 'a%20b%2fc%3f', 200, 'an id that is escaped');
my $early; # one that comes back before the projector has counted it: not each does
for (1 .. 20) {
    $early = send_form('hasty', 'talkId=once&value=5');
    last if ($early->header('Location') // '') !~ /outcome=200$/;
}
goes_back_ok($early, 'once', 202, 'a rating that is not counted yet');
goes_back_ok(send_form('plain', "talkId=once&value=$_"), 'once', 400, "the value '$_'") for 6, '', 'x', 'withdraw', 'withdrawn';
goes_back_ok(send_form('plain', "talkId=$_&value=5"), $_, 403, "a talk that is $_") for qw(early closed);
goes_back_ok(send_form('plain', 'talkId=once&value=5', 'Idempotency-Key' => ''), 'once', 400, 'a key that is none');
goes_back_ok(send_form('header', 'talkId=once&value=5', Origin => 'https://other.example'), 'once', 403, 'a form of another page');
problem_ok(send_form('plain', 'talkId=nothing&value=5'), 404, 'a talk that is not there has no page');
problem_ok(send_form('plain', $_), 400, "nor has a form without one: '$_'") for 'value=5', 'talkId=&value=5', 'talkId=once&talkId=once&value=5', 'talkId=%zz&value=5';
problem_ok(send_form('plain', 'talkId=once&value=5&x=' . 'x' x 5000), 413, 'nor one that is too long');

# ---- who is sent what ----

for my $case (
    [ 'nobody asks for a page',        undef,                                            200 ],
    [ 'anything',                      '*/*',                                            200 ],
    [ 'JSON',                          'application/json',                               200 ],
    [ 'both alike',                    'text/html, application/json',                    200 ],
    [ 'rather JSON',                   'text/html;q=0.8, application/json',              200 ],
    [ 'rather JSON, by the type',      'text/*;q=0.8, application/*;q=0.9',              200 ],
    [ 'no HTML',                       'text/html;q=0, */*',                             200 ],
    [ 'no quality',                    'text/html;q=x, */*;q=0.1',                       200 ],
    [ 'more than all',                 'text/html;q=1.5, */*;q=0.1',                     200 ],
    [ 'HTML',                          'text/html',                                      303 ],
    [ 'HTML of a kind',                'text/html;level=1',                              303 ],
    [ 'HTML in capitals, with blanks', ' Text/HTML ; q=0.5 , application/json;q=0.499 ', 303 ],
    [ 'rather text',                   'text/*, */*;q=0.9',                              303 ],
    [ 'rather HTML, named closely',    'application/*;q=0.1, */*;q=0.5, text/html;q=0.2', 303 ],
    )
{
    my ($name, $accept, $status) = @$case;
    my $response = send_form('plain', 'talkId=rated&value=4', Accept => $accept // '');
    is($response->status, $status, "who accepts $name: $status") or diag($response->raw);
    is($response->body, '{"rating":{"talk_uuid":"rated","value":4}}', "who accepts $name: JSON") if $status == 200;
}
is(client(port => $port, host => 'plain.example')->request('POST', '/ratings', [ Accept => $browser, 'Content-Type' => 'application/json' ], to_json({ talkId => 'rated', value => 4 }))->status, 200, 'JSON is answered by JSON');
is(send_form('none', 'talkId=rated&value=4')->status, 200, 'without RatingsPage a form is, too');

# ---- voters ----

my @ann = ('X-User' => 'ann');
is(join(' ', map { $_ // '-' } @{ known(show('header', 'changed')) }{qw(VOTERS MINE)}), '1 -', 'nobody has no rating');
goes_back_ok(send_form('header', 'talkId=changed&value=2', @ann), 'changed', 200, 'a rating of a voter');
goes_back_ok(send_form('header', 'talkId=changed&value=4', @ann), 'changed', 200, 'which is changed');
is(join(' ', map { $_ // '-' } @{ known(show('header', 'changed', @ann)) }{qw(VOTERS MINE TOTAL COUNT_2 COUNT_4)}), '1 4 1 0 1', 'the page knows it');
is(known(show('header', 'changed', 'X-User' => 'ben'))->{MINE}, undef, 'to the voter alone');
goes_back_ok(send_form('header', 'talkId=changed&value=withdraw', @ann), 'changed', 204, 'it is withdrawn');
is(join(' ', map { $_ // '-' } @{ known(show('header', 'changed', @ann)) }{qw(MINE TOTAL)}), '- 0', 'and gone');
goes_back_ok(send_form('header', 'talkId=changed&value=withdraw'), 'changed', 204, 'whoever is no voter has nothing to withdraw');
problem_ok(send_form('header', 'talkId=changed&value=withdraw', Accept => '*/*', @ann), 400, 'another client withdraws by DELETE');

my $response = goes_back_ok(send_form('cookie', 'talkId=cookie&value=3'), 'cookie', 200, 'a browser without a cookie');
my ($cookie) = ($response->header('Set-Cookie') // '') =~ /^(ratings-voter=[^;]+)/;
ok($cookie, 'is given one');
is(known(show('cookie', 'cookie', Cookie => $cookie // ''))->{MINE}, 3, 'by which the page knows its rating');
is(show('cookie', 'cookie', Cookie => $cookie // '')->header('Set-Cookie'), undef, 'and gives no other');
my $visit = show('cookie', 'cookie');
my ($visitor) = ($visit->header('Set-Cookie') // '') =~ /^(ratings-voter=[^;]+)/;
ok($visitor && $visitor ne ($cookie // ''), 'a page gives one to a browser that has none');
is(known($visit)->{MINE}, undef, 'which has rated nothing');
$response = goes_back_ok(send_form('cookie', 'talkId=cookie&value=1', Cookie => $visitor // ''), 'cookie', 200, 'a first rating with that');
is($response->header('Set-Cookie'), undef, 'gets no other');
is(known(show('cookie', 'cookie', Cookie => $visitor // ''))->{MINE}, 1, 'and is the rating of that visitor');
is(show('header', 'cookie')->header('Set-Cookie'), undef, 'where no cookie tells voters a page gives none');
$response = goes_back_ok(send_form('strict', 'talkId=cookie&value=3'), 'cookie', 401, 'a cookie that is required');
($cookie) = ($response->header('Set-Cookie') // '') =~ /^(ratings-voter=[^;]+)/;
goes_back_ok(send_form('strict', 'talkId=cookie&value=3', Cookie => $cookie // ''), 'cookie', 200, 'and sent back');
goes_back_ok(send_form('slow', 'talkId=once&value=5', @ann), 'once', 200, 'a voter in no hurry');
goes_back_ok(send_form('slow', 'talkId=once&value=5', @ann), 'once', 429, 'a voter in a hurry');

# ---- backends that are unavailable ----

{
    my $away = own_httpd(name => 'page-away', %own, port => 2, modules => RatingsTest::Httpd::page_modules(),
        conf => ($backends =~ s/\$\{RATINGS_CONNECTION\}\S*?"/redis:\/\/127.0.0.1:1"/r) . RatingsTest::Httpd::locations() . "RatingsBreakerCooldown 10ms\n$page")
        ->expect_log(qr/RT\d{4}: /)->start;
    my $shown = known(get('/rate/talks/all', port => $away->port));
    is(join(' ', map { $shown->{$_} // '-' } qw(TALK STATE ROOM TOTAL COUNT_1)), 'all open A - -', 'without the store the page lacks the ratings');
    my $sent = client(port => $away->port)->request('POST', '/ratings', [ Accept => $browser, 'Content-Type' => 'application/x-www-form-urlencoded' ], 'talkId=all&value=5');
    goes_back_ok($sent, 'all', 503, 'a rating that is not stored');
    $away->stop;
}
in_database('paged', 'alter table talks rename to lost');
is_deeply(known(show('plain', 'all')), { TALK => 'all', STATE => 'unavailable' }, 'without the talks the page lacks all');
in_database('paged', 'alter table lost rename to talks');

drop_databases();
finish();
