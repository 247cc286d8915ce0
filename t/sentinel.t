# Redis by Sentinel, under load: a master that is killed, one that is frozen, and one that gives way on purpose. Each time
# the new one is found within three seconds of its promotion, without a restart and without a rating lost.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::RedisServer ();

my $within   = sanitized() ? 9 : 6; # seconds after the promotion until all is well: three, and as many where others keep the machine busy
my $patience = 30;
my $topic    = 'ratings-sentinel-' . int(time) . "-$$";
my @user     = qw(ACL SETUSER ratings on >p@ss ~ratings/* ~ratings:* -@all);

# The commands that the documents name.
sub documented_user {
    my ($line) = grep { /^ {4}ACL SETUSER ratings / } lines_of("$ENV{TEST_DOCS}/security.md");
    return (@user, grep { /^\+/ } split / /, $line =~ s/\s+$//r);
}

sub server {
    my ($name, $number, %options) = @_;
    return RatingsTest::RedisServer->new(directory => "$ENV{TEST_LOGS}/$name-$number", port => $ENV{HTTP_PORT} + 10 + $number, %options)->start;
}

# Three that ask each other; the last one wants a login.
sub sentinels {
    my ($version, $master, $binary) = @_;
    my @lines = (
        "sentinel monitor ratings 127.0.0.1 $master 2",
        'sentinel down-after-milliseconds ratings 500',
        'sentinel failover-timeout ratings 3000',
    );
    my @all = map { server("sentinel-$version", $_, binary => $binary, monitors => \@lines) } 3 .. 5;
    return @all if wait_until(sub { !grep { (eval { $_->call(qw(SENTINEL ckquorum ratings)) } // '') !~ /^OK 3/ } @all }, 20);
    return BAIL_OUT('the sentinels do not find each other');
}

# Rates one talk until a file is there, or forty seconds have passed: how often it was taken, and how often nobody knows.
sub load {
    my ($talk, $until, @at) = @_;
    return in_children(4, sub {
        my (%count, $end);
        $end = time + 40;
        until (-e $until || time > $end) {
            $count{ rate($talk, 5, @at)->status // 0 }++;
            sleep 0.01;
        }
        return \%count;
    });
}

sub sum { my ($status, @counts) = @_; my $sum = 0; $sum += $_->{$status} // 0 for @counts; return $sum }

# Two servers, three sentinels and an httpd: all that a play needs, of one version of Redis.
sub scene {
    my ($version, $binary) = @_; # as 6.2; system: the one that is installed
    my %scene = (version => $version, topic => "$topic-$version", acl => [ documented_user() ], taken => 0);
    my @redis = map { server("monitored-$version", $_, binary => $binary) } 1, 2;
    $_->call(@{ $scene{acl} }) for @redis;
    $redis[1]->call('REPLICAOF', '127.0.0.1', $redis[0]->port);
    my $sentinels = $scene{sentinels} = [ sentinels($version, $redis[0]->port, $binary) ];
    $scene{by_port} = { map { $_->port => $_ } @redis };
    ok(wait_until(sub { $sentinels->[1]->call(qw(SENTINEL replicas ratings))->[0] }, 20), 'a replica is known');
    my $hosts = join ',', map { '127.0.0.1:' . $_->port } @$sentinels;
    $scene{shown} = "redis+sentinel://ratings:***\@$hosts/ratings/0";
    $scene{store} = $scene{shown} =~ s/\*\*\*/p%40ss/r;
    my $conf = qq(RatingsTalks "\${TALKS_CONNECTION}"\nRatingsStore "$scene{store}"\nRatingsStream "\${STREAMS_CONNECTION}"\n)
        . qq(RatingsStats "\${RATINGS_LAMBDA_URL}"\nRatingsTopic $scene{topic}\nRatingsCacheTTL 0s\n);
    $scene{httpd} = own_httpd(name => "sentinel-$version", conf => $conf . RatingsTest::Httpd::locations());
    $scene{httpd}->expect_log(qr/RT030[1259]: /, qr/RT0310: /, qr/RT0501: /, qr/RT020[1-4]: /, qr/RT0208: /)->start;
    $scene{at} = [ port => $scene{httpd}->port ];
    return \%scene;
}

sub named { my ($scene) = @_; return $scene->{sentinels}[1]->call(qw(SENTINEL get-master-addr-by-name ratings))->[1] }

# Whether a rating is answered as visible; one that is taken, and visible later, counts as well.
sub is_visible {
    my ($scene, $talk) = @_;
    my $status = rate($talk, 3, @{ $scene->{at} })->status;
    $scene->{taken}++ if $status == 200 || $status == 202;
    return $status == 200;
}

