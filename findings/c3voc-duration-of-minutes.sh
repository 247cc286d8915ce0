#!/bin/sh
# c3voc-schedule-tools takes the duration of a talk, hours and minutes in every schedule ("00:45"), for minutes and seconds
# where it reads a talk: the 45 minutes end after 45 seconds. What it writes itself is in hours and minutes again, so that a
# talk that it is given by its end, and reads from its own output, becomes sixty times as short.
#
# Seen with: c3voc-schedule-tools 1.1.0, Python 3.11.
# Consequence: as the judge of what ratingsctl talks import reads it is asked for a talk's start, and not for its end.
# Needs: Python 3.10 or later with venv, and PyPI.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q install --disable-pip-version-check c3voc-schedule-tools==1.1.0

cat >read.py <<'END'
from voc.event import Event

talk = {"guid": "5a0c8f1e-6f3b-5d7e-9c39-0a6d3a2f0001", "id": 1, "title": "Opening", "date": "2026-11-28T10:00:00+01:00", "start": "10:00"}
once = Event({**talk, "duration": "00:45"})
print("duration 00:45:", once.duration, "end", once.end.strftime("%H:%M:%S"))
written = Event({**talk, "end": "2026-11-28T10:45:00+01:00"})["duration"]
print("by its end it writes", written, "which it reads as", Event({**talk, "duration": written}).duration)
END

venv/bin/python read.py >seen
cat seen
cat >expected <<'END'
duration 00:45: 0:00:45 end 10:00:45
by its end it writes 0:45 which it reads as 0:00:45
END
cmp -s seen expected || { echo "this has changed; seen before:"; cat expected; exit 1; }
