# What the systems share: the talks, and their ratings, the same for the module (which derives them from its topic)
# and for the peers (which keep them in Redis beside a topic of their own).
package Bench::Store;

use strict;
use warnings;
use Time::HiRes qw(sleep time);

use RatingsTest ();

my $talks = 10_000;

sub talks { return $talks }
sub talk  { my ($number) = @_; return sprintf 'talk-%05d', $number }

# How many have rated the talk so, at the beginning
sub seeded { my ($number, $value) = @_; return 3 + ($number * 7 + $value * 13) % 5 }

# ---- at the beginning ----

# more: of them than are rated and asked for by wrk
sub make_talks {
    my ($more) = @_;
    my $count = $more || $talks;
    open my $psql, '|-', 'timeout', 60, 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', $ENV{TALKS_CONNECTION} or die "psql: $!\n";
    print $psql "insert into talks (uuid, title, speakers, room, track, starts_at, ends_at)
        select 'talk-' || to_char(n, 'FM900000'), 'Title of talk ' || n, array['Speaker ' || n, 'Zoë Übel'], 'Room ' || n % 20, 'Track ' || n % 7, at, at + interval '30 min'
        from (select n, timestamptz '2026-11-29 09:00Z' + n / 20 * interval '45 min' as at from generate_series(1, $count) n) talk
        on conflict do nothing;\nvacuum analyze talks;\n";
    close $psql or die "psql could not insert the talks\n";
}

# kafka_tool(CLASS, ARGUMENT...): what it said
sub kafka_tool {
    my ($class, @arguments) = @_;
    my $output = qx(timeout 120 $ENV{TEST_STACK} kafka-tool $class @arguments 2>&1);
    $? == 0 or die "$class: $output";
    return $output;
}

sub make_topic {
    my ($topic) = @_;
    kafka_tool('TopicCommand', '--bootstrap-server', $ENV{STREAMS_CONNECTION}, qw(--create --if-not-exists --topic), $topic, qw(--partitions 1));
}

sub drop_topic {
    my ($topic) = @_;
    kafka_tool('TopicCommand', '--bootstrap-server', $ENV{STREAMS_CONNECTION}, qw(--delete --if-exists --topic), $topic);
}

# Writes the ratings into the topic, for the projector of a module that runs; they are there when this returns.
sub rate_all {
    my ($database, $topic) = @_;
    my @command = ('timeout', '60', 'kcat', '-P', '-q', '-b', $ENV{STREAMS_CONNECTION}, '-t', $topic, '-K', "\t", '-X', 'topic.partitioner=murmur2');
    my $written = 0;
    open my $kcat, '|-', @command or die "kcat: $!\n";
    for my $number (1 .. $talks) {
        my $talk = talk($number);
        for my $value (1 .. 5) {
            my $count = seeded($number, $value);
            print $kcat qq($talk\t{"version":1,"talkId":"$talk","value":$value}\n) x $count;
            $written += $count;
        }
    }
    close $kcat or die "kcat could not write\n";
    _await($database, $written);
}

sub _await {
    my ($database, $count) = @_;
    my $until = time + 60;
    while ((my $total = total($database)) < $count) {
        die "of $count ratings the store has $total after 60 s\n" if time > $until;
        sleep 0.2;
    }
}

# The counts of one database, for the other
sub copy_counts {
    my ($from, $to) = @_;
    _script($from, "for _, key in ipairs(redis.call('KEYS', 'ratings/*')) do redis.call('COPY', key, key, 'DB', $to, 'REPLACE') end return 1");
}

# Until all talks that are rated are ranked, too
sub await_ranking {
    my ($database) = @_;
    RatingsTest::wait_until(sub { RatingsTest::redis(database => $database)->call('ZCARD', 'ratings:top') == $talks }, 30, 0.1) or die "not all talks are ranked after 30 s\n";
}

# ---- counting ----

sub _script { my ($database, $text) = @_; return RatingsTest::redis(database => $database)->call('EVAL', $text, 0) }

# All ratings of all talks
sub total {
    my ($database) = @_;
    return _script($database, <<'END');
local sum = 0
for _, key in ipairs(redis.call('KEYS', 'ratings/*')) do
    for _, count in ipairs(redis.call('HMGET', key, 1, 2, 3, 4, 5)) do sum = sum + (count or 0) end
end
return sum
END
}

# How many events each partition of a topic holds; partitions: how many it has, if not one
sub lengths {
    my ($topic, $partitions) = @_;
    my @lines   = qx(timeout 20 kcat -Q -b $ENV{STREAMS_CONNECTION} @{[ map { "-t $topic:$_:-1" } 0 .. ($partitions || 1) - 1 ]});
    die "kcat could not tell how long $topic is\n" if $?;
    return map { /offset (\d+)/ ? $1 : () } @lines;
}

# All events of a topic
sub events {
    my $sum = 0;
    $sum += $_ for lengths(@_);
    return $sum;
}

my %beyond; # of each topic: how many more ratings than events there are, when all is settled

# Ratings and events, when what wrk left under way has come to its end: both stand still, and each event is counted.
# At the deadline they are what they are, and the reader's business.
sub counts {
    my ($system) = @_;
    my ($topic, $database) = ($system->topic, $system->database);
    my ($until, $last) = (time + 10, '');
    for (;;) {
        my ($events, $ratings) = (events($topic, $system->partitions), total($database));
        my $settled = $last eq "$events $ratings" && $ratings - $events == ($beyond{$topic} // $ratings - $events);
        if ($settled || time > $until) {
            $beyond{$topic} = $ratings - $events;
            return { ratings => $ratings, events => $events };
        }
        $last = "$events $ratings";
        sleep 0.1;
    }
}

1;
