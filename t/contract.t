# The HTTP contract, line by line.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time sleep);
use RatingsTest;

ok(wait_ready(), 'ready') or BAIL_OUT('the service does not become ready');

my $talk  = new_talk();
my @json  = ('Content-Type' => 'application/json');
my @form  = ('Content-Type' => 'application/x-www-form-urlencoded');
my $good  = to_json({ talkId => $talk, value => 4 });
my $empty = { map { $_ => 0 } 1 .. 5 };

# ---- POST: what is taken ----

for (
    [ 'JSON',                              $good,                                                  4 ],
    [ 'JSON with blanks and unknown members', qq({ "a": {"value":9}, "value" : 2,\n"talkId":"$talk", "x":null }), 2 ],
    [ 'JSON with a charset of UTF-8',      $good,                                                  4, 'application/json; charset=utf-8' ],
    [ 'JSON with a quoted charset',        $good,                                                  4, 'application/json;charset="UTF-8"' ],
    [ 'JSON with a charset of utf8',       $good,                                                  4, 'application/json; charset=utf8' ],
    [ 'JSON with a quoted charset of UTF8', $good,                                                 4, 'application/json; charset="UTF8"; x=y' ],
    [ 'JSON with a byte order mark',       "\xef\xbb\xbf$good",                                    4 ],
    [ 'a media type in capitals',          $good,                                                  4, 'Application/JSON' ],
    [ 'JSON with escapes',                 qq({"talk\\u0049d":"$talk","value":1}),                 1 ],
    [ 'a form',                            "talkId=$talk&value=5",                                 5, $form[1] ],
    [ 'a form with a charset of utf8',     "talkId=$talk&value=5",                                 5, "$form[1];charset=utf8" ],
    [ 'a form with a charset',             "value=3&talkId=$talk",                                 3, "$form[1]; charset=UTF-8" ],
    [ 'a form with unknown fields',        "a=1&talkId=$talk&&b&value=3&a=2",                      3, $form[1] ],
    [ 'a form with escapes',               'talk%49d=' . ($talk =~ s/-/%2d/gr) . '&value=%35',     5, $form[1] ],
    )
{
    my ($name, $body, $value, $type) = @$_;
    my $response = post($body, $type ? (type => $type) : ());
    is($response->status, 200, "POST takes $name") or diag($response->raw);
    is($response->body, qq({"rating":{"talk_uuid":"$talk","value":$value}}), "POST of $name answers with the rating, to the byte");
}
is(total(histogram_of($talk)), 14, 'each of these was counted once');

# ---- POST: 400 ----

