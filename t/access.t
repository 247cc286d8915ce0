# Which location answers, and who may: always the one by which httpd authorises the request. Each row is a virtual
# host with RatingsEndpoint beside one with a handler of httpd itself (server-status), asked the same: what differs
# is said in the row. All of it twice: the module loaded after mod_proxy and mod_rewrite, and before them.
use strict;
use warnings;
use Test::More;
use RatingsTest;

# In a configuration: HERE is the endpoint (or the handler), DEAD a server that is not there, ADDRESS another name of
# the virtual host.
my $here   = "<Location \"/e\">\nHERE\n</Location>\n";
my $denied = "<Location \"/e\">\nHERE\nRequire all denied\n</Location>\n";
my $top    = "<LocationMatch \"^/\$\">\nHERE\n</LocationMatch>\n";
my $engine = "RewriteEngine On\n";

# [ name, configuration, what is asked (GET of it, or a method and it), the answer, that of server-status if another ]
# An answer is a status; "endpoint" after it: with what the endpoint has to say; "file": with a file's text. "same":
# what httpds answer differs by their version. "not asked": the handler of httpd is not.
my @rows = (
    [ 'a Location',                         $here,   '/e',          '200 endpoint' ],
    [ 'another path',                       $here,   '/file.html',  '200 file' ],
    [ 'Require all denied',                 $denied, '/e',          '403' ],
    [ 'Require all denied, HEAD',           $denied, 'HEAD /e',     '403' ],
    [ 'Require all denied, OPTIONS',        $denied, 'OPTIONS /e',  '403' ],
    [ 'Require all denied, DELETE',         $denied, 'DELETE /e',   '403' ],
    [ 'LocationMatch',                      $top,    '/',           '200 endpoint' ],
    [ 'LocationMatch that does not match',  $top,    '/file.html',  '200 file' ],

    # ---- paths ----
    [ 'a path below',                       $here,   '/e/x',        '404', '200 endpoint' ],
    [ 'a slash after it',                   $here,   '/e/',         '404', '200 endpoint' ],
    [ 'a path that only begins alike',      $here,   '/ex',         '404' ],
    [ 'another case',                       $here,   '/E',          '404' ],
    [ 'a letter in percent',                $here,   '/%65',        '200 endpoint' ],
    [ 'a letter in percent, denied',        $denied, '/%65',        '403' ],
    [ 'dot segments',                       $here,   '/x/.././e',   '200 endpoint' ],
    [ 'dot segments, denied',               $denied, '/x/.././e',   '403' ],
    [ 'two slashes',                        $here,   '//e',         '200 endpoint' ],
    [ 'two slashes, denied',                $denied, '//e',         '403' ],
    [ 'MergeSlashes Off, two slashes',      "MergeSlashes Off\n$here",   '//e', '200 endpoint' ],
    [ 'MergeSlashes Off, two slashes, denied', "MergeSlashes Off\n$denied", '//e', '403' ],
    [ 'MergeSlashes Off, two slashes, and a pattern', "MergeSlashes Off\n<LocationMatch \"^/e\$\">\nHERE\n</LocationMatch>\n", '//e', 'same' ],
    [ 'an encoded slash',                   "<Location \"/a/e\">\nHERE\n</Location>\n", '/a%2Fe', '404' ],
    [ 'AllowEncodedSlashes On',             "AllowEncodedSlashes On\n<Location \"/a/e\">\nHERE\n</Location>\n", '/a%2Fe', '200 endpoint' ],
    [ 'AllowEncodedSlashes On, denied',     "AllowEncodedSlashes On\n<Location \"/a/e\">\nHERE\nRequire all denied\n</Location>\n", '/a%2Fe', '403' ],
    [ 'AllowEncodedSlashes NoDecode',       "AllowEncodedSlashes NoDecode\n<Location \"/a/e\">\nHERE\n</Location>\n", '/a%2Fe', '404' ],
    [ 'the whole URL in the request line',  $here,   'http://HOST/e', '200 endpoint' ],
    [ 'the whole URL, denied',              $denied, 'http://HOST/e', '403' ],
    [ 'a query',                            $denied, '/e?x=/file.html', '403' ],
    [ 'a pattern that matches everything, and *', "<LocationMatch \".\">\nHERE\n</LocationMatch>\n", 'OPTIONS *', '200' ],

    # ---- sections ----
    [ 'the later section grants',           "$denied<Location \"/e\">\nRequire all granted\n</Location>\n", '/e', '200 endpoint' ],
    [ 'the later section denies',           "$here<Location \"/\">\nRequire all denied\n</Location>\n", '/e', '403' ],
    [ 'AuthMerging And',                    "$denied<Location \"/e\">\nAuthMerging And\nRequire all granted\n</Location>\n", '/e', '403' ],
    [ 'AuthMerging Or',                     "$denied<Location \"/e\">\nAuthMerging Or\nRequire all granted\n</Location>\n", '/e', '200 endpoint' ],
    [ 'an inner section that denies',       "$here<Location \"/e/x\">\nRequire all denied\n</Location>\n", '/e/x', '403' ],
    [ 'Limit',                              "<Location \"/e\">\nHERE\n<LimitExcept OPTIONS>\nRequire all denied\n</LimitExcept>\n</Location>\n", '/e', '403' ],
    [ 'Limit, a method that is let in',     "<Location \"/e\">\nHERE\n<LimitExcept GET>\nRequire all denied\n</LimitExcept>\n</Location>\n", '/e', '200 endpoint' ],
    [ 'an If that denies',                  "<Location \"/e\">\nHERE\n<If \"%{QUERY_STRING} == 'x'\">\nRequire all denied\n</If>\n</Location>\n", '/e?x', '403' ],
    [ 'an If that does not',                "<Location \"/e\">\nHERE\n<If \"%{QUERY_STRING} == 'x'\">\nRequire all denied\n</If>\n</Location>\n", '/e', '200 endpoint' ],
    [ 'an If of the whole server',          "$here<If \"%{QUERY_STRING} == 'x'\">\nRequire all denied\n</If>\n", '/e?x', '403' ],
    [ 'Satisfy Any, no user and a good address', "<Location \"/e\">\nHERE\nAuthType Basic\nAuthName x\nAuthBasicProvider file\nAuthUserFile HTDOCS/none\nRequire valid-user\nOrder allow,deny\nAllow from all\nSatisfy Any\n</Location>\n", '/e', '200 endpoint' ],
    [ 'Satisfy All, no user and a good address', "<Location \"/e\">\nHERE\nAuthType Basic\nAuthName x\nAuthBasicProvider file\nAuthUserFile HTDOCS/none\nRequire valid-user\nOrder allow,deny\nAllow from all\nSatisfy All\n</Location>\n", '/e', '401' ],
    [ 'Deny from all',                      "<Location \"/e\">\nHERE\nOrder allow,deny\nDeny from all\n</Location>\n", '/e', '403' ],
    [ 'the main server denies what a virtual host places', "<Location \"/shut\">\nHERE\n</Location>\n", '/shut', '403' ],
    [ 'the main server places what a virtual host denies', "<Location \"/main\">\nRequire all denied\n</Location>\n", '/main', '403' ],
    [ 'Directory has no say',               "$here<Directory \"HTDOCS\">\nRequire all denied\n</Directory>\n", '/e', '200 endpoint', '403' ],
    [ 'none in an inner section',           "<Location \"/\">\nHERE\n</Location>\n<Location \"/file.html\">\nNONE\n</Location>\n", '/file.html', '200 file' ],

    # ---- other handlers, and files ----
    [ 'SetHandler in an outer section',     "<Location \"/\">\nSetHandler nothing\n</Location>\n$here", '/e', '200 endpoint' ],
    [ 'SetHandler in a section that follows', "$here<Location \"/\">\nSetHandler nothing\n</Location>\n", '/e', '200 endpoint', '404' ],
    [ 'SetHandler before it in the section', "<Location \"/e\">\nSetHandler nothing\nHERE\n</Location>\n", '/e', '200 endpoint' ],
    [ 'SetHandler after it in the section', "<Location \"/e\">\nHERE\nSetHandler nothing\n</Location>\n", '/e', '200 endpoint', '404' ],
    [ 'SetHandler after it, denied',        "<Location \"/e\">\nHERE\nRequire all denied\nSetHandler nothing\n</Location>\n", '/e', '403' ],
    [ 'none and SetHandler in an inner section', "<Location \"/\">\nHERE\n</Location>\n<Location \"/x\">\nNONE\nSetHandler server-status\n</Location>\n", '/x', '200 endpoint' ],
    [ 'SetHandler in an If',                "$here<If \"true\">\nSetHandler nothing\n</If>\n", '/e', '200 endpoint', '404' ],
    [ 'ForceType',                          "<Location \"/e\">\nHERE\nForceType text/plain\n</Location>\n", '/e', '200 endpoint' ],
    [ 'a file',                             "<Location \"/file.html\">\nHERE\n</Location>\n", '/file.html', '200 endpoint' ],
    [ 'a file with AddHandler',             "AddHandler type-map .html\n<Location \"/file.html\">\nHERE\n</Location>\n", '/file.html', '200 endpoint' ],
    [ 'a directory',                        "<Location \"/dir\">\nHERE\n</Location>\n", '/dir', '200 endpoint', '301' ],
    [ 'Alias',                              "Alias \"/e\" \"HTDOCS/file.html\"\n$here", '/e', '200 endpoint' ],
    [ 'Alias, denied',                      "Alias \"/e\" \"HTDOCS/file.html\"\n$denied", '/e', '403' ],
    [ 'ScriptAlias',                        "ScriptAlias \"/e\" \"HTDOCS/file.html\"\n$here", '/e', '200 endpoint' ],
    [ 'Redirect',                           "Redirect \"/e\" \"http://localhost/\"\n$here", '/e', '302' ],
    [ 'Redirect in it',                     "<Location \"/e\">\nHERE\nRedirect \"http://localhost/\"\n</Location>\n", '/e', '302' ],
    [ 'UserDir',                            "UserDir HTDOCS\n<Location \"/~e\">\nHERE\n</Location>\n", '/~e', '200 endpoint' ],
    [ 'VirtualDocumentRoot',                "VirtualDocumentRoot HTDOCS/%0\n$here", '/e', '200 endpoint' ],
    [ 'CheckSpelling',                      "CheckSpelling On\n<Location \"/file.htm\">\nHERE\n</Location>\n", '/file.htm', '200 endpoint', '301' ],
    [ 'MultiViews',                         "<Directory \"HTDOCS\">\nOptions MultiViews\n</Directory>\n<Location \"/file\">\nHERE\n</Location>\n", '/file', '200 endpoint', '200 file' ],
    [ 'MultiViews, denied',                 "<Directory \"HTDOCS\">\nOptions MultiViews\n</Directory>\n<Location \"/file\">\nHERE\nRequire all denied\n</Location>\n", '/file', '403' ],
    [ 'the file that MultiViews chooses',   "<Directory \"HTDOCS\">\nOptions MultiViews\n</Directory>\n<Location \"/file.html\">\nHERE\n</Location>\n", '/file', '404', '200 endpoint' ],
    [ 'the file that MultiViews chooses, denied', "<Directory \"HTDOCS\">\nOptions MultiViews\n</Directory>\n<Location \"/file.html\">\nHERE\nRequire all denied\n</Location>\n", '/file', '404' ],
    [ 'DirectoryIndex',                     "DirectoryIndex /e\n$here", '/', '404' ],
    [ 'DirectoryIndex, denied',             "DirectoryIndex /e\n$denied", '/', '403' ],
    [ 'DirectoryIndex of the top itself',   "DirectoryIndex file.html\n$top", '/', '200 endpoint', '200 file' ],
    [ 'DirectoryIndex where a file is',     "DirectoryIndex file.html\n<Location \"/file.html\">\nHERE\n</Location>\n", '/', '404', '200 endpoint' ],
    [ 'FallbackResource',                   "FallbackResource /e\n$here", '/missing', '404' ],
    [ 'FallbackResource is not asked',      "FallbackResource /file.html\n$here", '/e', '200 endpoint' ],
    [ 'FallbackResource, denied',           "FallbackResource /e\n$denied", '/missing', '403' ],
    [ 'Dav in an outer section',            "<Location \"/\">\nDav On\n</Location>\n$here", '/e', '200 endpoint' ],
    [ 'Dav is no way round a Directory',    "<Location \"/\">\nDav On\n</Location>\n<Directory \"HTDOCS\">\nRequire all denied\n</Directory>\n<Location \"/put\">\nHERE\n</Location>\n", 'PUT /put', '409', '403' ],

    # ---- mod_rewrite ----
    [ 'rewritten to something else, PT',    "${engine}RewriteRule ^/\$ /file.html [PT]\n$top", '/', '200 file' ],
    [ 'rewritten to something else, PT, and denied', "${engine}RewriteRule ^/\$ /file.html [PT]\n<LocationMatch \"^/\$\">\nHERE\nRequire all denied\n</LocationMatch>\n", '/', '200 file' ],
    [ 'rewritten to something denied, PT',  "${engine}RewriteRule ^/e\$ /file.html [PT]\n$here<Location \"/file.html\">\nRequire all denied\n</Location>\n", '/e', '403' ],
    [ 'rewritten to it, PT',                "${engine}RewriteRule ^/v1/e\$ /e [PT]\n$here", '/v1/e', '200 endpoint' ],
    [ 'rewritten to it, PT, denied',        "${engine}RewriteRule ^/v1/e\$ /e [PT]\n$denied", '/v1/e', '403' ],
    [ 'rewritten to a path below it, PT',   "${engine}RewriteRule ^/v1/e\$ /e/x [PT]\n$here", '/v1/e', '404', '200 endpoint' ],
    [ 'rewritten to it from a denied path, PT', "${engine}RewriteRule ^/v1/e\$ /e [PT]\n$here<Location \"/v1\">\nRequire all denied\n</Location>\n", '/v1/e', '200 endpoint' ],
    [ 'rewritten to it from a file, PT',    "${engine}RewriteRule ^/file.html\$ /e [PT]\n$here", '/file.html', '200 endpoint' ],
    [ 'rewritten to a file without PT',     "${engine}RewriteRule ^/e\$ HTDOCS/file.html\n$here", '/e', '200 endpoint' ],
    [ 'rewritten to a file without PT, denied', "${engine}RewriteRule ^/e\$ HTDOCS/file.html\n$denied", '/e', '403' ],
    [ 'redirected',                         "${engine}RewriteRule ^/e\$ /file.html [R]\n$here", '/e', '302' ],
    [ 'forbidden',                          "${engine}RewriteRule ^/e\$ - [F]\n$here", '/e', '403' ],
    [ 'proxied',                            "${engine}RewriteRule ^/e\$ DEAD [P]\n$here", '/e', '503' ],
    [ 'proxied, denied',                    "${engine}RewriteRule ^/e\$ DEAD [P]\n$denied", '/e', '403' ],
    [ 'a rule of a directory',              "$here<Directory \"HTDOCS\">\n${engine}RewriteRule ^old\$ /e [L]\n</Directory>\n", '/old', '200 endpoint' ],
    [ 'a rule of a directory, denied',      "$denied<Directory \"HTDOCS\">\n${engine}RewriteRule ^old\$ /e [L]\n</Directory>\n", '/old', '403' ],
    [ 'a rule of its own section',          "<Location \"/e\">\nHERE\n${engine}RewriteRule ^ /file.html [L]\n</Location>\n", '/e', '200 file' ],
    [ 'a rule of its own section that redirects', "<Location \"/e\">\nHERE\n${engine}RewriteRule ^ http://localhost/ [R,L]\n</Location>\n", '/e', '302' ],
    [ 'a rule of its own section that forbids', "<Location \"/e\">\nHERE\n${engine}RewriteRule ^ - [F]\n</Location>\n", '/e', '403' ],
    [ 'a rule of its own section that proxies', "<Location \"/e\">\nHERE\n${engine}RewriteRule ^ DEAD [P]\n</Location>\n", '/e', '503' ],

    # ---- mod_proxy ----
    [ 'ProxyPass of everything',            "ProxyPass \"/\" \"DEAD\"\n$here",   '/e', '200 endpoint', '503' ],
    [ 'ProxyPass of everything, denied',    "ProxyPass \"/\" \"DEAD\"\n$denied", '/e', '403' ],
    [ 'ProxyPass of everything, another path', "ProxyPass \"/\" \"DEAD\"\n$here", '/x', '503' ],
    [ 'ProxyPass of everything, and a pattern', "ProxyPass \"/\" \"DEAD\"\n$top", '/', '200 endpoint', '503' ],
    [ 'ProxyPassMatch',                     "ProxyPassMatch \"^/(.*)\" \"DEAD\$1\"\n$here", '/e', '200 endpoint', '503' ],
    [ 'ProxyPass of encoded URLs',          "ProxyPass \"/\" \"DEAD\" mapping=encoded\n$here", '/e', '200 endpoint', '503' ],
    [ 'ProxyPass of encoded URLs, another path', "ProxyPass \"/\" \"DEAD\" mapping=encoded\n$here", '/x', '503' ],
    [ 'ProxyPass of encoded URLs, a letter in percent', "ProxyPass \"/\" \"DEAD\" mapping=encoded\n$here", '/%65', '200 endpoint', '503' ],
    [ 'ProxyPass in an outer section',      "<Location \"/\">\nProxyPass \"DEAD\"\n</Location>\n$here", '/e', '200 endpoint', '503' ],
    [ 'ProxyPass in its section',           "<Location \"/e\">\nHERE\nProxyPass \"DEAD\"\n</Location>\n", '/e', '200 endpoint', '503' ],
    [ 'none and ProxyPass in an inner section', "<Location \"/\">\nHERE\n</Location>\n<Location \"/x\">\nNONE\nProxyPass \"DEAD\"\n</Location>\n", '/x', '503' ],
    [ 'ProxyPass, and rewritten to something else', "${engine}RewriteRule ^/e\$ /x [PT]\nProxyPass \"/\" \"DEAD\"\n$here", '/e', '503' ],
    [ 'ProxyPass of encoded URLs, and rewritten to something else', "${engine}RewriteRule ^/e\$ /x [PT]\nProxyPass \"/y\" \"DEAD\" mapping=encoded\nProxyPass \"/\" \"DEAD\"\n$here", '/e', '503' ],
    [ 'ProxyPass, and rewritten to it',     "${engine}RewriteRule ^/x\$ /e [PT]\nProxyPass \"/\" \"DEAD\"\n$here", '/x', '200 endpoint', '503' ],
    [ 'ProxyPass, and rewritten to it, denied', "${engine}RewriteRule ^/x\$ /e [PT]\nProxyPass \"/\" \"DEAD\"\n$denied", '/x', '403' ],
    [ 'SetHandler proxy: in an outer section', "<Location \"/\">\nSetHandler \"proxy:DEAD\"\n</Location>\n$here", '/e', '200 endpoint' ],
    [ 'a forward proxy, asked for another host', "ServerAlias ADDRESS\nProxyRequests On\n<LocationMatch \"/e\$\">\nHERE\n</LocationMatch>\n<Proxy \"*\">\nRequire all denied\n</Proxy>\n", 'http://ADDRESS:1/e', '403' ],
    [ 'a forward proxy, let through',       "ServerAlias ADDRESS\nProxyRequests On\n<LocationMatch \"/e\$\">\nHERE\n</LocationMatch>\n", 'http://ADDRESS:1/e', '503' ],

    # ---- internal redirects and subrequests ----
    [ 'Action',                             "Action go /e virtual\n<LocationMatch \"^/e\">\nHERE\n</LocationMatch>\n<Location \"/go\">\nSetHandler go\n</Location>\n", '/go', '200 endpoint' ],
    [ 'Action, denied',                     "Action go /e virtual\n$denied<Location \"/go\">\nSetHandler go\n</Location>\n", '/go', '403' ],
    [ 'Action, a path below',               "Action go /e virtual\n$here<Location \"/go\">\nSetHandler go\n</Location>\n", '/go', '404', '200 endpoint' ],
    [ 'ErrorDocument 404',                  "ErrorDocument 404 /e\n$here", '/missing', '404', '404 endpoint' ],
    [ 'ErrorDocument 404, POST',            "ErrorDocument 404 /e\n$here", 'POST /missing', '404', '404 endpoint' ],
    [ 'ErrorDocument 403',                  "ErrorDocument 403 /e\n$here<Location \"/file.html\">\nRequire all denied\n</Location>\n", '/file.html', '403', '403 endpoint' ],
    [ 'ErrorDocument 403, the endpoint itself', "ErrorDocument 403 /e\n$denied", '/e', '403', 'not asked' ],
    [ 'ErrorDocument 404, denied',          "ErrorDocument 404 /e\n$denied", '/missing', '404' ],
    [ 'ErrorDocument 401',                  "ErrorDocument 401 /e\n$here<Location \"/file.html\">\nAuthType Basic\nAuthName x\nAuthBasicProvider file\nAuthUserFile HTDOCS/none\nRequire valid-user\n</Location>\n", '/file.html', '401', '401 endpoint' ],
    [ 'ErrorDocument 404, and rewritten',   "ErrorDocument 404 /v1\n${engine}RewriteRule ^/v1\$ /e [PT]\n$here", '/missing', '404', '404 endpoint' ],
    [ 'ErrorDocument 503 of a proxy',       "ErrorDocument 503 /e\nProxyPass \"/x\" \"DEAD\"\n$here", '/x', '503', '503 endpoint' ],
    [ 'an include',                         "<Location \"/e\">\nHERE\n</Location>\n", '/page.shtml', '200 endpoint' ],
    [ 'an include, with a condition',       "<Location \"/e\">\nHERE\n</Location>\n", 'GET /page.shtml If-None-Match:*', '200 endpoint' ],
    [ 'an include, denied',                 $denied, '/page.shtml', '200 page' ],
    [ 'an include, POST',                   "<Location \"/e\">\nHERE\n</Location>\n", 'POST /page.shtml', '200 endpoint' ],

    # ---- TRACE ----
    [ 'TRACE, which is off',                $here,   'TRACE /e', '405' ],
    [ 'TRACE, which is on',                 "TraceEnable On\n$here",   'TRACE /e', '200 trace' ],
);

