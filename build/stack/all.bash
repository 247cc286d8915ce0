# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# All of it, in the order of dependence.
. "${BASH_SOURCE[0]%/*}/config.bash"
. "${BASH_SOURCE[0]%/*}/lib.bash"
. "${BASH_SOURCE[0]%/*}/servers.bash"
. "${BASH_SOURCE[0]%/*}/postgres.bash"
. "${BASH_SOURCE[0]%/*}/redis.bash"
. "${BASH_SOURCE[0]%/*}/kafka.bash"
. "${BASH_SOURCE[0]%/*}/lambda.bash"
. "${BASH_SOURCE[0]%/*}/httpd.bash"
