#!/usr/bin/env bash
# pretalx: the four exports of one schedule name the same talk by three identities, and its times in three ways. JSON and
# XML have a guid, which xCal and iCalendar have not; xCal's uid is CODE@@HOST, iCalendar's pretalx-EVENT-CODE@HOST; XML has
# no code. xCal's times are of the event's zone and name none, and its half hour is 0.03000 (hours, then minutes in two
# digits); iCalendar names a zone that is not the event's (CET for Europe/Berlin), and its summary ends with the speakers. What
# all four have is the talk's url, whose last part is the code.
#
# Seen with: pretalx 2025.2.2, its demo event (create_test_event).
# Consequence: who imports talks by the id of the export at hand makes each a new talk when the format changes; the code at
# the end of the url is the one id that is in all four. A reader of xCal has to be told the zone.
# Needs: Python 3.11 with venv and pip; four minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check pretalx==2025.2.2 Faker==37.4.0 freezegun==1.5.2
mkdir data
cat >pretalx.cfg <<CONF
[filesystem]
data=$work/data
[site]
url=http://localhost:8000
[database]
backend=sqlite3
name=$work/data/db.sqlite3
CONF
export PRETALX_CONFIG_FILE=$work/pretalx.cfg
export DJANGO_SUPERUSER_EMAIL=admin@example.org DJANGO_SUPERUSER_PASSWORD=none DJANGO_SUPERUSER_NAME=Admin
export PRETALX_INIT_ORGANISER_NAME=Example PRETALX_INIT_ORGANISER_SLUG=example
for command in migrate 'init --noinput' 'create_test_event --stage schedule --seed 1'; do
    # shellcheck disable=SC2086 # words
    timeout 900 python/bin/python -m pretalx $command >log 2>&1 || { tail -n 20 log; exit 1; }
done
cat >finding.py <<'PY'
import json
import os
import re
import xml.etree.ElementTree as tree

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "pretalx.settings"
django.setup()
from django.test import Client
from django_scopes import scopes_disabled
from pretalx.event.models import Event

with scopes_disabled():
    Event.objects.filter(slug="democon").update(is_public=True)
client = Client(HTTP_HOST="localhost:8000")


def export(kind):
    answer = client.get("/democon/schedule/export/schedule." + kind)
    assert answer.status_code == 200, (kind, answer.status_code)
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def shape(text):
    """What differs from one run to the next in words."""
    text = str(text).replace(talk["guid"], "GUID").replace(talk["code"], "CODE").replace(talk["title"], "TITLE")
    text = text.replace(", ".join(person["public_name"] for person in talk["persons"]), "SPEAKERS")
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", "YYYY-MM-DDThh:mm:ss+hh:mm", text)
    return re.sub(r"\d{8}T\d{6}", "YYYYMMDDThhmmss", text)


conference = json.loads(export("json"))["schedule"]["conference"]
talks = [talk for day in conference["days"] for room in day["rooms"].values() for talk in room]
talk = next(talk for talk in talks if talk["duration"] == "00:30" and talk["persons"])
url = talk["url"]
print("zone of the event:", conference["time_zone_name"])
print("json:", *(shape(talk[name]) for name in ("guid", "code", "date", "duration")))

event = next(event for event in tree.fromstring(export("xml")).iter("event") if event.findtext("url") == url)
print("xml: ", shape(event.get("guid")), "code:", event.findtext("code"), shape(event.findtext("date")), event.findtext("duration"))

event = next(event for event in tree.fromstring(export("xcal")).iter("vevent") if event.findtext("url") == url)
print("xcal:", *(shape(event.findtext(name)) for name in ("uid", "dtstart", "duration")))

lines = re.sub(r"\r?\n[ \t]", "", export("ics")).splitlines() # unfolded, RFC 5545 3.1
at = lines.index("URL:" + url)
begin = max(i for i in range(at) if lines[i] == "BEGIN:VEVENT")
event = [line.replace("\\,", ",") for line in lines[begin:at]]
print("ics: ", *(shape(line) for name in ("UID", "DTSTART", "SUMMARY") for line in event if line.startswith(name)))
print("the url's last part is the code:", url.rstrip("/").rsplit("/", 1)[1] == talk["code"])
PY
timeout 300 python/bin/python -W ignore finding.py >out 2>log || { tail -n 20 log; exit 1; }
seen=$(grep -v 'running pretalx as root' out)
printf '%s\n' "$seen"
expected='zone of the event: Europe/Berlin
json: GUID CODE YYYY-MM-DDThh:mm:ss+hh:mm 00:30
xml:  GUID code: None YYYY-MM-DDThh:mm:ss+hh:mm 00:30
xcal: CODE@@localhost:8000 YYYYMMDDThhmmss 0.03000
ics:  UID:pretalx-democon-CODE@localhost:8000 DTSTART;TZID=CET:YYYYMMDDThhmmss SUMMARY:TITLE - SPEAKERS
the url'"'"'s last part is the code: True'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