# r-NUMBER.test has the endpoint, c-NUMBER.test server-status in its place.
my %handlers = (r => [ 'RatingsEndpoint metadata', 'RatingsEndpoint none' ], c => [ 'SetHandler server-status', 'SetHandler none' ]);

sub address { my ($kind, $number) = @_; return "127.0.$number." . ($kind eq 'r' ? 1 : 2) }

sub virtual_host {
    my ($kind, $number, $htdocs) = @_;
    my ($handler, $none) = @{ $handlers{$kind} };
    my %words = (HERE => $handler, NONE => $none, DEAD => 'http://127.0.0.1:1/', HTDOCS => $htdocs, ADDRESS => address($kind, $number));
    return "ServerName $kind-$number.test\n" . $rows[$number][1] =~ s/(HERE|NONE|DEAD|HTDOCS|ADDRESS)/$words{$1}/gr;
}

sub ask {
    my ($httpd, $kind, $number) = @_;
    my $host = "$kind-$number.test";
    my ($method, $path, $header) = $rows[$number][2] =~ /^(?:([A-Z]+) )?(\S+)(?: (\S+))?$/;
    $path =~ s/HOST/$host/;
    $path =~ s/ADDRESS/address($kind, $number)/e;
    return client(port => $httpd->port, host => $host)
        ->request($method || 'GET', $path, [ split /:/, $header || '', 2 ], ($method || '') =~ /^P/ ? 'x' : undef);
}

