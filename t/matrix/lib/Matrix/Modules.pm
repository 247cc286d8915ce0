# Of the part `modules`: mod_ratings in one httpd with the modules that sites have, all of them at work.
package Matrix::Modules;

use strict;
use warnings;
use File::Path qw(make_path);

use RatingsTest       ();
use RatingsTest::File ();

sub php { my ($file) = glob "$ENV{TEST_MODULES}/libphp*.so"; return $file // die "no mod_php: make deps-matrix\n" }

my @modules = qw(mime alias env setenvif filter deflate brotli headers cache cache_disk remoteip reqtimeout ratelimit proxy proxy_http rewrite unique_id authn_core authz_user perl auth_openidc);

sub lines_to_load {
    my ($mpm) = @_;
    my $text = RatingsTest::Httpd::load(@modules) . qq(LoadModule security2_module "$ENV{TEST_MODULES}/mod_security2.so"\n);
    $text .= RatingsTest::Httpd::load('http2') if $mpm ne 'prefork';
    $text .= 'LoadModule php_module "' . php() . "\"\n" if $mpm eq 'prefork';
    return $text;
}

# Everything at work on the requests of the service itself. The core rules as Debian has them, which refuse what looks like an
# attack, and take JSON.
sub configuration {
    my ($mpm, $port) = @_;
    my $cache = "$ENV{TEST_LOGS}/cache";
    my $audit = "$ENV{TEST_LOGS}/modsec";
    make_path($cache, $audit);
    my $php = $mpm eq 'prefork' ? "AddHandler application/x-httpd-php .php\n" : '';
    my $h2  = $mpm ne 'prefork' ? "Protocols h2c http/1.1\n"                  : '';
    return <<"END";
TypesConfig /etc/mime.types
SetOutputFilter BROTLI_COMPRESS;DEFLATE
CacheRoot "$cache"
CacheEnable disk "/"
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1
RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500
ProxyPass "/proxied/" "http://127.0.0.1:$port/"
RewriteEngine On
RewriteRule "^/vote\$" "/ratings" [PT]
<Location "/ratings">
    SetOutputFilter RATE_LIMIT;BROTLI_COMPRESS;DEFLATE
    SetEnv rate-limit 400
</Location>
<IfModule mod_security2.c>
    SecDataDir "$audit"
    SecRuleEngine On
    SecRequestBodyAccess On
    SecResponseBodyAccess On
    SecResponseBodyMimeType application/json application/problem+json
    SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
    Include /etc/modsecurity/crs/crs-setup.conf
    Include /usr/share/modsecurity-crs/rules/*.conf
</IfModule>
PerlModule Apache2::RequestRec Apache2::RequestIO Apache2::Const
<Perl>
    package Matrix::Page;
    sub handler { my \$r = shift; \$r->content_type('text/plain'); \$r->print("perl " . (1 + 1)); return 0 }
    1;
</Perl>
<Location "/perl">
    SetHandler perl-script
    PerlResponseHandler Matrix::Page
</Location>
<Location "/members">
    AuthType openid-connect
    Require valid-user
</Location>
OIDCProviderIssuer https://sso.example.org/
OIDCProviderAuthorizationEndpoint https://sso.example.org/auth
OIDCClientID ratings
OIDCRedirectURI http://ratings.example.org:$port/members/redirect
OIDCCryptoPassphrase of-the-matrix
$php$h2
END
}

# ---- what is asked: name => code, given a talk, the function that rates, and the port; true when all is well ----

sub etag_of { my ($response) = @_; return $response->header('ETag') // '' }

# A compressed answer, and the same again by its ETag.
sub compressed {
    my ($coding, $talk, $rate, @at) = @_;
    my $response = RatingsTest::get("/ratings?talkId=$talk", @at, headers => [ 'Accept-Encoding' => $coding ]);
    return 0 unless $response->status == 200 && ($response->header('Content-Encoding') // '') eq $coding;
    return RatingsTest::get("/ratings?talkId=$talk", @at, headers => [ 'Accept-Encoding' => $coding, 'If-None-Match' => etag_of($response) ])->status == 304;
}

sub rated_by_path {
    my ($path, $talk, $rate, @at) = @_;
    return $rate->($talk, 2, @at, path => $path)->status == 200;
}

# Each GET after a POST counts it, whatever a cache has kept.
sub never_stale {
    my ($path, $talk, $rate, @at) = @_;
    my $before = RatingsTest::json(RatingsTest::get("$path?talkId=$talk", @at)->body) or return 0;
    $rate->($talk, 2, @at)->status == 200 or return 0;
    my $after = RatingsTest::json(RatingsTest::get("$path?talkId=$talk", @at)->body) or return 0;
    return $after->{ratings}{2} == $before->{ratings}{2} + 1;
}

sub curl { my (@arguments) = @_; return RatingsTest::run_program(qw(curl -q -s --noproxy * -m 10), @arguments)->{out} }

sub by_http2 {
    my ($talk, $rate, @at) = @_;
    my $url = "http://127.0.0.1:$at[1]/ratings";
    return curl('--http2-prior-knowledge', '-w', ' %{http_version}', "$url?talkId=$talk") =~ /"ratings":.* 2$/s;
}

my @checks = (
    [ mod_deflate    => sub { compressed('gzip', @_) } ],
    [ mod_brotli     => sub { compressed('br',   @_) } ],
    [ mod_cache      => sub { never_stale('/ratings', @_) } ],
    [ mod_proxy      => sub { rated_by_path('/proxied/ratings', @_) && never_stale('/proxied/ratings', @_) } ],
    [ mod_rewrite    => sub { rated_by_path('/vote', @_) } ],
    [ mod_remoteip   => sub { my (undef, undef, @at) = @_; RatingsTest::get('/readyz', @at, headers => [ 'X-Forwarded-For' => '192.0.2.7' ])->status == 403 } ],
    [ mod_reqtimeout => sub { my (undef, undef, @at) = @_; RatingsTest::get('/healthz', @at)->status == 200 } ],
    [ mod_security   => sub { my ($talk, undef, @at) = @_; RatingsTest::get("/ratings?talkId=$talk%27%20or%20%271%27=%271%27%20--", @at)->status == 403 } ],
    [ mod_perl       => sub { my (undef, undef, @at) = @_; RatingsTest::get('/perl', @at)->body eq 'perl 2' } ],
    [ mod_auth_openidc => sub { my (undef, undef, @at) = @_; RatingsTest::get('/members', @at, host => 'ratings.example.org', headers => [ Accept => 'text/html' ])->status == 302 } ],
    [ mod_php        => sub { my (undef, undef, @at) = @_; RatingsTest::get('/two.php', @at)->body eq 'php 2' }, 'prefork' ],
    [ mod_http2      => \&by_http2, 'event' ],
);

sub check_all {
    my ($mpm, $seen, @arguments) = @_;
    my (@well, @wrong);
    for my $check (@checks) {
        my ($name, $code, $only) = @$check;
        next if $only && $only ne $mpm;
        my $is_well = $code->(@arguments);
        Test::More::ok($is_well, $name);
        push @{ $is_well ? \@well : \@wrong }, $name;
    }
    push @$seen, 'well with ' . join(', ', @well, 'mod_ratelimit') if @well;
    push @$seen, 'NOT with ' . join(', ', @wrong) if @wrong;
    return;
}

sub part {
    my ($program, $mpm) = @_;
    $ENV{TEST_MPM} = $mpm;
    my $port      = $ENV{HTTP_PORT} + 1;
    my $documents = "$ENV{TEST_LOGS}/httpd/htdocs";
    make_path($documents);
    RatingsTest::File::write_file("$documents/two.php", '<?php echo "php " . (1 + 1);');
    my ($version) = RatingsTest::run_program($program, '-v')->{out} =~ m{Apache/(\S+)};
    return { version => 'httpd ' . ($version // ''), httpd => { modules => lines_to_load($mpm), after => configuration($mpm, $port) },
        more => sub { check_all($mpm, @_) }, expect => [ qr{AH01630: .*ratings:/readyz}, qr/ModSecurity|\[security2:/, qr/auth_openidc/ ] };
}

1;
