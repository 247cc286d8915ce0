# A store that is behind the log, or is not what the log says: after a failover, a cut file, an old
# backup, edits by hand.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);

my %behind = (
    allow   => { POST => '503', GET => '503' },
    expect  => [ qr/RT0202: circuit breaker opened/, qr/RT0301: the projector is stalled/, qr/RT0208/, qr/RT0305: the store is rebuilt/ ],
    recover => 4,
);

my $files = sub { return $_[0]->redis_directory . '/appendonlydir' };

# Redis of the stack comes up with this file (an RDB) as the base of its append-only file.
sub start_from {
    my ($stage, $base) = @_;
    remove_tree($files->($stage));
    make_path($files->($stage));
    my $name = $files->($stage) . '/appendonly.aof';
    copy($base, "$name.1.base.rdb") or die "$base: $!";
    open my $increments, '>', "$name.1.incr.aof" or die "$name: $!";
    open my $manifest, '>', "$name.manifest" or die "$name: $!";
    print $manifest "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n";
    close $manifest;
    $stage->stack(qw(start redis));
}

sub newest_file { my ($newest) = sort { -M $a <=> -M $b } glob $files->(shift) . '/*.incr.aof'; return $newest }

# How long the file was before this scenario: what other scenarios have written is not to come back.
sub measure_file { my ($stage) = @_; my $file = newest_file($stage); $stage->{file_before} = { $file => -s $file } }

