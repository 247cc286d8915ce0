# The audit after the load: the log is read as a whole and folded here, with no code of the service's; it
# is compared with the store, and with what the clients were told.
package Chaos::Audit;

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use JSON::PP ();
use Time::HiRes qw(sleep time);

use Chaos::Journal qw(is_taken outcome_class);
use RatingsTest::Redis ();

# the quicker codec if it is there: a log has some hundred thousand records
my $class = eval { require JSON::XS; 'JSON::XS' } || 'JSON::PP';
my $codec = $class->new->utf8;
sub decode { my $text = shift; return eval { $codec->decode($text) } }

# kcat's own JSON holds the bytes of records as they are: these need be no text.
my $lines = $class->new;

# ---- the log ----

sub read_log {
    my ($topic) = @_;
    my @command = ('timeout', '120', 'kcat', '-C', '-q', '-J', '-e', '-b', $ENV{STREAMS_CONNECTION}, '-t', $topic, '-o', 'beginning');
    open my $kcat, '-|', @command or die "kcat: $!";
    my @records = map { eval { $lines->decode($_) } // die "kcat said: $_" } <$kcat>;
    close $kcat or die 'kcat failed: ' . ($? >> 8) . "\n";
    return [ sort { $a->{partition} <=> $b->{partition} || $a->{offset} <=> $b->{offset} } @records ];
}

# of the voters, in httpd's configuration as well
our $secret = 'the secret of the chaos suite, which is longer than 32 bytes';

my $longest = 4096; # bytes; what is longer is none of the service's

# The event of a record, or undef: what is no event counts for nothing.
sub event_of {
    my ($record) = @_;
    return if length($record->{payload} // '') > $longest;
    my $event = decode($record->{payload} // '');
    return unless ref $event eq 'HASH' && ($event->{version} // 0) eq '1';
    return unless ($event->{value} // '') =~ /^[1-5]$/ || exists $event->{value} && !defined $event->{value} && defined $event->{voter};
    return if exists $event->{voter} && ($event->{voter} // '') !~ /^[0-9a-f]{32}$/;
    return unless defined $event->{talkId} && $event->{talkId} eq ($record->{key} // '');
    return $event;
}

my $span = 32_768; # offsets

# Whether a record was appended before: one of the same id and source (of CloudEvents) is among those
# that came last in its partition. `seen` has the offset where each was last.
sub is_again {
    my ($record, $seen) = @_;
    my %header = @{ $record->{headers} || [] }; # of several of one name, the last
    my $id = $header{ce_id} // '';
    return 0 unless length $id;
    my $last = \$seen->{ $record->{partition} }{ $header{ce_source} // '' }{$id};
    my $is_again = defined $$last && $record->{offset} - $$last <= $span;
    $$last = $record->{offset};
    return $is_again;
}

# events: how many anonymous ones of each talk and value; counts: those that count, with the ratings of voters, and of a
# talk with voters as `anonymous` how many are not theirs; votes: of each talk and voter the events, each with value (0: a
# withdrawal) and key; voters: of each talk the ratings by the fields that the store has for them; keys: of each talk and
# key, how many events and how many of them count; ends: the offset after the last of each partition; again: how many
# records were appended again. Those are no events of their own. The rule of keys: an event whose key has
# counted, less than its window ago by the clock of the log (the running maximum of the partition's append
# times), is a repeat. The rule of voters: the last event that is no repeat is the rating.
sub fold {
    my ($records) = @_;
    my %fold = (again => 0);
    my (%clock, %expires, %seen);
    for my $record (@$records) {
        my $partition = $record->{partition};
        $fold{ends}{$partition} = $record->{offset} + 1;
        my $now = $clock{$partition} = $record->{ts} > ($clock{$partition} // 0) ? $record->{ts} : $clock{$partition};
        if (is_again($record, \%seen)) {
            $fold{again}++;
            next;
        }
        my $event = event_of($record) or next;
        my ($talk, $key, $voter) = @$event{qw(talkId idempotencyKey voter)};
        if   (defined $voter) { push @{ $fold{votes}{$talk}{$voter} }, { value => $event->{value} // 0, key => $key // '' } }
        else                  { $fold{events}{$talk}{ $event->{value} }++ }
        my $repeat = 0;
        if (defined $key) {
            my $expires = \$expires{$partition}{$talk}{$key}{ $voter // '' };
            $repeat   = ($$expires // 0) > $now;
            $$expires = $now + $event->{idempotencyWindow} unless $repeat;
            $fold{keys}{$talk}{$key}{events}++;
            $fold{keys}{$talk}{$key}{counted}++ unless $repeat;
        }
        count_event(\%fold, $partition, $event) unless $repeat;
    }
    for my $talk (keys %{ $fold{voters} || {} }) { $fold{counts}{$talk}{anonymous} = $fold{anonymous}{$talk} // 0 }
    return \%fold;
}

sub count_event {
    my ($fold, $partition, $event) = @_;
    my ($talk, $value) = ($event->{talkId}, $event->{value} // 0);
    if (defined $event->{voter}) {
        my $rating = \$fold->{voters}{$talk}{ field_of($event->{voter}, $partition) };
        $fold->{counts}{$talk}{$$rating}-- if $$rating;
        $$rating = $value;
    } else {
        $fold->{anonymous}{$talk}++;
    }
    $fold->{counts}{$talk}{$value}++ if $value;
    return;
}

# A voter as the log has them, and as a partition's part of the store has: the last two bytes xor its number.
sub voter_of { my ($topic, $name) = @_; return substr hmac_sha256_hex("mod_ratings voter\0$topic\0$name", $secret), 0, 32 }
sub field_of { my ($voter, $partition) = @_; return substr($voter, 0, 28) . sprintf '%04x', hex(substr $voter, 28) ^ $partition }

# ---- the store ----

# counts and voters, as in the fold
sub read_store {
    my ($database) = @_;
    my $redis  = RatingsTest::Redis->new(database => $database);
    my $voters = _read_hashes($redis, 'ratings:voters/');
    for my $ratings (values %$voters) { $ratings = { map { (unpack('H*', $_) => $ratings->{$_}) } keys %$ratings } }
    return { counts => _read_hashes($redis, 'ratings/'), voters => $voters };
}

# { what follows the prefix => the hash }
sub _read_hashes {
    my ($redis, $prefix) = @_;
    my ($cursor, %hashes) = ('0');
    do {
        my $reply = $redis->call('SCAN', $cursor, 'MATCH', "$prefix*", 'COUNT', 1000);
        $cursor = $reply->[0];
        $hashes{ substr $_, length $prefix } = eval { $redis->hash($_) } // { unreadable => 1 } for @{ $reply->[1] };
    } while ($cursor ne '0');
    return \%hashes;
}

sub _in_order { my ($hash) = @_; return join ' ', map { "$_:$hash->{$_}" } sort keys %$hash }

# { partition => the store's checkpoint, or -1 }, for those that have an end
sub _positions {
    my ($database, $ends) = @_;
    my $log = eval { RatingsTest::Redis->new(database => $database)->hash('ratings:log') } || {};
    return { map { ($_ => ($log->{"position:$_"} // '') =~ /^(\d+)$/ ? $1 : -1) } keys %$ends };
}

sub _behind {
    my ($database, $ends) = @_;
    my $positions = _positions($database, $ends);
    return grep { $positions->{$_} < $ends->{$_} } sort keys %$ends;
}

# Waits until the store has applied the log to its end; the fold, and what is wrong. A record of which nobody
# knew may come after the log was read: it is read once more, then.
sub wait_for_lag {
    my ($topic, $seconds, $database) = @_;
    my $until = time + $seconds;
    my $fold  = fold(read_log($topic));
    for (;;) {
        my $ends = $fold->{ends} || {};
        sleep 0.05 while _behind($database, $ends) && time < $until;
        $fold = fold(read_log($topic));
        my $now = $fold->{ends} || {};
        return ($fold) if _in_order(_positions($database, $now)) eq _in_order($now);
        next if time < $until;
        my @behind = _behind($database, $now);
        return ($fold, @behind ? "the store is behind the log in partitions @behind" : 'the store is beyond where the log ends');
    }
}

# ---- the comparisons ----

sub _pairs { my ($hash) = @_; return map { my $talk = $_; map { [ $talk, $_ ] } keys %{ $hash->{$talk} } } keys %{ $hash || {} } }

# Where the store is not the fold: a list of { talk, value (or a voter's field), log, store }.
sub differences {
    my ($fold, $store) = @_;
    return map { _differences($fold->{$_}, $store->{$_}) } qw(counts voters);
}

sub _differences {
    my ($fold, $store) = @_;
    my %all = map { ("$_->[0]\t$_->[1]" => $_) } _pairs($fold), _pairs($store);
    my @found;
    for my $pair (map { $all{$_} } sort keys %all) {
        my ($talk, $value) = @$pair;
        my ($log, $stored) = ($fold->{$talk}{$value} // 0, $store->{$talk}{$value} // 0);
        push @found, { talk => $talk, value => $value, log => $log, store => $stored } if $log ne $stored;
    }
    return @found;
}

# Each rating that was sent once, with a key: in the log once if it was acknowledged, not at all if it was
# refused. One that was sent until it was taken: counted once.
sub check_keys {
    my ($fold, $journal, $result) = @_;
    my %sent;
    for my $line (grep { length $_->{key} } $journal->lines(qw(POST DELETE))) {
        my $key = $sent{"$line->{talk}\t$line->{key}"} ||= { kind => $line->{kind}, outcomes => {} };
        $key->{outcomes}{ outcome_class($line) }++;
        $key->{times}++;
    }
    for my $name (keys %sent) {
        my ($talk, $key) = split /\t/, $name;
        my $sent  = $sent{$name};
        my $found = $fold->{keys}{$talk}{$key} || { events => 0, counted => 0 };
        $result->{lost}++ if $sent->{outcomes}{taken} && !$found->{counted};
        $result->{doubled}++ if $found->{counted} > 1 || $found->{events} > $sent->{times};
        push @{ $result->{problems} }, "the rating with key $key was refused and is in the log"
            if $found->{events} && !grep { $sent->{outcomes}{$_} } qw(taken unknown);
    }
}

# Of each talk and value of an anonymous rating: acknowledged <= log <= acknowledged + unknown. Exact where each client
# has a talk of its own. A key counts as one acknowledged, however many times it was sent.
sub check_counts {
    my ($fold, $journal, $result) = @_;
    my (%least, %most, %done);
    for my $line (grep { !length $_->{voter} } $journal->lines('POST')) {
        my ($class, $pair) = (outcome_class($line), "$line->{talk}\t$line->{value}");
        $least{$pair} += $class eq 'taken' && !(length $line->{key} && $done{"$line->{talk}\t$line->{key}"}++);
        $most{$pair}  += $class ne 'refused';
    }
    for my $pair (keys %least) {
        my ($talk, $value) = split /\t/, $pair;
        my $log = $fold->{events}{$talk}{$value} // 0;
        $result->{lost} += $least{$pair} - $log if $log < $least{$pair};
        $result->{doubled} += $log - $most{$pair} if $log > $most{$pair};
    }
}

# Of each voter and talk: the log has each acknowledged vote, in their order, and no more votes than were sent; the rating
# is the last one that was acknowledged, or one of those after it of which nobody knows. (A vote that is sent again with a
# key that was acknowledged is none.)
sub check_voters {
    my ($fold, $topic, $journal, $result) = @_;
    my %sent;
    push @{ $sent{ $_->{talk} }{ $_->{voter} } }, $_ for grep { length $_->{voter} && outcome_class($_) ne 'refused' } $journal->lines(qw(POST DELETE));
    for my $pair (_pairs(\%sent)) {
        my ($talk, $name) = @$pair;
        my @lines = @{ $sent{$talk}{$name} };
        my $voter = voter_of($topic, $name);
        my @votes = @{ $fold->{votes}{$talk}{$voter} || [] };
        $result->{doubled} += @votes - @lines if @votes > @lines;
        my ($rating) = grep { $_ } map { $fold->{voters}{$talk}{ field_of($voter, $_) } } keys %{ $fold->{ends} };
        my ($last, @maybe, %done) = (0);
        for my $line (@lines) {
            next if $done{ $line->{key} };
            if (!is_taken($line->{outcome})) { push @maybe, $line->{value}; next }
            ($last, @maybe) = $line->{value};
            $done{ $line->{key} } = 1 if length $line->{key};
            # the next one of the log that is this
            shift @votes while @votes && "$votes[0]{value} $votes[0]{key}" ne "$line->{value} $line->{key}";
            $result->{lost}++ unless shift @votes;
        }
        push @{ $result->{problems} }, "the rating of $name for $talk is " . ($rating // 0) . ' by the log, not ' . join '/', $last, @maybe
            unless grep { $_ == ($rating // 0) } $last, @maybe;
    }
}

# The audit: { lost, doubled, problems, fold, differences }.
# topic; journal; within: seconds for the store to catch up; database: of Redis, if it is another than 0;
# others: true if talks that no client has rated may differ (a scenario has changed them by hand)
sub audit {
    my (%options) = @_;
    my ($fold, @problems) = wait_for_lag($options{topic}, $options{within} || 20, $options{database});
    my $result = { lost => 0, doubled => 0, problems => \@problems, fold => $fold };
    check_keys($fold, $options{journal}, $result);
    check_counts($fold, $options{journal}, $result);
    check_voters($fold, $options{topic}, $options{journal}, $result);
    for my $other (differences($fold, read_store($options{database}))) {
        my ($log, $store) = @$other{qw(log store)};
        push @{ $result->{differences} }, $other;
        next if $options{others} && $options{others}->($other->{talk});
        $result->{ $store =~ /^\d+$/ && $store > $log ? 'doubled' : 'lost' } += $store =~ /^\d+$/ ? abs $store - $log : $log;
        push @problems, "$other->{talk}: value $other->{value} is $log in the log and $store in the store" if @problems < 10;
    }
    return $result;
}

1;
