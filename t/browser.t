# The page in Chromium: what t/browser/*.mjs do and see in it, with real backends behind it. TEST_BROWSER names another of these
# scripts to be run: paint (make bench-page) or screenshots (make screenshots).
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin qw($Bin);
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;
use RatingsTest::Windows;

plan skip_all => 'no Node.js, or no Chromium, here: make deps-test' unless $ENV{TEST_NODE} && -x '/usr/bin/chromium';
plan skip_all => 'the page is the same whatever the MPM, and however httpd is built' if mpm() ne 'event' || sanitized();

my $within = 900; # seconds, for all of it: a busy machine is slow
my %own    = (topic => 'ratings-browser-' . int(time) . "-$$", database => 15);
my $home   = tempdir('browser-XXXXXX', TMPDIR => 1, CLEANUP => 1); # short: Chromium has a socket below it, whose name has a bound
my $codes  = "$ENV{TEST_LOGS}/browser-codes";
my $pictures = "$ENV{TEST_LOGS}/browser-pictures";
my $secret = "$ENV{TEST_LOGS}/browser.secret";

make_database('browser', ', title text');
in_database('browser', read_file("$ENV{TEST_CONF}/schema.sql") =~ s/\A.*?(?=^alter)//msr);
RatingsTest::psql("alter database browser set timezone = 'Europe/Berlin'");

# ---- one httpd, a virtual host for each way to set it up ----

my $voters = qq(<Location "/ratings">\nRatingsVoter cookie\n</Location>\n);
my %hosts = (
    voters    => $voters,
    anonymous => '',
    late      => "RatingsVisibilityTimeout 0\n$voters",
    down      => qq(RatingsStore "$ENV{RATINGS_CONNECTION}/12"\n) . "RatingsStream 127.0.0.1:@{[ $ENV{HTTP_PORT} + 9 ]}\nRatingsStreamTimeout 500ms\n$voters",
    hidden    => qq($voters<Location "/">\nRatingsHide until-closed\n</Location>\n),
);
my $port = $ENV{HTTP_PORT} + 1;
write_file($secret, "a secret of the tests, thirty-two bytes or more\n", 0600);
mkdir $pictures;

my ($httpd) = start_with('browser', 'browser', \%own,
    modules => RatingsTest::Httpd::page_modules(),
    before => "RatingsRankingPrior 1,1,1,1,1\nRatingsTalkTTL 0\n",
    after => qq(RatingsVoterSecret "file:$secret"\n) . RatingsTest::Httpd::page(codes => $codes)
        . "<VirtualHost *:$port>\nServerName 127.0.0.1\n</VirtualHost>\n"
        . join '', map { "<VirtualHost *:$port>\nServerName $_.test\n$hosts{$_}</VirtualHost>\n" } sort keys %hosts,
);
$httpd->expect_log(qr/RT0503: .* without the event log/); # of the host that is down

# ---- the scripts ----

# README.md has its pictures in Inter (Debian's fonts-inter), where that is installed; the tests have what a plain system has.
sub set_font {
    my ($font) = @_;
    mkdir "$home/fontconfig";
    write_file("$home/fontconfig/fonts.conf", qq(<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><alias binding="same"><family>system-ui</family><prefer><family>$font</family></prefer></alias></fontconfig>\n));
    return;
}

# Each test of node's runner is one here, with what it says when it fails.
sub run_scripts {
    my ($script) = @_;
    local %ENV = (
        %ENV, HOME => $home, TMPDIR => $home, XDG_CONFIG_HOME => $home, XDG_CACHE_HOME => $home,
        BROWSER_PORT => $port, TALKS_CONNECTION => RatingsTest::Windows::connection_to('browser'), BROWSER_CODES => $codes, BROWSER_PICTURES => $pictures,
    );
    my @node = ("$ENV{TEST_NODE}/node", '--test-reporter=tap', "$Bin/browser/$script.mjs");
    open my $output, '-|', qw(setpriv --pdeathsig TERM -- timeout --kill-after=10), $within, @node or die "node: $!";
    my ($count, $plan, $failed) = (0, 0);
    while (my $line = <$output>) {
        if ($line =~ /^(not )?ok \d+ - (.*)/) { $count++; $failed = $1; ok(!$failed, $2) }
        elsif ($line =~ /^1\.\.(\d+)/) { $plan = $1 }
        elsif ($line =~ /^# (?!Subtest|tests |suites |pass |fail |cancelled |skipped |todo |duration_ms )(.*)/) { diag($1) }
        elsif ($failed && $line =~ /^  /) { chomp $line; diag($line) }
    }
    close $output;
    is($?, 0, 'the scripts end well');
    ok($count && $count == $plan, 'and have run each of their tests');
    return;
}

set_font('Inter') if ($ENV{TEST_BROWSER} // '') eq 'screenshots';
run_scripts($ENV{TEST_BROWSER} || 'all');

ok(defined $httpd->stop, 'it stops');
drop_databases();
finish();
