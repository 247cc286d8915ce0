# An id that the database cannot hold is no talk: a 404, however often it is asked for, and never PostgreSQL's failure.
use strict;
use warnings;
use Test::More;
use RatingsTest '-alone';

my $database = 'in_latin1';
RatingsTest::psql("drop database if exists $database");
RatingsTest::psql("create database $database template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'");
my $connection = $ENV{TALKS_CONNECTION} =~ s{/[^/?]*(\?|$)}{/$database$1}r;
{
    local $ENV{TALKS_CONNECTION} = $connection;
    RatingsTest::psql('create table talks (uuid varchar(255) primary key)');
    RatingsTest::psql("insert into talks values ('known'), (E'na\\u00efve')");
}

my $conf  = RatingsTest::Httpd::backends(topic => 'ratings-talk-ids', database => 10) =~ s/\$\{TALKS_CONNECTION\}/$connection/r;
my $httpd = own_httpd(name => 'talk-ids', database => 10, conf => $conf . RatingsTest::Httpd::locations())->start;
my @at    = (port => $httpd->port);
ok(wait_ready(@at), 'ready') or diag($httpd->log->lines);

my %statuses;
for my $n (1 .. 40) { # far more than RatingsBreakerFailures, and in each child
    $statuses{ get('/ratings?talkId=%E6%BC%A2', @at)->status }++;
    $statuses{ rate("\x{6f22}", 5, @at)->status }++ if $n % 4 == 0;
}
is(join(' ', keys %statuses), '404', 'a character that the encoding does not have') or diag(to_json(\%statuses));
is(get('/ratings?talkId=known', @at)->status, 200, 'a talk is read meanwhile');
is(get('/ratings?talkId=na%C3%AFve', @at)->status, 200, 'as one with a character that it has');
is(get('/ratings?talkId=nai%CC%88ve', @at)->status, 404, 'the other Unicode form of which is no talk');
is(get('/readyz', @at)->status, 200, 'PostgreSQL is healthy');
ok(!$httpd->log->has(qr/RT0201/), 'and nobody has said otherwise');
$httpd->stop;
RatingsTest::psql("drop database $database");

finish();