sub cut_file {
    my ($stage) = @_;
    $stage->stack(qw(kill redis));
    my $file   = newest_file($stage);
    my ($before, $size) = ($stage->{file_before}{$file} // 0, -s $file);
    my $own = $size - $before;
    $own > 20_000 or die "the append-only file has $own bytes of this scenario\n";
    truncate $file, $before + int($own * 0.6) or die "$file: $!";
    $stage->stack(qw(start redis));
}

# ---- a failover to a replica that is behind ----

# With `seconds`: for so long nobody brings it up to date, as the lease in it is that of a host that is not there any more.
sub fail_over {
    my ($stage, $seconds) = @_;
    my $replica = $stage->{replica} = $stage->redis_server(port => $stage->port(1));
    $stage->redis->call(qw(CONFIG SET repl-diskless-sync-delay 0));
    $replica->call('REPLICAOF', '127.0.0.1', $ENV{REDIS_PORT});
    $stage->until('replication', sub { $replica->call('INFO', 'replication') =~ /master_link_status:up/ }, 10);
    $stage->pause(1);
    $replica->call('REPLICAOF', 'NO', 'ONE'); # from here on it misses what is written
    $stage->pause(2);
    $stage->stack(qw(kill redis));
    $replica->call('SET', 'ratings:projector', 'another host', 'PX', 1000 * $seconds) if $seconds;
    $replica->move($ENV{REDIS_PORT});
    $stage->pause($seconds) if $seconds;
}

my %failover = (alone => 1, clean => sub { $_[0]{replica}->stop if $_[0]{replica} });

# ---- edits by hand ----

my @edited = map { "chaos-edited-$_" } 1 .. 4;

sub is_edited { my $talk = shift; return scalar grep { $_ eq $talk } @edited }

# Of each three, by nobody or by so many voters
sub rate_edited {
    my ($stage, @voters) = @_;
    RatingsTest::new_talks(0, @edited);
    for my $talk (@edited) {
        for my $voter (@voters ? @voters : (undef) x 3) { $stage->until('a rating', sub { $stage->rate($talk, 3, $voter) == 200 }, 10) }
    }
}

# Each as somebody might do it; the projector sees what it cannot count with when the talk is rated next.
my @unusable = (
    sub { my ($redis, $key) = @_; $redis->call('HSET', $key, 3, 'many') },
    sub { my ($redis, $key) = @_; $redis->call('HSET', $key, 3, '-4') },
    sub { my ($redis, $key) = @_; $redis->call('HSET', $key, 'a', 1, 3, 'b') },
    sub { my ($redis, $key) = @_; $redis->call('DEL', $key); $redis->call('SET', $key, 'a string') },
);

sub make_unusable {
    my ($stage) = @_;
    rate_edited($stage);
    my $redis = $stage->redis;
    for my $n (0 .. $#unusable) {
        $unusable[$n]->($redis, "ratings/$edited[$n]");
        $stage->until('a count of 4', sub {
            $stage->rate($edited[$n], 3) if !$stage->{rated}{$n}++;
            $stage->get("/ratings?talkId=$edited[$n]")->body =~ /"3":4\b/;
        }, 10);
    }
}

sub change_counts {
    my ($stage) = @_;
    rate_edited($stage);
    my $redis = $stage->redis;
    $redis->call('DEL', "ratings/$edited[0]");
    $redis->call('HSET', "ratings/$edited[1]", 3, 99);
    $redis->call('HSET', "ratings/$edited[2]", 5, 7);
    $redis->call('HDEL', "ratings/$edited[3]", 3);
}

# Voters' ratings go, of talks that are rated: the counts do not, and so are more than there are voters.
sub delete_voters {
    my ($stage) = @_;
    my $redis = $stage->redis;
    for (1 .. $stage->either(8, 3)) {
        my $keys = $stage->until('voters', sub { my $found = $redis->call('KEYS', 'ratings:voters/*'); @$found && $found }, 10);
        $redis->call('DEL', @$keys);
        $stage->pause(rand 1.5);
    }
}

# In a way that sums do not tell
sub change_voters {
    my ($stage) = @_;
    rate_edited($stage, qw(ann ben eve));
    my $redis = $stage->redis;
    my @keys  = map { "ratings:voters/$_" } @edited;
    my @one   = map { $redis->call('HKEYS', $_)->[0] } @keys;
    $redis->call('HSET', $keys[0], $one[0], 5);
    $redis->call('HDEL', $keys[1], $one[1]);
    $redis->call('HSET', $keys[1], 'somebody or else', 3);
    $redis->call('DEL',  $keys[2]);
    $redis->call('HSET', $keys[3], $one[3], 5);
    $redis->call('HSET', "ratings/$edited[3]", 3, 2, 5, 1); # as if that voter had changed to 5
}

# The audit must name these four and no other; then they are mended.
sub see_and_mend {
    my ($stage, $audit) = @_;
    my %named = map { $_->{talk} => 1 } @{ $audit->{differences} || [] };
    my @wrong;
    push @wrong, 'the audit names ' . join ' ', sort keys %named if join(' ', sort keys %named) ne "@edited";
    my ($code, $output) = $stage->audit_program('--repair');
    push @wrong, "ratings-audit --repair ended with $code: $output" if $code != 0;
    my $mended = eval { $stage->until('mended counts', sub { !Chaos::Audit::differences($audit->{fold}, Chaos::Audit::read_store()) }, 10) };
    push @wrong, 'the counts are not mended' unless $mended;
    return @wrong;
}

return (
    {
        name => 'failover-behind', number => 11, what => 'a replica without the last two seconds of writes takes over', short => 1,
        fault => sub { fail_over($_[0]) }, %failover, %behind,
    },
    {
        name => 'failover-unprojected', number => 11, what => 'the same, where the lease is for 3 s that of another host, which has died',
        fault => sub { fail_over($_[0], 3) }, %failover, %behind,
    },
    {
        name => 'aof-cut', number => 11, what => 'the append-only file has lost its last two fifths',
        setup => \&measure_file, fault => \&cut_file, alone => 1, %behind,
    },
    {
        name => 'old-rdb', number => 11, what => 'a backup of 3 s ago is restored',
        fault => sub {
            my ($stage) = @_;
            $stage->redis->call('SAVE');
            rename $stage->redis_directory . '/dump.rdb', $stage->directory . '/old.rdb' or die "dump.rdb: $!";
            $stage->pause(3);
            $stage->stack(qw(kill redis));
            start_from($stage, $stage->directory . '/old.rdb');
        },
        %behind,
    },
    {
        name => 'unusable-keys', number => 11, what => 'keys overwritten with a string, a letter or a negative count: rebuilt by itself',
        fault => \&make_unusable, alone => 1, %behind, logged => [qr/ratings:warn.*RT0305: the store is rebuilt/],
    },
    {
        name => 'changed-counts', number => 11, what => 'counts deleted and changed by hand: the audit names them, and mends', short => 1,
        fault => \&change_counts, others => \&is_edited, check => \&see_and_mend, %behind,
    },
    {
        name => 'voters-deleted', number => 11, what => "voters' ratings deleted while they vote, again and again: rebuilt by itself", short => 1,
        fault => \&delete_voters, %behind, logged => [qr/ratings:warn.*RT0305: the store is rebuilt/],
    },
    {
        name => 'voters-changed', number => 11, what => "voters' ratings deleted and changed by hand, as their sums do not tell: the audit names them, and mends",
        fault => \&change_voters, others => \&is_edited, check => \&see_and_mend, %behind,
    },
);