sub told {
    my ($response) = @_;
    my %kinds = (endpoint => qr/"metadata":|Apache Server Status/, file => qr/^a file$/m, page => qr/^a page$/m, trace => qr/^TRACE /);
    my ($kind) = grep { ($response->body // '') =~ $kinds{$_} } sort keys %kinds;
    return $response->status . ($kind ? " $kind" : '');
}

sub check {
    my ($httpd, $number, $order) = @_;
    my ($name, undef, undef, $answer, $control) = @{ $rows[$number] };
    my ($ours, $httpds) = map { ($control // '') eq 'not asked' && $_ eq 'c' ? undef : ask($httpd, $_, $number) } qw(r c);
    $answer = told($httpds) if $answer eq 'same';
    is(told($ours), $answer, "$order: $name") or diag(substr $ours->raw, 0, 600);
    return unless $httpds;
    is(told($httpds), $control // $answer, "$order: $name: " . (defined $control ? 'a handler of httpd differs' : 'as a handler of httpd'))
        or diag(substr $httpds->raw, 0, 600);
}

# What was refused, or led elsewhere, is not counted either.
my $counted = <<'END';
ServerName counted.test
RewriteEngine On
RewriteRule ^/shut/a$ /file.html [PT]
RewriteRule ^/open/b$ /shut/b [PT]
RewriteRule ^/closed/c$ /open/c [PT]
ErrorDocument 403 /open/error
<LocationMatch "^/(shut|open)/">
RatingsEndpoint ratings
</LocationMatch>
<Location "/shut">
Require all denied
</Location>
<Location "/closed">
Require all denied
</Location>
<Directory "HTDOCS">
RewriteEngine On
RewriteRule ^inside/d$ /open/d [L]
RewriteRule ^inside/e$ /shut/e [L]
</Directory>
END

sub check_counts {
    my ($httpd, $order) = @_;
    my ($talk, $count) = (new_talk(), 0);
    for (
        [ '/shut/x' => 403, 0 ], [ '/shut/a' => 200, 0 ], [ '/open/b' => 403, 0 ], [ '/shut/c' => 403, 0 ], [ '/inside/e' => 403, 0 ],
        [ '/open/x' => 200, 1 ], [ '/closed/c' => 200, 1 ], [ '/inside/d' => 200, 1 ], [ '/error' => 404, 0 ],
        )
    {
        my ($path, $status, $more) = @$_;
        my $answer = rate($talk, 5, port => $httpd->port, host => 'counted.test', path => $path);
        is($answer->status, $status, "$order: POST $path: $status");
        # read by another httpd, which counts all that the position asks for
        my $position = $answer->header('Ratings-Position');
        is(total(histogram_of($talk, headers => [ $position ? ('Ratings-Position' => $position) : () ])), $count += $more, "$order: POST $path: counted " . ($more ? 'once' : 'not at all'));
    }
}

my @modules = qw(rewrite proxy proxy_http alias actions include filter mime negotiation userdir vhost_alias speling auth_basic authn_core
    authn_file authz_user access_compat status dav dav_fs);
my %files = ('file.html' => "a file\n", 'dir/file.html' => "a file\n", 'page.shtml' => "a page\n<!--#include virtual=\"/e\" -->\n");
my $main = <<'END';
TypesConfig /dev/null
TraceEnable off
AddType text/html .shtml .html
AddOutputFilter INCLUDES .shtml
<Location "/page.shtml">
Options +Includes
</Location>
<Location "/shut">
Require all denied
</Location>
<Location "/main">
RatingsEndpoint metadata
</Location>
<Location "/readyz">
RatingsEndpoint health
</Location>
END

for my $order ('loaded last', 'loaded first') {
    my $name  = $order =~ s/ /-/r;
    my $httpd = own_httpd(name => "access-$name", conf => '');
    my $directory = "$ENV{TEST_LOGS}/access-$name";
    mkdir "$directory/htdocs/dir";
    write_file("$directory/htdocs/$_", $files{$_}) for keys %files;
    my @hosts = ('ServerName first.test', map { my $number = $_; map { virtual_host($_, $number, "$directory/htdocs") } qw(r c) } 0 .. $#rows);
    push @hosts, $counted =~ s/HTDOCS/$directory\/htdocs/r;
    my $when = $order eq 'loaded last' ? 'modules' : 'late_modules';
    $httpd->configure($when => RatingsTest::Httpd::load(@modules), conf => join '', RatingsTest::Httpd::backends(), $main,
        "DAVLockDB $directory/lock\n", map { "<VirtualHost 127.0.0.1:@{[$httpd->port]}>\n$_\n</VirtualHost>\n" } @hosts);
    # of the handlers beside which the endpoints are tried
    $httpd->expect_log(qr/\[(?:authz_core|access_compat|auth_basic|proxy|proxy_http|dav|include|rewrite|negotiation|core):error\]/);
    $httpd->start;
    ok(wait_ready(port => $httpd->port, host => 'first.test'), "$order: ready");
    check($httpd, $_, $order) for 0 .. $#rows;
    check_counts($httpd, $order);
    ok(!-e "$directory/htdocs/put", "$order: no file was made");
    ok(defined $httpd->stop, "$order: it stops");
}

finish();
