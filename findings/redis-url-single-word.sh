#!/bin/sh
# redis://WORD@host: to redis-cli WORD is the password of the default user, to redis-py it is a user whose password is
# empty. redis-cli sends `AUTH WORD`, redis-py `AUTH WORD ""`: a URL that was tried with the one logs in as somebody else,
# or not at all, with the other. Neither complains.
#
# Seen with: redis-tools 7.0.15 (Debian 12), redis-py 5.2.1.
# Consequence: a URL with a single word before the '@' is refused, with the two forms that all clients read alike.
# Needs: Debian 12's apt, python3-venv and PyPI.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q install --disable-pip-version-check redis==5.2.1
apt-get -o APT::Sandbox::User=root -qq download redis-tools libhiredis0.14 liblzf1
for package in *.deb; do dpkg -x "$package" root; done

# A listener that answers each command with +OK, and tells what came before PING.
cat >listen.py <<'END'
import socket, subprocess, sys

def said_before_ping(client):
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    url = "redis://word@127.0.0.1:%d" % server.getsockname()[1]
    process = subprocess.Popen([a.replace("URL", url) for a in client], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    connection, _ = server.accept()
    connection.settimeout(20)
    seen = b""
    while True:
        data = connection.recv(4096)
        if not data:
            break
        seen += data
        connection.sendall(b"+OK\r\n" * data.count(b"*"))
        if b"PING" in seen.upper():
            break
    connection.close()
    process.wait(20)
    lines = seen.decode().split("\r\n")
    words = [word for length, word in zip(lines, lines[1:]) if length.startswith("$")]
    return words[:words.index("PING")]

cli = said_before_ping(["root/usr/bin/redis-cli", "-u", "URL", "PING"])
py = said_before_ping([sys.executable, "-c",
                    "import redis; redis.Redis.from_url('URL', lib_name=None, lib_version=None).ping()"])
print("redis-cli sends", cli, "and redis-py", py)
sys.exit(0 if cli == ["AUTH", "word"] and py == ["AUTH", "word", ""] else 1)
END
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu) venv/bin/python listen.py
