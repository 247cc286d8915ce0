// The ranking of the day on the wall: of today's talks, or of all where none is today; ?day=2026-11-28 of another day's. What is
// no day there is as if it were not there. A day lasts into the night: the evening's talks are on the wall after midnight.

import { getTalks, now } from './api.js';
import { averageOf, intervalOf, totalOf } from './interval.js';
import { counted, element, oneDecimal, word } from './page.js';
import { poll } from './poll.js';
import { allTalks, speakersOf } from './talks.js';
import { dateOf, day, useZone } from './times.js';

const SVG = 'http://www.w3.org/2000/svg';
const NIGHT_MS = 4 * 3_600_000;
const asked = new URLSearchParams(location.search).get('day');
const part = id => document.getElementById(id);

let etag;
let isRanked = true; // by the service (RatingsRankingPrior); else here, by the same idea
let chosenDay = null;

/* ---- one row ---- */

// The interval on a line from 1 to 5, with a mark at the average
function intervalLine(average, { low, high }) {
    const line = document.createElementNS(SVG, 'svg');
    const at = value => (value - 1) * 25;
    for (const [name, x, width] of [['all', 0, 100], ['interval', at(low), at(high) - at(low)], ['average', at(average) - 0.5, 1]]) {
        const rect = document.createElementNS(SVG, 'rect');
        rect.setAttribute('class', name);
        rect.setAttribute('x', x);
        rect.setAttribute('width', width);
        rect.setAttribute('height', 1);
        line.append(rect);
    }
    line.setAttribute('viewBox', '0 0 100 1');
    line.setAttribute('preserveAspectRatio', 'none');
    line.setAttribute('aria-hidden', 'true');
    return line;
}

function rowOf({ title, language, ratings, ...talk }) {
    const interval = intervalOf(ratings);
    return element('li', {},
        element('div', { className: 'what' },
            element('p', { className: 'title', lang: language ?? '' }, title),
            element('p', { className: 'speakers' }, speakersOf(talk))),
        element('div', { className: 'line' }, intervalLine(averageOf(ratings), interval)),
        element('p', { className: 'average' }, oneDecimal(averageOf(ratings)),
            element('span', { className: 'heard' }, `, ${word('interval', { low: oneDecimal(interval.low), high: oneDecimal(interval.high) })}`)),
        element('p', { className: 'count' }, counted('ratings', totalOf(ratings))));
}

function draw(talks) {
    const rated = talks.filter(talk => talk.ratings && totalOf(talk.ratings) > 0);
    part('ranking').replaceChildren(...rated.map(rowOf));
    part('day').textContent = chosenDay ? day(`${chosenDay}T12:00:00Z`) : '';
    part('notice').textContent = rated.length ? '' : word(talks.some(talk => talk.hidden) ? 'hidden' : 'no_ratings');
}

/* ---- what is asked ---- */

// The conference's today is known once a list has named its time zone.
async function chooseDay() {
    const { status, body } = await getTalks({ limit: 1 });
    if (status !== 200)
        return;
    useZone(body.timeZone);
    const today = dateOf(now() - NIGHT_MS);
    const { status: found, body: list } = await getTalks({ day: today, limit: 1 });
    if (found !== 200)
        return;
    const newDay = list.talks.length ? today : null;
    if (newDay !== chosenDay) {
        chosenDay = newDay;
        etag = undefined;
    }
}

const scoreOf = talk => (talk.ratings && totalOf(talk.ratings) ? intervalOf(talk.ratings).low : 0);

async function lookHere() {
    const talks = await allTalks({ include: 'ratings', day: chosenDay });
    draw(talks.sort((a, b) => scoreOf(b) - scoreOf(a)));
    return {}; // no tag tells whether anything has changed
}

async function look() {
    if (!isRanked)
        return lookHere();
    const { status, body, etag: tag, retryAfter } = await getTalks({ include: 'ratings', day: chosenDay, sort: 'score', limit: 20 }, etag);
    if (status === 501) {
        isRanked = false;
        return lookHere();
    }
    if (status === 200) {
        etag = tag;
        draw(body.talks);
    }
    return { changed: status === 200, retryAfter };
}

const isDay = async text => text && (await getTalks({ day: text, limit: 1 })).status !== 400;

if (await isDay(asked)) {
    chosenDay = asked;
} else {
    await chooseDay();
    setInterval(chooseDay, 60_000);
}
poll(look, { first: 2_000, longest: 8_000 });