# The master fails in a way, under load; another takes its place; the old one is mended, and follows.
sub fail_over {
    my ($scene, $talk, $how, $fail, $mend) = @_;
    my ($name, $old, $end, @at) = ("$scene->{version}, $how", named($scene), "$ENV{TEST_LOGS}/sentinel-end-" . int(time * 1000), @{ $scene->{at} });
    my $loaded = load($talk, $end, @at);
    sleep 0.5;
    $fail->($scene->{by_port}{$old});
    ok(wait_until(sub { named($scene) != $old }, $patience, 0.02), "$name: another master is named");
    my $begun = time;
    my $well  = wait_until(sub { is_visible($scene, $talk) && get('/readyz', @at)->status == 200 }, $patience, 0.02);
    my $took  = time - $begun;
    ok($well && $took < $within, sprintf "$name: well again %.2f s after that", $took) or diag(get('/readyz', @at)->body);
    write_file($end, '');
    my @counts = $loaded->();
    unlink $end;
    my $taken = $scene->{taken} += sum(200, @counts) + sum(202, @counts);
    is(sum(504, @counts) + sum(0, @counts) + sum(500, @counts), 0, "$name: each rating was taken or refused") or diag(to_json(\@counts));
    my $counted;
    ok(wait_until(sub { $counted = histogram_of($talk, @at); $counted && total($counted) == $taken }, $patience), "$name: $taken ratings taken, as many counted")
        or diag(to_json($counted));
    $mend->($scene->{by_port}{$old});
    ok(wait_until(sub { eval { $scene->{by_port}{$old}->call(qw(INFO replication)) =~ /role:slave.*master_link_status:up/s } }, $patience, 0.1), "$name: the old one follows");
    return;
}

sub audit_as { my ($scene, $store) = @_; return run_program($ENV{RATINGSCTL}, 'audit', '--timeout', 2, '--topic', $scene->{topic}, '--store', $store) }

# One sentinel has gone, one hangs, and the last one wants a login.
sub one_of_three {
    my ($scene, $talk) = @_;
    my ($version, $store, $sentinels, @at) = (@$scene{qw(version store sentinels)}, @{ $scene->{at} });
    $sentinels->[0]->stop;
    $sentinels->[2]->call(qw(ACL SETUSER ratings on >p@ss ~* +@all));
    $sentinels->[2]->call(qw(ACL SETUSER default off));
    $sentinels->[1]->signal('STOP');
    is($scene->{httpd}->signal('USR1'), 1, 'a graceful restart');
    ok(wait_until(sub { rate($talk, 1, @at)->status == 200 && get('/readyz', @at)->status == 200 }, $patience), "$version: one sentinel of three is enough, with the login that it wants");
    my $run = audit_as($scene, $store);
    is($run->{code}, 0, "$version: for ratingsctl as well") or diag(transcript($run));
    $run = audit_as($scene, $store =~ s{/ratings/}{/nobody/}r);
    ok($run->{code} == 2 && $run->{err} =~ /knows no master with that name/, "$version: a name that no sentinel knows") or diag(transcript($run));
    unlike(transcript($run), qr/p%40ss|p\@ss/, 'and no password');
    $sentinels->[1]->signal('CONT');
    return;
}

sub play {
    my $scene = scene(@_);
    my $talk  = new_talk();
    ok(wait_ready(@{ $scene->{at} }), "$scene->{version}: ready") or diag(get('/readyz', @{ $scene->{at} })->body);
    is(json(get('/', @{ $scene->{at} })->body)->{metadata}{ratings}, $scene->{shown}, 'the metadata show the sentinels, and no password');
    fail_over($scene, $talk, 'killed', sub { $_[0]->stop }, sub { $_[0]->start->call(@{ $scene->{acl} }) });
    fail_over($scene, $talk, 'frozen', sub { $_[0]->signal('STOP') }, sub { $_[0]->signal('CONT') });
    # sentinels may refuse so soon after the last time
    my $command = sub { eval { $scene->{sentinels}[0]->call(qw(SENTINEL failover ratings)); 1 } };
    fail_over($scene, $talk, 'on command', sub { wait_until($command, $patience, 0.1) }, sub { });
    my $run = audit_as($scene, $scene->{store});
    is($run->{code}, 0, "$scene->{version}: ratingsctl audit finds the master, too") or diag(transcript($run));
    one_of_three($scene, $talk);
    $scene->{httpd}->stop;
    $_->stop for values %{ $scene->{by_port} }, @{ $scene->{sentinels} };
    return;
}

play('system', undef);
SKIP: {
    skip 'no Redis 6.2 here: make deps-test', 1 unless $ENV{TEST_REDIS_6};
    play('6.2', "$ENV{TEST_REDIS_6}/redis-server");
}

finish();
