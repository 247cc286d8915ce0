# Of the part `login`: a Kafka that takes clients by SASL over TLS, with the mechanism that is named, as docs/security.md shows it.
package Matrix::Login;

use strict;
use warnings;
use FindBin qw($Bin);

use RatingsTest               ();
use RatingsTest::Certificates ();
use RatingsTest::Documented   ();
use RatingsTest::File         qw(secret_file);
use RatingsTest::KafkaServer  ();
use RatingsTest::Tool         ();

my $modules = 'org.apache.kafka.common.security';
my $secret  = 'S3cret-of-the-matrix';

# The properties of librdkafka that the document shows.
sub documented {
    my ($name, %replace) = @_;
    return RatingsTest::Documented::block('security.md', $name, %replace) =~ /^RatingsKafka\s+(\S+)\s+(.*)$/mg;
}

# ---- what a mechanism needs: the client's properties, the broker's settings, and what must be refused: of which other properties ----

sub by_password {
    my ($mechanism, $ca) = @_;
    my %properties = (documented('httpd: Kafka', '/etc/ratings/ca.crt' => $ca, '/etc/ratings/kafka-password' => secret_file('secret-right', "$secret\n")), 'sasl.mechanisms' => $mechanism);
    my $wrong      = 'file:' . secret_file('secret-wrong', "$secret-not\n");
    return {
        properties => \%properties, users => { ratings => $secret }, jaas => "$modules.scram.ScramLoginModule required;",
        refused    => [ [ 'a wrong password', { %properties, 'sasl.password' => $wrong }, qr/invalid credentials with SASL mechanism \Q$mechanism\E/ ] ],
    };
}

# Tokens of an OpenID provider, which the broker verifies by the provider's keys. Kafka asks for keys at those URLs alone that its
# Java was started with.
sub by_token {
    my ($mechanism, $ca, $port) = @_;
    my $issuer   = "http://127.0.0.1:$port";
    my $provider = RatingsTest::Tool->new($ENV{MATRIX_NODE}, "$Bin/provider.mjs", $ENV{MATRIX_NODE} =~ s{/node\z}{}r, $port, $secret);
    my %replace  = ('/etc/ratings/ca.crt' => $ca, 'https://login.example.org' => $issuer, '/etc/ratings/kafka-secret' => secret_file('secret-right', "$secret\n"));
    my %properties = documented('httpd: Kafka by token', %replace);
    my $wrong      = 'file:' . secret_file('secret-wrong', "$secret-not\n");
    my %unsigned   = (
        (map { $_ => $properties{$_} } grep { !/^sasl\.oauthbearer/ } keys %properties),
        'enable.sasl.oauthbearer.unsecure.jwt' => 'true', 'sasl.oauthbearer.config' => 'principal=ratings',
    );
    $ENV{KAFKA_JVM_OPTIONS} = "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=$issuer/jwks";
    return {
        properties => \%properties, keep => $provider, jaas => "$modules.oauthbearer.OAuthBearerLoginModule required;",
        settings   => [
            "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class=$modules.oauthbearer.OAuthBearerValidatorCallbackHandler",
            "sasl.oauthbearer.jwks.endpoint.url=$issuer/jwks", "sasl.oauthbearer.expected.issuer=$issuer", 'sasl.oauthbearer.expected.audience=kafka',
        ],
        refused => [
            [ 'a wrong secret', { %properties, 'sasl.oauthbearer.client.secret' => $wrong }, qr/RT0206: .*(?:401|invalid_client)/ ],
            [ 'a token that nobody has signed', \%unsigned, qr/RT0206: .*invalid_token/ ],
        ],
    };
}

my %need = ('SCRAM-SHA-256' => \&by_password, 'SCRAM-SHA-512' => \&by_password, OAUTHBEARER => \&by_token);

# ---- the broker, and the part ----

sub broker {
    my ($mechanism, $port, $certificate, $needed) = @_;
    my $listener = 'listener.name.sasl';
    my @settings = (
        'ssl.keystore.type=PEM', "ssl.keystore.location=$certificate", "$listener.sasl.enabled.mechanisms=$mechanism", "$listener.@{[ lc $mechanism ]}.sasl.jaas.config=$needed->{jaas}",
        'allow.everyone.if.no.acl.found=true', @{ $needed->{settings} || [] },
    );
    return RatingsTest::KafkaServer->new(directory => "$ENV{TEST_LOGS}/kafka", port => $port, users => $needed->{users}, listeners => { SASL => [ SASL_SSL => $port + 2 ] }, settings => \@settings)->start;
}

sub lines { my (%properties) = @_; return join '', map { qq(RatingsKafka $_ "$properties{$_}"\n) } sort keys %properties }

# port: the first of four
sub part {
    my ($mechanism, $port) = @_;
    my $certificates = RatingsTest::Certificates->new("$ENV{TEST_LOGS}/certificates")->issue('server', host => 'localhost');
    my $needed       = $need{$mechanism}->($mechanism, $certificates->path('ca.crt'), $port + 3);
    my %properties   = %{ $needed->{properties} };
    my $kafka        = broker($mechanism, $port, $certificates->path('server.pem'), $needed);
    return {
        variables => { STREAMS_CONNECTION => 'localhost:' . ($port + 2) }, before => lines(%properties), properties => [ map { "$_=$properties{$_}" } sort keys %properties ],
        others    => [ map { [ $_->[0], lines(%{ $_->[1] }), {}, $_->[2] ] } @{ $needed->{refused} } ],
        restart   => sub { $kafka->stop('TERM'); $kafka->start }, how => 'restarted', keep => [ $kafka, $needed->{keep} ],
    };
}

1;
