# The answer, the topic and the store agree on what was rated.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

ok(wait_ready(), 'ready') or BAIL_OUT('the service does not become ready');

my $talk  = new_talk();
my $since = time - 1;
my @posted = (5, 5, 3, 1, 5, 2);
my @statuses = map { rate($talk, $_)->status } @posted;
is_deeply(\@statuses, [ (200) x @posted ], 'each rating is acknowledged as visible');

my %count = (1 => 1, 2 => 1, 3 => 1, 4 => 0, 5 => 3);
my $answer = histogram_of($talk);
is_deeply($answer->{ratings}, \%count, 'GET counts each rating once');
is($answer->{stats}{totalCount}, 6, 'the statistics have the total');
cmp_ok(abs($answer->{stats}{avg} - 21 / 6), '<', 1e-12, 'the statistics have the average');

my %stored = %{ redis()->hash("ratings/$talk") };
is_deeply({ map { $_ => $stored{$_} // 0 } 1 .. 5 }, \%count, 'HGETALL ratings/ID has the same counts');

my @records = grep { ($_->{key} // '') eq $talk } topic_since($since);
is_deeply([ map { json($_->{payload})->{value} } @records ], \@posted, 'the topic has each rating once, in order');
is(scalar(keys %{ { map { $_->{partition} => 1 } @records } }), 1, 'all records of a talk are in one partition');
is_deeply(json($records[0]{payload}), { version => 1, talkId => $talk, value => 5 }, 'an event is version, talkId, value');
unlike($records[0]{payload}, qr/\s/, 'an event is compact JSON');
my %headers = @{ $records[0]{headers} };
is($headers{ce_specversion}, '1.0', 'CloudEvents 1.0 in binary mode');
ok(length($headers{$_} // ''), "header $_ is there") for qw(ce_id ce_type ce_source);
like($headers{ce_time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, 'ce_time is RFC 3339');
is(scalar(keys %{ { map { my %h = @{ $_->{headers} }; $h{ce_id} => 1 } @records } }), scalar @records, 'each event has an id of its own');

my ($partition, $last) = @{ $records[-1] }{qw(partition offset)};
my %log = %{ redis()->hash('ratings:log') };
is($log{topic}, 'ratings', 'ratings:log names the topic');
cmp_ok($log{"position:$partition"}, '>', $last, 'the position has passed the last record');
like($log{"mark:$partition"} // '', qr/\d/, 'the mark of the last record applied is there');
ok(wait_until(sub { redis()->call('PTTL', 'ratings:projector') > 0 }, 10), 'the lease is held, and ends by itself');

my $other = new_talk();
is_deeply(histogram_of($other), { ratings => { map { $_ => 0 } 1 .. 5 }, stats => { avg => 0, totalCount => 0 } },
    'a talk that nobody has rated has five zeros');
is(redis()->call('EXISTS', "ratings/$other"), 0, 'reading makes no key in the store');

finish();
