#!/bin/sh
# vobject writes a zone into iCalendar under the name that its standard time has: America/New_York becomes TZID=EST,
# Europe/Berlin CET, with a VTIMEZONE beside it that has the right rules. The tz database has zones of such names, too, and
# its EST is one without summers: a reader that looks a TZID up there, as it does for Europe/Berlin, reads each time of the
# summer an hour late, and none of the winter.
#
# Seen with: vobject 0.9.9 (which pretalx 2025.2 exports by), tzdata 2025.2, Python 3.11.
# Consequence: ratingsctl talks import takes a file's own VTIMEZONE before the system's zone of that name.
# Needs: Python 3.9 or later with venv, and PyPI.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q install --disable-pip-version-check vobject==0.9.9 tzdata==2025.2

cat >write.py <<'END'
import datetime, zoneinfo
import vobject

zoneinfo.reset_tzpath([])  # that of PyPI's tzdata
for zone in "America/New_York", "Europe/Berlin":
    calendar = vobject.iCalendar()
    start = datetime.datetime(2026, 7, 1, 10, tzinfo=zoneinfo.ZoneInfo(zone))
    calendar.add("vevent").add("dtstart").value = start
    line = next(line for line in calendar.serialize().splitlines() if line.startswith("DTSTART;"))
    name = line.split("=")[1].split(":")[0]
    looked_up = start.replace(tzinfo=zoneinfo.ZoneInfo(name))
    print(f"{zone}: {line}")
    print("  written", start.astimezone(datetime.timezone.utc).strftime("%H:%M UTC"), "looked up", looked_up.astimezone(datetime.timezone.utc).strftime("%H:%M UTC"))
END

venv/bin/python write.py >seen
cat seen
cat >expected <<'END'
America/New_York: DTSTART;TZID=EST:20260701T100000
  written 14:00 UTC looked up 15:00 UTC
Europe/Berlin: DTSTART;TZID=CET:20260701T100000
  written 08:00 UTC looked up 08:00 UTC
END
cmp -s seen expected || { echo "this has changed; seen before:"; cat expected; exit 1; }
