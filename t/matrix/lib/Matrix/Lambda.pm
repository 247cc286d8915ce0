# Of the parts `ministack` and `botocore`: those who look at the signature of each call of the Lambda, by the keys of AWS that httpd
# has in its environment.
package Matrix::Lambda;

use strict;
use warnings;
use FindBin qw($Bin);

use Matrix::Process   ();
use RatingsTest       ();
use RatingsTest::Tool ();

# A trace has the module send two headers more, which are signed as well; two blanks are signed as one.
my @trace  = (traceparent => '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate => 'rojo=00f067aa0ba902b7,congo=t6  1rcWkgMzE');
my $before = "RatingsStatsAuth aws-sigv4:us-east-1\nRatingsStatsMemo Off\nRatingsTraceContext On\n";

# key: id, secret, and the token of a session
sub variables {
    my ($url, $key) = @_;
    return { RATINGS_LAMBDA_URL => $url, AWS_ACCESS_KEY_ID => $key->{id}, AWS_SECRET_ACCESS_KEY => $key->{secret}, AWS_SESSION_TOKEN => $key->{token} // '' };
}

# with: the function's url; keys: of a user and of a session, and of a stranger if there is one
sub part {
    my ($with, %more) = @_;
    my ($user, $session, $stranger) = @{ $with->{keys} }{qw(user session stranger)};
    my $refused = qr/RT0209: .*the answer has status 403/;
    my $other   = sub { my ($what, $key, $cause) = @_; return [ $what, $before, variables($with->{url}, $key), $cause ] };
    return {
        variables => variables($with->{url}, $user), before => $before, version => $with->{version}, %more,
        others => [
            $other->('the key and token of a session', $session),
            $other->('without the token', { %$session, token => '' }, $refused),
            $other->('a wrong secret', { %$user, secret => "$user->{secret}x" }, $refused),
            $stranger ? $other->('a user without the right', $stranger, $refused) : (),
        ],
    };
}

# Fifty GETs that are part of a trace.
sub traced {
    my ($talk, @at) = @_;
    my @without = grep { !($_ && $_->{stats}) } map { RatingsTest::json(RatingsTest::get("/ratings?talkId=$talk", @at, headers => [@trace])->body) } 1 .. 50;
    return Test::More::is(scalar @without, 0, 'each GET that is part of a trace has statistics');
}

# ---- MiniStack, which with AUTH=true looks at signatures and rights ----

sub ministack {
    my ($program, $port) = @_;
    my $endpoint  = "http://127.0.0.1:$port";
    my $ministack = Matrix::Process->new(directory => "$ENV{TEST_LOGS}/ministack", program => $program, port => $port, within => 60);
    {
        my $here = $ministack->{directory};
        local %ENV = (%ENV, AUTH => 'true', BIND_HOST => '127.0.0.1', GATEWAY_PORT => $port, AWS_DEFAULT_REGION => 'us-east-1', PERSIST_STATE => 0, TMPDIR => $here, HOME => $here);
        $ministack->start;
    }
    my $run = RatingsTest::run_program($program =~ s/ministack\z/python/r, "$Bin/aws/deploy", $endpoint, $ENV{MATRIX_FUNCTION});
    $run->{code} == 0 or die 'the function was not deployed: ' . RatingsTest::transcript($run);
    return part(RatingsTest::json($run->{out}), keep => $ministack, forgets => 1, more => sub { my (undef, $talk, undef, @at) = @_; traced($talk, @at) });
}

# ---- botocore, by which AWS's own SDK for Python signs ----

sub botocore {
    my ($python, $port) = @_;
    my $judge = RatingsTest::Tool->new($python, "$Bin/aws/judge", $port);
    my $more  = sub {
        my ($seen, $talk, undef, @at) = @_;
        traced($talk, @at);
        my $counts = $judge->command('counts');
        push @$seen, "signatures that agree: $counts->{agree}, that do not: $counts->{differ}";
    };
    return part(RatingsTest::json($judge->greeting), keep => $judge, more => $more);
}

1;
