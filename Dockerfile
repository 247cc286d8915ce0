# httpd with mod_ratings, in the foreground, as www-data, on port 8080:
#
#   docker build --build-arg REVISION=$(git describe --always) -t mod_ratings .
#   docker run -p 8080:8080 -e TALKS_CONNECTION=postgres://... -e RATINGS_CONNECTION=redis://... \
#       -e STREAMS_CONNECTION=kafka:9092 -e RATINGS_LAMBDA_URL=https://... mod_ratings
#
# The configuration is /etc/ratings/httpd.conf, which includes ratings.conf beside it: mount others over
# them. Passwords in the four variables can be seen by who may inspect the container.

FROM debian:bookworm-slim AS build
WORKDIR /src
# the list of packages alone first, so that a change of the sources does not fetch them again
COPY build build
RUN build/deps/install build
COPY . .
ARG REVISION=unknown
RUN make install DEPS=no REVISION="$REVISION" DESTDIR=/image

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends apache2-bin libaprutil1-dbd-pgsql \
        librdkafka1 libhiredis0.14 libjansson4 libcurl4 libpq5 ca-certificates curl \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /image/usr/lib/apache2/modules/mod_ratings.so /usr/lib/apache2/modules/
COPY --from=build /image/usr/bin/ratings-audit /usr/bin/
COPY conf/ratings.conf /etc/ratings/
COPY <<'END' /etc/ratings/httpd.conf
ServerRoot /etc/ratings
DefaultRuntimeDir /tmp
PidFile /tmp/httpd.pid
ServerName localhost
Listen 8080

LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_host_module /usr/lib/apache2/modules/mod_authz_host.so
LoadModule reqtimeout_module /usr/lib/apache2/modules/mod_reqtimeout.so
LoadModule ratings_module /usr/lib/apache2/modules/mod_ratings.so

ServerTokens Prod
TraceEnable Off
# what is no endpoint is refused
<Directory "/">
    Require all denied
</Directory>

# no piped logger: the container's output is the log
ErrorLog /proc/self/fd/2
CustomLog /proc/self/fd/1 "%h %t \"%r\" %>s %B %D %L"
LogLevel warn ratings:info

# docker stop kills after ten seconds
GracefulShutdownTimeout 8

Include /etc/ratings/ratings.conf
END
USER www-data
EXPOSE 8080
STOPSIGNAL SIGWINCH
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["curl", "-q", "--noproxy", "*", "-fsS", "-m", "2", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
# without HOME: libpq would look there for keys, and refuse TLS when it may not
ENTRYPOINT ["env", "-u", "HOME", "apache2", "-D", "FOREGROUND", "-f", "/etc/ratings/httpd.conf"]
