# httpd with mod_ratings, in the foreground, as www-data, on port 8080; any builder will do:
#
#   docker build --build-arg REVISION=$(git describe --always) -t mod_ratings .
#   docker run --read-only --tmpfs /tmp -p 8080:8080 -e TALKS_CONNECTION=postgres://... \
#       -e RATINGS_CONNECTION=redis://... -e STREAMS_CONNECTION=kafka:9092 -e RATINGS_LAMBDA_URL=https://... mod_ratings
#
# The configuration is /etc/ratings: httpd.conf (conf/container.conf), what it includes, and conf.d for files of your
# own. Passwords in the four variables can be seen by who may inspect the container: docs/install.md has another way.

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
        librdkafka1 libhiredis0.14 libjansson4 libcurl4 libssl3 libpq5 libxml2 libical3 libqrencode4 ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /etc/ratings/conf.d
COPY --from=build /image/usr/lib/apache2/modules/mod_ratings.so /usr/lib/apache2/modules/
COPY --from=build /image/usr/bin/ratingsctl /usr/bin/
COPY --from=build /image/usr/share/mod_ratings/ /usr/share/mod_ratings/
RUN ln -s ratingsctl /usr/bin/ratings-audit
COPY conf/container.conf /etc/ratings/httpd.conf
COPY conf/ratings.conf conf/ratings-endpoints.conf conf/ratings-page.conf /etc/ratings/
USER www-data
EXPOSE 8080
STOPSIGNAL SIGWINCH
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["curl", "-q", "--noproxy", "*", "-fsS", "-m", "2", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
# without HOME: libpq would look there for keys, and refuse TLS when it may not
ENTRYPOINT ["env", "-u", "HOME", "apache2", "-D", "FOREGROUND", "-f", "/etc/ratings/httpd.conf"]
