// The list: what is on now and next, and all talks by day, found by words in title or speakers, by day and by track.
// The service searches, since it knows what letters are alike; day and track are chosen among what is loaded.

import { now } from './api.js';
import { openOutbox } from './my-ratings.js';
import { counted, element, talkPage, word } from './page.js';
import { pagesOf, speakersOf } from './talks.js';
import { clock, dateOf, day, span, zoneName } from './times.js';

const TYPING_MS = 250;
const RETRY_MS = 5_000;
const NOW_MS = 20_000;
const ENDED_MS = 20 * 60_000; // when most ratings are given
const PAGES_AT_ONCE = 5;

const part = id => document.getElementById(id);
const outbox = openOutbox();

let everything = []; // what is loaded without a search
let found = [];
let latest = 0; // search: the answers of an older one are dropped

/* ---- one talk ---- */

function itemOf(talk) {
    const mine = outbox.given(talk.talkId);
    const facts = [talk.startsAt && span(talk.startsAt, talk.endsAt), talk.room, talk.track, mine && word('rated', { n: mine })];
    return element('li', {},
        element('a', { href: talkPage(talk.talkId), lang: talk.language ?? '' }, talk.title),
        talk.speakers?.length && element('p', { className: 'speakers' }, speakersOf(talk)),
        element('p', { className: 'facts' }, ...facts.filter(Boolean).map(fact => element('span', {}, fact))));
}

const listOf = (heading, talks) => [heading && element('h2', {}, heading), element('ul', { className: 'talks' }, ...talks.map(itemOf))].filter(Boolean);

/* ---- now, just now and next ---- */

function drawNow() {
    const time = now();
    const isAfter = (moment, pause = 0) => Date.parse(moment) + pause <= time; // not of a talk without a time
    const current = everything.filter(talk => isAfter(talk.startsAt) && talk.endsAt && !isAfter(talk.endsAt));
    const ended = everything.filter(talk => isAfter(talk.endsAt) && !isAfter(talk.endsAt, ENDED_MS));
    const later = everything.filter(talk => Date.parse(talk.startsAt) > time && dateOf(talk.startsAt) === dateOf(time));
    const first = Math.min(...later.map(talk => Date.parse(talk.startsAt)));
    const next = later.filter(talk => Date.parse(talk.startsAt) === first);
    const parts = [
        { heading: word('ended'), talks: ended },
        { heading: word('now'), talks: current },
        { heading: next.length ? word('next', { time: clock(first) }) : '', talks: next },
    ].filter(({ talks }) => talks.length);
    part('now').hidden = !parts.length;
    part('now').replaceChildren(...parts.flatMap(({ heading, talks }) => listOf(heading, talks)));
}

/* ---- all of them ---- */

// choices: [value, text]. What was chosen stays, if it is still there.
function drawSelect(select, every, choices) {
    const chosen = select.value;
    select.replaceChildren(...[['', every], ...choices].map(([value, text]) => element('option', { value }, text)));
    select.value = choices.some(([value]) => value === chosen) ? chosen : '';
    select.parentElement.hidden = choices.length < 2;
}

function drawSelects() {
    const days = new Map(everything.filter(talk => talk.day).map(talk => [talk.day, day(talk.startsAt)]));
    const tracks = [...new Set(everything.map(talk => talk.track).filter(Boolean))].sort((a, b) => a.localeCompare(b));
    drawSelect(part('day'), word('every_day'), [...days]);
    drawSelect(part('track'), word('every_track'), tracks.map(track => [track, track]));
}

const isChosen = (select, value) => !select.value || select.value === value;

function drawTalks() {
    const shown = found.filter(talk => isChosen(part('day'), talk.day) && isChosen(part('track'), talk.track));
    const byDay = new Map();
    for (const talk of shown)
        byDay.set(talk.day, [...(byDay.get(talk.day) ?? []), talk]);
    const hasDays = shown.some(talk => talk.day);
    part('talks').replaceChildren(...[...byDay.values()].flatMap(talks =>
        listOf(hasDays && (talks[0].startsAt ? day(talks[0].startsAt) : word('no_time')), talks)));
    part('notice').textContent = shown.length ? counted('talks', shown.length) : word('no_match');
}

function draw(isSearch) {
    if (!isSearch) {
        everything = found;
        drawSelects();
        drawNow();
    }
    drawTalks();
    part('zone').textContent = everything.some(talk => talk.startsAt) ? word('zone', { zone: zoneName() }) : '';
}

/* ---- loading ---- */

function loadLater(search) {
    part('notice').textContent = word('list_unavailable');
    setTimeout(() => search.number === latest && load(), RETRY_MS);
}

// Some pages of the list, and the rest when it is asked for: a conference has 50 talks, or 10,000.
async function loadSome(search) {
    part('more').hidden = true;
    for (let i = 0; i < PAGES_AT_ONCE; i++) {
        const { value: page, done } = await search.pages.next().catch(() => ({ value: null }));
        if (search.number !== latest || done)
            return;
        if (!page) {
            loadLater(search);
            return;
        }
        search.found.push(...page);
        found = search.found;
        draw(search.words);
    }
    part('more').hidden = false;
    part('more').onclick = () => loadSome(search);
}

function load() {
    const words = part('search').value.trim();
    loadSome({ number: ++latest, words, pages: pagesOf({ sort: 'start', q: words }), found: [] });
}

let typing;
part('search').addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(load, TYPING_MS);
});
part('filter').addEventListener('submit', event => {
    event.preventDefault();
    load();
});
part('day').addEventListener('change', drawTalks);
part('track').addEventListener('change', drawTalks);
setInterval(drawNow, NOW_MS);
window.addEventListener('pageshow', event => event.persisted && drawTalks()); // back from a talk, which is rated now
outbox.flush();
load();