my $long = 'x' x 256;
for (
    [ 'JSON that is garbage',        'talk' ],
    [ 'JSON cut off',                substr($good, 0, -1) ],
    [ 'JSON and something after it', "$good x" ],
    [ 'two JSON objects',            $good . $good ],
    [ 'an array',                    "[$good]" ],
    [ 'a string',                    '"x"' ],
    [ 'null',                        'null' ],
    [ 'an empty body',               '' ],
    [ 'blanks alone',                "  \n" ],
    [ 'an empty object',             '{}' ],
    [ 'no talkId',                   '{"value":5}' ],
    [ 'no value',                    qq({"talkId":"$talk"}) ],
    (map { [ "value $_", qq({"talkId":"$talk","value":$_}) ] }
        qw(5.0 "5" true false null 0 6 -1 5e0 1e0 05 +5 4.5 [5] {} 99999999999999999999 NaN)),
    [ 'a talkId that is a number', '{"talkId":1,"value":5}' ],
    [ 'a talkId that is null',     '{"talkId":null,"value":5}' ],
    [ 'a talkId that is an array', qq({"talkId":["$talk"],"value":5}) ],
    [ 'talkId twice',              qq({"talkId":"$talk","talkId":"$talk","value":5}) ],
    [ 'value twice',               qq({"talkId":"$talk","value":5,"value":5}) ],
    [ 'value twice, once escaped', qq({"talkId":"$talk","value":5,"v\\u0061lue":5}) ],
    [ 'another member twice',      qq({"talkId":"$talk","value":5,"a":1,"a":1}) ],
    [ 'an empty talkId',           '{"talkId":"","value":5}' ],
    [ 'a talkId of 256 bytes',     qq({"talkId":"$long","value":5}) ],
    [ 'a talkId of 128 characters and 256 bytes', qq({"talkId":") . ("\xc3\xa9" x 128) . '","value":5}' ],
    [ 'bad UTF-8',                 qq({"talkId":"\xff","value":5}) ],
    [ 'overlong UTF-8',            qq({"talkId":"\xc0\xaf","value":5}) ],
    [ 'a surrogate in UTF-8',      qq({"talkId":"\xed\xa0\x80","value":5}) ],
    [ 'half a surrogate pair',     '{"talkId":"\\ud800","value":5}' ],
    [ 'bad UTF-8 in another member', qq({"talkId":"$talk","value":5,"a":"\xff"}) ],
    [ 'a control character',       '{"talkId":"a\\u0007","value":5}' ],
    [ 'a line feed',               '{"talkId":"a\\n","value":5}' ],
    [ 'a NUL',                     '{"talkId":"a\\u0000b","value":5}' ],
    [ 'DEL',                       "{\"talkId\":\"a\x7f\",\"value\":5}" ],
    [ 'a C1 control character',    qq({"talkId":"a\xc2\x85","value":5}) ],
    [ 'two byte order marks',      "\xef\xbb\xbf" x 2 . $good ],
    [ 'a raw NUL after the value', $good =~ s/\}/\0}/r ],
    [ 'a raw NUL after it',        "$good\0" ],
    [ 'a raw NUL after another number', qq({"a":1\0,"talkId":"$talk","value":5}) ],
    [ 'nesting without end',       '[' x 3000 ],
    )
{
    my ($name, $body) = @$_;
    problem_ok(post($body), 400, "POST refuses $name");
}
for (
    [ 'no talkId',                'value=5' ],
    [ 'no value',                 "talkId=$talk" ],
    [ 'an empty body',            '' ],
    [ 'talkId twice',             "talkId=$talk&talkId=$talk&value=5" ],
    [ 'value twice',              "talkId=$talk&value=5&value=5" ],
    [ 'value twice, once escaped', "talkId=$talk&value=5&v%61lue=5" ],
    [ 'an empty talkId',          'talkId=&value=5' ],
    [ 'a talkId of 256 bytes',    "talkId=$long&value=5" ],
    (map { [ "a talkId with $_", "talkId=$talk$_&value=5" ] } qw(% %4 %zz %4z %u0041)),
    [ 'a bad escape in another field', "talkId=$talk&value=5&a=%" ],
    [ 'a bad escape in a name',   "talkId=$talk&value=5&%x=1" ],
    [ 'bad UTF-8',                'talkId=%ff&value=5' ],
    [ 'a control character',      'talkId=a%0a&value=5' ],
    [ 'a NUL',                    'talkId=a%00&value=5' ],
    (map { [ "value '$_'", "talkId=$talk&value=$_" ] } ('05', '1e0', '5.0', '0', '6', '', '%2B5', '+5', '5+', '-1', '5x', '%35%00', '55')),
    [ 'a raw NUL after the value', "talkId=$talk&value=5\0" ],
    [ 'a raw NUL in another field', "talkId=$talk&value=5&a=\0" ],
    [ 'JSON in a form',           $good ],
    )
{
    my ($name, $body) = @$_;
    problem_ok(post_form($body), 400, "POST of a form refuses $name");
}
is(total(histogram_of($talk)), 14, 'nothing that was refused was counted');

