# A log whose records were deleted, up to its end or in part: what is left counts, and is answered.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience = sanitized() ? 60 : 30;
my $database = 14;
my @kafka    = ('--bootstrap-server', $ENV{STREAMS_CONNECTION});
my $topic    = 'ratings-deleted-' . int(time) . "-$$";
my @usual    = (qr/RT0305: the store is rebuilt/, qr/RT030[12]: /, qr/RT0306: /, qr/RT0501: request \S+ answered with (50[34]|202)/, qr/RT0206: /,
    qr/RT020[1-4]: .* is (away|back)/);
my @hosts = map { own_httpd(name => "deleted-$_", port => $_, topic => $topic, database => $database)->expect_log(@usual) } 1, 2;

sub counted { my ($talk, $host) = @_; my $answer = histogram_of($talk, port => $host->port); return $answer && join '', map { $answer->{ratings}{$_} } 1 .. 5 }
sub lose_store { return redis(database => $database)->call('FLUSHDB') }

# Partition of each talk, as the log has it
sub places { my %place = map { $_->{key} => $_->{partition} } grep { ($_->{key} // 'ratings:routing') ne 'ratings:routing' } topic_since(0, $topic); return \%place }
sub partitions { my %talk_in = reverse %{ places() }; return scalar keys %talk_in }

# Deletes records before an offset (-1: all) of partitions.
sub delete_records {
    my (%before) = @_;
    my @records = map { +{ topic => $topic, partition => 0 + $_, offset => 0 + $before{$_} } } sort keys %before;
    my $file = write_file("$ENV{TEST_LOGS}/delete-records.json", to_json({ version => 1, partitions => \@records }));
    return stack('kafka-tool', 'DeleteRecordsCommand', @kafka, '--offset-json-file', $file);
}

# Readiness says so when a GET is not answered, for any talk: asked of each host, with a look before and after.
sub answered_ok {
    my ($name, $wanted) = @_;
    for my $host (@hosts) {
        my %last;
        my $where = $host->name;
        for my $talk (sort keys %$wanted) {
            ok(wait_until(sub { ($last{$talk} = counted($talk, $host) // 'none') eq $wanted->{$talk} }, $patience), "$name: $where shows what the log holds")
                or diag("$talk: $last{$talk}, not $wanted->{$talk}");
        }
        ok(wait_ready(port => $host->port), "$name: $where is ready");
    }
    return;
}

redis(database => $database)->call('FLUSHDB');
for my $host (@hosts) { $host->start; ok(wait_ready(port => $host->port), $host->name . ' is ready') }
my @talks = new_talks(16);

sub zeros { return { map { $_ => '00000' } @talks } }

# An export of what is left says that something is missing, and of a log that is whole that nothing is.
sub export_ok {
    my ($code, $counts, $name) = @_;
    my $run = run_program($ENV{RATINGSCTL}, 'export', 'ratings', '--topic', $topic);
    my (undef, @lines) = split /\r\n/, $run->{out};
    my %row = map { /^([^,]+),((?:\d+,){5})/ ? ($1 => $2 =~ tr/,//dr) : () } @lines;
    ok($run->{code} eq $code && ($run->{err} =~ /\Aratingsctl: partition \d of the log begins at offset \d+: the records before it were deleted, .*\n\z/ xor $code == 0), "$name: exit code $code")
        or diag(transcript($run));
    is_deeply(\%row, { map { $counts->{$_} eq '00000' ? () : ($_ => $counts->{$_}) } keys %$counts }, "$name: it has what the log has");
    return;
}

sub rate_all {
    my ($value) = @_;
    my $good = grep { rate($_, $value, port => $hosts[0]->port)->status =~ /^20[02]$/ } @talks; # may be visible late
    is($good, scalar @talks, 'each talk takes a rating');
    return;
}

# ---- all, up to the end ----

{
    rate_all(4);
    while (partitions() < 4 && @talks < 64) { # by chance: once in 25 times
        push @talks, new_talk();
        like(rate($talks[-1], 4, port => $hosts[0]->port)->status, qr/^20[02]$/, 'one more talk');
    }
    is(partitions(), 4, 'there are talks in all partitions');
    export_ok(0, { map { $_ => '00010' } @talks }, 'export of the whole log');
    delete_records(map { $_ => -1 } 0 .. 3);
    export_ok(1, {}, 'export of a log of which all is deleted');
    answered_ok('records were deleted', { map { $_ => '00010' } @talks }); # the store has them still
    lose_store();
    answered_ok('all records were deleted, and the store is lost', zeros());
    ok((grep { $_->log->has(qr/RT0306: partition \d begins at offset \d+, records from 0 on were deleted/) } @hosts), 'the log tells what is lost');
    ok(wait_until(sub { grep { ($_->{key} // '') eq 'ratings:routing' } topic_since(0, $topic) }, $patience), 'the log says again how talks are routed');
    rate_all(5);
    answered_ok('rated again', { map { $_ => '00001' } @talks });
}

# ---- all of one partition, and of another in part ----

{
    rate_all(3);
    my $place = places();
    my ($all, $some) = @$place{ @talks[ 0, grep { $place->{ $talks[$_] } != $place->{ $talks[0] } } 1 .. $#talks ] };
    my @left  = grep { ($_->{key} // '') ne 'ratings:routing' && $_->{partition} == $some } topic_since(0, $topic);
    my $from  = $left[1]{offset}; # the first one goes
    my %count = map { $_ => [ 0, 0, 1, 0, 1 ] } @talks;
    $count{$_} = [ 0, 0, 0, 0, 0 ] for grep { $place->{$_} == $all } @talks;
    $count{ $left[0]{key} }[4]--;
    delete_records($all => -1, $some => $from);
    lose_store();
    my %left = map { $_ => join '', @{ $count{$_} } } @talks;
    answered_ok('some were deleted', \%left);
    export_ok(1, \%left, 'export of what is left');
}

# ---- what was never applied ----

{
    $_->stop for @hosts;
    my $place = places();
    topic_write($talks[0], to_json({ version => 1, talkId => $talks[0], value => 1 }), '-t', $topic, '-p', $place->{ $talks[0] } // 0);
    delete_records(map { $_ => -1 } 0 .. 3);
    lose_store();
    $_->start for @hosts;
    answered_ok('deleted before anything of it was applied', zeros());
    rate_all(2);
    answered_ok('rated again', { map { $_ => '01000' } @talks });
}

# ---- the topic is recreated: nobody has rated yet ----

{
    stack('kafka-tool', 'TopicCommand', @kafka, '--delete', '--topic', $topic);
    answered_ok('recreated', zeros());
    rate_all(1);
    answered_ok('rated again', { map { $_ => '10000' } @talks });
}

finish();
