# httpd started as root: its children are somebody else, and serve.
use strict;
use warnings;
use Test::More;
use RatingsTest '-alone';

plan(skip_all => 'needs root') if $> != 0;

my $group  = getgrgid((getpwnam $ENV{TEST_USER})[3]);
sub file_of_root {
    my ($name, $text) = @_;
    return 'file:' . secret_file("privileges.$name", $text);
}
my $secret  = file_of_root(secret => 'x' x 32);
my %strings = (RatingsTalks => $ENV{TALKS_CONNECTION}, RatingsStore => "$ENV{RATINGS_CONNECTION}/7", RatingsStream => $ENV{STREAMS_CONNECTION}, RatingsStats => $ENV{RATINGS_LAMBDA_URL});
my $httpd = own_httpd(
    name => 'privileges', database => 7, cores => 0,
    conf => join('', map { "$_ " . file_of_root($_, "$strings{$_}\n") . "\n" } sort keys %strings) . "RatingsTopic ratings-privileges\nRatingsTopicPartitions 4\n" . RatingsTest::Httpd::locations(),
    before => "User $ENV{TEST_USER}\nGroup $group\n",
    after => qq(RatingsVoterSecret "$secret"\n<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\n</Location>\n),
)->expect_log(qr/RT0305/, qr/RT0501: request \S+ answered with 202/)->start;
my @at = (port => $httpd->port);

# A child is root's until it has read its orders.
sub owners { return join ' ', sort keys %{ { map { ((getpwuid((stat "/proc/$_")[4]))[0] => 1) } $httpd->children } } }

ok(wait_ready(@at), 'ready') or diag($httpd->log->lines);
ok(wait_until(sub { owners() eq $ENV{TEST_USER} }, 10), 'the children have given up root') or diag(owners());
is_deeply([ grep { (stat "/proc/$_/environ")[4] != 0 } $httpd->children ], [], 'and root alone sees the environment and the memory of each');
my $talk = new_talk();
is(rate($talk, 5, @at)->status, 200, 'a rating is taken');
is(total(histogram_of($talk, @at)), 1, 'and read');
is(rate($talk, $_, @at, headers => [ 'X-User' => 'ann' ])->status, 200, 'also a voter\'s, whose secret root alone may read') for 4, 3;
is_deeply((histogram_of($talk, @at) || {})->{ratings}, { 1 => 0, 2 => 0, 3 => 1, 4 => 0, 5 => 1 }, 'which is one');
my %old = map { $_ => 1 } $httpd->children;
$httpd->signal('USR1');
ok(wait_until(sub { my @now = $httpd->children; @now && !grep { $old{$_} } @now }, 15), 'after a graceful restart the children are new ones');
ok(wait_until(sub { owners() eq $ENV{TEST_USER} }, 10), 'who have given up root') or diag(owners());
ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 10), 'and take ratings');
ok(wait_until(sub { total(histogram_of($talk, @at)) >= 2 }, 5), 'which are read');
ok(defined $httpd->stop, 'it stops');

# What librdkafka needs to read, its user has to: root's rights are of no use to a child
{
    my $file = "$ENV{TEST_LOGS}/authorities.pem";
    system('cp', '/etc/ssl/certs/ca-certificates.crt', $file) == 0 or die "$file: $?";
    my $other = own_httpd(
        name => 'certificate', port => 2, before => "User $ENV{TEST_USER}\nGroup $group\n",
        conf => RatingsTest::Httpd::backends() . "RatingsKafka security.protocol ssl\nRatingsKafka ssl.ca.location $file\n",
    )->expect_log(qr/RT0106/, qr/AH00014/);
    chmod 0644, $file;
    is(($other->configtest)[0], 0, 'certificates that the children can read are good');
    chmod 0600, $file;
    my ($code, $said) = $other->configtest;
    isnt($code, 0, 'those that root alone can read are not');
    like($said . join('', $other->log->lines), qr/RT0106: RatingsKafka ssl\.ca\.location at /, 'which is said');
}

finish();