# a form that a browser has sent is answered by the talk's page, and nothing else is (t/page.t has the rest)
{
    my $rated    = new_talk();
    my $response = post_form("talkId=$rated&value=5", headers => [ Accept => 'text/html,*/*;q=0.8' ]);
    is(join(' ', $response->status, map { $response->header($_) // '-' } qw(Location Content-Type Content-Length)), "303 /rate/talks/$rated?outcome=200 - 0", 'a form of a browser: 303');
    for my $case ([ 'a form, to whoever takes anything', $form[1], "talkId=$rated&value=5", '*/*' ], [ 'JSON of a browser', $json[1], to_json({ talkId => $rated, value => 5 }), 'text/html' ]) {
        my ($name, $type, $body, $accept) = @$case;
        my $answer = post($body, type => $type, headers => [ Accept => $accept ]);
        is($answer->status . ' ' . $answer->body, qq(200 {"rating":{"talk_uuid":"$rated","value":5}}), "$name: JSON");
    }
}

# ids at the limits, and what a URL or a store could take amiss
for my $id ('y' x (255 - length $talk) . $talk, "\xc3\xa9" x 100 . $talk, "a b/c?d&e=f+g%h#i'\"\\:*{}$talk", "\xf0\x9f\x91\x8b$talk") {
    new_talks(1, $id);
    my $quoted = $id =~ s/(["\\])/\\$1/gr;
    my $name = length($id) . ' bytes, ' . substr($id, 0, 4);
    my $response = post(qq({"talkId":"$quoted","value":5}));
    is($response->status, 200, "a talkId of $name can be rated") or diag($response->raw);
    is($response->body, qq({"rating":{"talk_uuid":"$quoted","value":5}}), "a talkId of $name comes back as it was given");
    is((histogram_of($id) || {})->{ratings}{5}, 1, "a talkId of $name can be read");
}

# ---- POST: bodies that break off, and big ones ----

{
    my $client = client();
    $client->send("POST /ratings HTTP/1.1\r\nHost: main.test\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n$good");
    $client->half_close;
    problem_ok($client->receive('POST'), 400, 'POST refuses a body cut short');
    $client = client();
    $client->send("POST /ratings HTTP/1.1\r\nHost: main.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            . sprintf("%x\r\n%s\r\n", length $good, $good));
    $client->half_close;
    problem_ok($client->receive('POST'), 400, 'POST refuses a chunked body without its end');
    is(total(histogram_of($talk)), 14, 'a rating cut short was not counted');
}

sub chunked { return join('', map { sprintf "%x\r\n%s\r\n", length $_, $_ } @_) . "0\r\n\r\n" }
my @chunks = ('Transfer-Encoding' => 'chunked');

is(client()->request('POST', '/ratings', [ @json, @chunks ], chunked(split //, $good))->status, 200, 'POST takes a body in chunks of one byte');
is(client()->request('POST', '/ratings', [ @json, @chunks ], chunked(' ' x 4000 . $good))->status, 200, 'POST takes a chunked body that is just not too long');
problem_ok(client()->request('POST', '/ratings', [ @json, @chunks ], chunked((' ' x 3000) x 2, $good)), 413, 'POST refuses a chunked body that is too long');
problem_ok(client()->request('POST', '/ratings', [ @json, @chunks ], chunked((' ' x 65536) x 40, $good)), 413, 'POST refuses a chunked body of megabytes');
is(post(' ' x (4096 - length $good) . $good)->status, 200, 'POST takes a body of exactly RatingsBodyLimit');
problem_ok(post(' ' x (4097 - length $good) . $good), 413, 'POST refuses a body one byte over RatingsBodyLimit');
problem_ok(post($good . ' ' x (65 - length $good), host => 'small.test'), 413, 'RatingsBodyLimit holds in its virtual host');
{
    my $client = client();
    $client->send("POST /ratings HTTP/1.1\r\nHost: main.test\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n");
    problem_ok($client->receive('POST'), 413, 'POST refuses a Content-Length that is too big before the body comes');
    ok($client->closed_within(5) || !$client->is_open, 'and closes the connection');
}

# ---- POST: 415 ----

for (
    [ 'no media type',          [] ],
    [ 'text/plain',             [ 'Content-Type' => 'text/plain' ] ],
    [ 'multipart/form-data',    [ 'Content-Type' => 'multipart/form-data; boundary=x' ] ],
    [ 'a type that begins like JSON', [ 'Content-Type' => 'application/jsonx' ] ],
    [ 'application/problem+json', [ 'Content-Type' => 'application/problem+json' ] ],
    [ 'another charset',        [ 'Content-Type' => 'application/json; charset=latin1' ] ],
    [ 'UTF-8 and another charset', [ 'Content-Type' => 'application/json; charset=utf-8; charset=latin1' ] ],
    [ 'a charset like UTF-8',   [ 'Content-Type' => 'application/json; charset=utf-80' ] ],
    [ 'a compressed body',      [ @json, 'Content-Encoding' => 'gzip' ] ],
    )
{
    my ($name, $headers) = @$_;
    problem_ok(client()->request('POST', '/ratings', $headers, $good), 415, "POST refuses $name");
}

# ---- Expect: 100-continue ----

for (
    [ 415, 'the media type is wrong', [ 'Content-Type' => 'text/plain', 'Content-Length' => length $good ] ],
    [ 413, 'the body is too long',    [ @json, 'Content-Length' => 10_000_000 ] ],
    )
{
    my ($status, $reason, $headers) = @$_;
    my $client = client();
    $client->send($client->format('POST', '/ratings', [ @$headers, Expect => '100-continue' ]));
    my $response = $client->receive('POST');
    problem_ok($response, $status, "a client that expects 100 hears at once that $reason");
    is_deeply($response->interim, [], "and is not asked to send the body when $reason");
}
{
    my $client = client();
    $client->send($client->format('POST', '/ratings', [ @json, 'Content-Length' => length $good, Expect => '100-continue' ]));
    ok($client->hears_within(5), 'a client that expects 100 is asked for a body that may be sent');
    $client->send($good);
    my $response = $client->receive('POST');
    is_deeply([ $response->interim, $response->status ], [ [100], 200 ], 'and its rating is taken');
}

# ---- 404 ----

problem_ok(rate('no-such-talk', 5), 404, 'POST for a talk that is not there');
problem_ok(get('/ratings?talkId=no-such-talk'), 404, 'GET for a talk that is not there');
problem_ok(get("$_?talkId=$talk"), 404, "GET $_: there is nothing below the endpoint") for qw(/ratings/x /ratings/ /ratings/index.html /healthz/x);
is(get("/ratings%2fx?talkId=$talk")->status, 404, 'a slash that is escaped is no way below the endpoint');
problem_ok(client()->request('POST', '/ratings/x', \@json, $good), 404, 'POST below the endpoint');
is(get("/off/below?talkId=$talk")->status, 404, 'RatingsEndpoint none takes the endpoint away below');
is(get("/off?talkId=$talk")->status, 200, 'and only there');

# ---- the talks ----

{
    my $list = get("/talks?q=tests&limit=1&include=ratings");
    is($list->status, 200, 'GET /talks');
    is(scalar @{ json($list->body)->{talks} }, 1, 'a page of one');
    is(json(get("/talks/$talk")->body)->{talkId}, $talk, 'GET /talks/ID');
    problem_ok(get("/talks/no-such-talk"), 404, 'GET /talks/ID of a talk that is not there');
    problem_ok(get("/talks?talkId=$talk"), 400, 'GET /talks with a parameter that there is not');
    problem_ok(get("/ratings?talkId=$talk&talkId=$talk"), 400, 'GET /ratings is one of one talk');
}

# ---- without RatingsVoter ----

# Byte by byte what it was before there were voters: nobody is asked who votes, no cookie, no origin, no CORS.
for my $method (qw(GET POST DELETE OPTIONS)) {
    my $response = client()->request($method, "/ratings/mine?talkId=$talk", [ @json, Origin => 'https://other.example' ], $method eq 'POST' ? $good : ());
    my $problem = problem_ok($response, 404, "$method /ratings/mine: there is nothing at this path");
    is($problem->{detail}, 'There is nothing at this path.', 'and it says so');
    is_deeply([ sort keys %{ $response->stable_headers } ], [ 'cache-control', 'content-length', 'content-type', 'server' ], 'with the headers of any 404');
}
for (
    [ 'a page of another origin', [ Origin => 'https://other.example', 'Sec-Fetch-Site' => 'cross-site' ] ],
    [ 'a cookie of a voter',      [ Cookie => 'ratings-voter=' . '0' x 32 . '.' . '0' x 32 ] ],
    )
{
    my ($name, $headers) = @$_;
    my $before = total(histogram_of($talk));
    my $response = post($good, headers => $headers);
    my ($raw, $other) = map { $_->raw =~ s/^Date: .*\r\n//mr =~ s/^(Ratings-Position: v1-.{8}).{12}\r$/$1/mr } $response, post($good);
    is($raw, $other, "POST with $name is answered as any other");
    is(total(histogram_of($talk)), $before + 2, 'and counted as any other');
}

# ---- 405, OPTIONS ----

for my $row ([ '/ratings', 'GET, HEAD, POST, OPTIONS', qw(PUT DELETE PATCH FOO PROPFIND) ], [ '/', 'GET, HEAD, OPTIONS', qw(POST PUT DELETE FOO) ],
    [ '/healthz', 'GET, HEAD, OPTIONS', qw(POST) ])
{
    my ($path, $allow, @methods) = @$row;
    for my $method (@methods) {
        my $response = client()->request($method, $path, \@json, $good);
        problem_ok($response, 405, "$method $path is not allowed");
        is($response->header('Allow'), $allow, "$method $path: Allow says what is");
    }
    for my $host ('main.test', 'trace.test') { # TRACE is httpd's, not the endpoint's
        my $response = client(host => $host)->request('OPTIONS', $path);
        is($response->status, 200, "OPTIONS $path of $host is answered");
        is($response->header('Allow'), $allow, "OPTIONS $path of $host: Allow is that of a 405");
        is($response->body, '', "OPTIONS $path of $host has no body");
    }
}

# ---- GET ----

for (
    [ 'no query',              '/ratings' ],
    [ 'an empty query',        '/ratings?' ],
    [ 'no talkId',             '/ratings?talk=1' ],
    [ 'an empty talkId',       '/ratings?talkId=' ],
    [ 'talkId twice',          "/ratings?talkId=$talk&talkId=$talk" ],
    [ 'a bad escape',          "/ratings?talkId=$talk%" ],
    [ 'a bad escape elsewhere', "/ratings?talkId=$talk&x=%zz" ],
    [ 'bad UTF-8',             '/ratings?talkId=%ff' ],
    [ 'a control character',   '/ratings?talkId=%07' ],
    [ '256 bytes',             "/ratings?talkId=$long" ],
    )
{
    my ($name, $path) = @$_;
    problem_ok(get($path), 400, "GET refuses $name");
}

my $rated = new_talk();
rate($rated, $_) for 3, 5, 5, 5, 5, 5, 5, 5;
my $path = "/ratings?talkId=$rated";
my $get  = get($path);
is($get->status, 200, 'GET answers');
is($get->body, '{"ratings":{"1":0,"2":0,"3":1,"4":0,"5":7},"stats":{"avg":4.75,"totalCount":8}}', 'GET answers to the byte of the contract');
is($get->header('Content-Type'), 'application/json', 'GET answers in JSON');
is($get->header('Cache-Control'), 'no-cache', 'GET may be kept, but must be asked about');
like($get->header('ETag') // '', qr/^"[^"]+"$/, 'GET has a strong ETag');
is(get("$path&x=1")->header('ETag'), $get->header('ETag'), 'the same answer has the same ETag');
rate($rated, 1);
my $later = get($path);
isnt($later->header('ETag'), $get->header('ETag'), 'another answer has another ETag');
my $tag = $later->header('ETag');

{
    my $client = client();
    my $head   = $client->request('HEAD', $path);
    my $full   = $client->request('GET', $path);
    is($head->status, 200, 'HEAD answers as GET does');
    is_deeply($head->stable_headers, $full->stable_headers, 'HEAD has the headers of GET, Content-Length as well');
    is($full->status, 200, 'nothing of a body came after HEAD');
    is($client->request('HEAD', '/ratings?talkId=no-such-talk')->status, 404, 'HEAD for a talk that is not there');
    is($client->request('HEAD', '/')->body, '', 'HEAD / has no body');
}

# ---- conditions ----

(my $bare = $tag) =~ s/"$//;
for (
    [ 'the tag',               $tag ],
    [ 'the tag, weak',         "W/$tag" ],
    [ 'a list with the tag',   qq("x", $tag, "y") ],
    [ 'any tag',               '*' ],
    [ 'the tag with -gzip',    qq($bare-gzip") ],
    [ 'the tag with -br',      qq($bare-br") ],
    [ 'a weak one with -gzip in a list', qq("a", W/$bare-gzip") ],
    )
{
    my ($name, $value) = @$_;
    for my $method (qw(GET HEAD)) {
        my $client   = client();
        my $response = $client->request($method, $path, [ 'If-None-Match' => $value ]);
        is($response->status, 304, "$method with If-None-Match, $name: not modified");
        is($response->header('ETag'), $tag, "$method with If-None-Match, $name: with its ETag");
        is($response->header('Cache-Control'), 'no-cache', "$method with If-None-Match, $name: with its Cache-Control");
        is($client->request('GET', $path)->body, $later->body, "$method with If-None-Match, $name: the connection goes on");
    }
}
is(get($path, headers => [ 'If-None-Match' => $_ ])->status, 200, "GET with If-None-Match $_: modified")
    for '"x"', substr($tag, 1, -1), $get->header('ETag'), qq($bare-zip");
is(get($path, headers => [ 'If-Match' => $_ ])->status, 200, "GET with If-Match $_ that holds") for $tag, '*', qq("x", $tag);
problem_ok(get($path, headers => [ 'If-Match' => $_ ]), 412, "GET with If-Match $_ that does not hold") for '"x"', "W/$tag";
problem_ok(get($path, headers => [ 'If-Match' => '"x"', 'If-None-Match' => $tag ]), 412, 'If-Match comes before If-None-Match');
is(get($path, headers => [ 'If-Modified-Since' => 'Mon, 01 Jan 2035 00:00:00 GMT' ])->status, 200, 'there is no date to compare with');
{
    my $client = client(host => 'deflate.test');
    my $small  = $client->request('GET', $path, [ 'Accept-Encoding' => 'gzip' ]);
    is($small->header('Content-Encoding'), 'gzip', 'a compressing filter may work on the answer');
    is($client->request('GET', $path, [ 'Accept-Encoding' => 'gzip', 'If-None-Match' => $small->header('ETag') ])->status,
        304, 'the ETag that it made still validates');
}

# ---- connections ----

{
    my $client = client();
    my $one    = $client->format('GET', $path);
    my $post   = $client->format('POST', '/ratings', \@json, $good);
    my $before = total(histogram_of($talk));
    $client->send($one . $post . $client->format('GET', '/') . $post . $client->format('HEAD', $path) . $one);
    my @statuses = map { $client->receive($_)->status } qw(GET POST GET POST HEAD GET);
    is_deeply(\@statuses, [ (200) x 6 ], 'pipelined requests are answered in order');
    is(total(histogram_of($talk)), $before + 2, 'and each rating among them counts once');
}
{
    my $client = client();
    my $answers = grep { $client->request('POST', '/ratings', \@json, $good)->status == 200 && $client->is_open } 1 .. 20;
    is($answers, 20, 'a connection is kept for many ratings');
}
{
    my $response = client()->request('POST', '/ratings', [ @json, Connection => 'close' ], $good);
    is($response->status, 200, 'a client may ask to close');
    my $old = client();
    $old->send("POST /ratings HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " . length($good) . "\r\n\r\n$good");
    is($old->receive('POST')->status, 200, 'HTTP/1.0 is served');
}

# ---- the other endpoints ----

{
    my $response = get('/');
    my $metadata = json($response->body)->{metadata};
    is($response->status, 200, 'GET / answers, over the index.html of the same path');
    is($response->header('Content-Type'), 'application/json', 'GET / answers in JSON');
    my $stars = $ENV{TALKS_CONNECTION} =~ s{:postgres@}{:***@}r;
    is($metadata->{talks}, $stars, 'the password of the talks is ***');
    is($metadata->{ratings}, $ENV{RATINGS_CONNECTION}, 'the store is as configured');
    is($metadata->{streams}, $ENV{STREAMS_CONNECTION}, 'the streams are as configured');
    is($metadata->{ratings_lambda}, $ENV{RATINGS_LAMBDA_URL}, 'the Lambda is as configured');
    ok(length($metadata->{$_} // ''), "$_ is there") for qw(version revision);
    is(json(get('/', host => 'secrets.test')->body)->{metadata}{talks}, $ENV{TALKS_CONNECTION}, 'RatingsMetadataSecrets On shows the password in its virtual host');
}
{
    my $live = get('/healthz');
    is($live->status, 200, 'live, over a directory of the same name');
    is_deeply(json($live->body), { status => 'alive' }, 'live says so');
    my $ready = json(get('/readyz')->body);
    is($ready->{status}, 'ready', 'ready says so');
    like(get('/metrics')->body, qr/^# HELP ratings_build_info .*\n# TYPE ratings_build_info gauge\nratings_build_info\{/, 'metrics are text where nothing else is asked for');
    is_deeply($ready->{backends}, { map { $_ => { status => 'up' } } qw(talks store stream stats) }, 'ready tells of each backend');
}
is(get('/plain.txt')->body, "a file of the document root\n", 'what is no endpoint is served as ever');
is(get("/denied?talkId=$talk")->status, 403, 'Require all denied in the Location refuses GET');
is(post($good, path => '/denied')->status, 403, 'Require all denied in the Location refuses POST');
expect_log(qr/AH01630: client denied by server configuration/);
is(get("//ratings?talkId=$talk")->status, 200, 'slashes are merged as httpd does');
is(client()->request('TRACE', '/ratings')->status, 405, 'TRACE is httpd\'s own to refuse (TraceEnable off)');

# ---- 202 ----

{
    my $hasty    = new_talk();
    my @statuses = map { rate($hasty, 5, host => 'hasty.test')->status } 1 .. 20;
    is(scalar(grep { $_ == 200 || $_ == 202 } @statuses), 20, 'a host that does not wait for visibility answers 202 to who is early');
    ok((grep { $_ == 202 } @statuses), 'at least one of 20 was not visible at once');
    ok(wait_until(sub { total(histogram_of($hasty) || {}) == 20 }, 5), 'and each of them is counted soon');
    expect_log(qr/RT0501: request \S+ answered with 202/);
}

# ---- an httpd that has the module and no configuration for it ----

{
    my $httpd = own_httpd(name => 'bare', conf => '')->start;
    ok(wait_until(sub { get('/', port => $httpd->port)->status }, 10), 'httpd runs');
    is(get('/ratings', port => $httpd->port)->status, 404, 'a module that is loaded and not configured answers nothing');
    is(scalar(grep { /RT\d{4}/ } $httpd->log->lines), 0, 'and says nothing');
    my ($child) = $httpd->children;
    my $maps = do { local (@ARGV, $/) = "/proc/$child/status"; <> };
    cmp_ok(($maps =~ /Threads:\s+(\d+)/)[0], '<=', 25, 'and starts no threads');
}

finish();
