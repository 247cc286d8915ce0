# ChrootDir: httpd's children live in a directory that holds /etc/hosts and nothing else, and serve: all that they load
# is there before.
use strict;
use warnings;
use File::Path qw(make_path);
use Test::More;
use RatingsTest '-alone';

plan(skip_all => 'needs root') if $> != 0;
plan(skip_all => 'a sanitizer reads /proc') if sanitized();

my $group = getgrgid((getpwnam $ENV{TEST_USER})[3]);
my $root  = "$ENV{TEST_LOGS}/chroot/root";
make_path("$root/etc");
write_file("$root/etc/hosts", "127.0.0.1 backends.test\n");

my $backends = RatingsTest::Httpd::backends(topic => 'ratings-chroot', database => 9);
my $httpd = own_httpd(
    name => 'chroot', database => 9, modules => qq(LoadModule dbd_module "$ENV{TEST_MODULES}/mod_dbd.so"\n), # which loads drivers as well
    conf => $backends =~ s/\$\{(\w+)\}/$ENV{$1} =~ s{127\.0\.0\.1}{backends.test}gr/ger . RatingsTest::Httpd::locations(),
    before => "User $ENV{TEST_USER}\nGroup $group\nChrootDir $root\nDBDriver pgsql\nDBDParams \"$ENV{TALKS_CONNECTION}\"\n",
)->expect_log(qr/RT0305/, qr/RT0501: request \S+ answered with 202/)->start;
my @at = (port => $httpd->port);

# The root of each child, as the kernel names it.
sub roots { return join ' ', sort keys %{ { map { ((readlink("/proc/$_/root") // 'gone') => 1) } $httpd->children } } }

sub serves {
    my ($when) = @_;
    ok(wait_ready(@at), "$when: ready") or diag($httpd->log->lines);
    ok(wait_until(sub { roots() eq $root }, 10), "$when: the children are in their root") or diag(roots());
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, "$when: a rating is taken");
    my $answer = histogram_of($talk, @at);
    is(total($answer), 1, "$when: and read");
    ok($answer->{stats}, "$when: with statistics");
    return;
}

serves('at the start');
my %old = map { $_ => 1 } $httpd->children;
$httpd->signal('USR1');
ok(wait_until(sub { my @now = $httpd->children; @now && !grep { $old{$_} } @now }, 15), 'after a graceful restart the children are new ones');
serves('after a graceful restart');
ok(defined $httpd->stop, 'it stops');

finish();
