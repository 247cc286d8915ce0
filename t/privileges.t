# httpd started as root: its children are somebody else, and serve.
use strict;
use warnings;
use Test::More;
use RatingsTest '-alone';

plan(skip_all => 'needs root') if $> != 0;

my $group = getgrgid((getpwnam $ENV{TEST_USER})[3]);
my $httpd = own_httpd(
    name => 'privileges', topic => 'ratings-privileges', database => 7,
    before => "User $ENV{TEST_USER}\nGroup $group\n",
)->expect_log(qr/RT0305/, qr/RT0501: request \S+ answered with 202/)->start;
my @at = (port => $httpd->port);

# A child is root's until it has read its orders.
sub owners { return join ' ', sort keys %{ { map { ((getpwuid((stat "/proc/$_")[4]))[0] => 1) } $httpd->children } } }

ok(wait_ready(@at), 'ready') or diag($httpd->log->lines);
ok(wait_until(sub { owners() eq $ENV{TEST_USER} }, 10), 'the children have given up root') or diag(owners());
my $talk = new_talk();
is(rate($talk, 5, @at)->status, 200, 'a rating is taken');
is(total(histogram_of($talk, @at)), 1, 'and read');
my %old = map { $_ => 1 } $httpd->children;
$httpd->signal('USR1');
ok(wait_until(sub { my @now = $httpd->children; @now && !grep { $old{$_} } @now }, 15), 'after a graceful restart the children are new ones');
ok(wait_until(sub { owners() eq $ENV{TEST_USER} }, 10), 'who have given up root') or diag(owners());
ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 10), 'and take ratings');
ok(wait_until(sub { total(histogram_of($talk, @at)) >= 2 }, 5), 'which are read');
ok(defined $httpd->stop, 'it stops');

finish();
