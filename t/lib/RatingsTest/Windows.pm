# Databases of a test's own, whose table of talks has windows, or none; and httpds that use them.
package RatingsTest::Windows;

use strict;
use warnings;
use parent 'Exporter';
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(time);

use RatingsTest ();

our @EXPORT = qw(make_database drop_databases in_database start_with talk_within edit_talk rfc3339);

my $serial = 0;
my %made;

sub connection_to { my ($database) = @_; return $ENV{TALKS_CONNECTION} =~ s{/[^/?]*(\?|$)}{/$database$1}r }

sub in_database {
    my ($database, $statement) = @_;
    local $ENV{TALKS_CONNECTION} = connection_to($database);
    return RatingsTest::psql($statement);
}

sub drop_database { return RatingsTest::psql("set client_min_messages = warning; drop database if exists $_[0] with (force)") }

# make_database(NAME, COLUMNS): one with an empty table of talks, which has the id and these columns
sub make_database {
    my ($database, $columns) = @_;
    drop_database($database);
    RatingsTest::psql("create database $database");
    in_database($database, "create table talks (uuid varchar(255) primary key$columns)");
    $made{$database} = 1;
    return;
}

sub drop_databases { drop_database($_) for sort keys %made; return }

# An httpd of the test's own by its name, its talks in a database, its other options; started, and ready.
sub start_with {
    my ($name, $database, $own, %options) = @_;
    my $connection = connection_to($database);
    my $conf  = RatingsTest::Httpd::backends(%$own) =~ s/\$\{TALKS_CONNECTION\}/$connection/r;
    my $httpd = RatingsTest::own_httpd(name => $name, %$own, conf => $conf . RatingsTest::Httpd::locations(), %options)
        ->expect_log(qr/RT020[1-4]: circuit breaker/, qr/RT030[12]: /, qr/RT0305: /, qr/RT0501: /);
    $httpd->start;
    ok(RatingsTest::wait_ready(port => $httpd->port), "$name: ready") or diag($httpd->log->lines);
    return ($httpd, port => $httpd->port);
}

# ---- talks ----

# A time as SQL has it: of epoch seconds, or infinity; undef is no bound
sub stamp { my ($time) = @_; return !defined $time ? 'null' : $time =~ /inf/ ? "'$time'" : sprintf 'to_timestamp(%.3f)', $time }

# talk_within(DATABASE, opens_at => epoch seconds, closes_at => ...)
sub talk_within {
    my ($database, %bound) = @_;
    my $id = sprintf 'w-%d-%d-%d', time, $$, ++$serial;
    in_database($database, "insert into talks (uuid, opens_at, closes_at) values ('$id', " . stamp($bound{opens_at}) . ', ' . stamp($bound{closes_at}) . ')');
    return $id;
}

sub edit_talk {
    my ($database, $id, $column, $time) = @_;
    return in_database($database, "update talks set $column = " . stamp($time) . " where uuid = '$id'");
}

# RFC 3339, in UTC, to the millisecond, as stamp() sets it
sub rfc3339 {
    my ($time) = @_;
    my $ms = sprintf '%.0f', $time * 1000;
    my $fraction = $ms % 1000 ? sprintf '.%06d', 1000 * ($ms % 1000) : '';
    return strftime('%Y-%m-%dT%H:%M:%S', gmtime int($ms / 1000)) . $fraction . 'Z';
}

1;
