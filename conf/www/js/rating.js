// The form: one tap rates, another number changes it, the same one withdraws it. Arrow keys move through radio buttons
// and choose each in passing, so what they choose is sent by Enter, the space bar or the button alone.
// Without voters one rating is all: the form closes once it may count.

import { getMine, now } from './api.js';
import { openOutbox } from './my-ratings.js';
import { GIVEN } from './outbox.js';
import { facts, word } from './page.js';
import { moment } from './times.js';

const SENDING_SHOWS_AFTER_MS = 400;

const form = document.getElementById('rate');
const scale = document.getElementById('scale');
const send = document.getElementById('send');
const withdraw = document.getElementById('withdraw');
const outcomeLine = document.getElementById('outcome');
const hintLine = document.querySelector('#hint .change');
const windowLine = document.getElementById('window');

const talk = facts.talk;
const hasVoters = Boolean(facts.voters);
const outbox = openOutbox(report);

let mine = Number(facts.mine) || (hasVoters ? null : outbox.given(talk) ?? null); // what the service holds
let picked = null; // by arrow keys, not sent yet
let whenCounted = () => {};

/* ---- how it went ---- */

function queuedText({ status, due }) {
    if (!navigator.onLine)
        return word('queued_offline');
    if (status === 429)
        return word('queued_rate', { seconds: Math.max(Math.ceil((due - Date.now()) / 1000), 1) });
    return word(status === 503 || status === 408 ? 'queued_busy' : 'queued_unknown');
}

function refusedText({ status, body }) {
    if (status === 403 && body?.closesAt && Date.parse(body.closesAt) <= now())
        return word('refused_closed');
    if (status === 403 && body?.opensAt && Date.parse(body.opensAt) > now())
        return `${word('refused_early')} ${moment(body.opensAt)}`;
    return { 401: word('refused_voter'), 404: word('refused_talk') }[status] ?? word('refused');
}

const texts = {
    stored: () => word('stored'),
    withdrawn: () => word('withdrawn'),
    pending: ({ value }) => word(value === null ? 'withdrawn_pending' : 'pending'),
    queued: queuedText,
    refused: refusedText,
    failed: ({ status }) => (status ? word('failed') : word('failed_unknown')),
};

function say(outcome, text) {
    if (outcomeLine.textContent !== text) // or screen readers say it again
        outcomeLine.textContent = text;
    if (outcome)
        outcomeLine.dataset.outcome = outcome;
    else
        delete outcomeLine.dataset.outcome;
}

let sendingTimer;

function report(id, result) {
    if (id !== talk)
        return;
    clearTimeout(sendingTimer);
    if (result.outcome === 'sending') {
        delete outcomeLine.dataset.outcome;
        sendingTimer = setTimeout(() => say('', word('sending')), SENDING_SHOWS_AFTER_MS);
        return;
    }
    if (['stored', 'pending', 'withdrawn'].includes(result.outcome)) {
        mine = result.value;
        whenCounted();
    }
    say(result.outcome, texts[result.outcome](result));
    draw();
}

/* ---- how it looks ---- */

function windowState() {
    const [opens, closes] = [Date.parse(facts.opens), Date.parse(facts.closes)]; // NaN, of which nothing is true: no bound
    if (closes <= now())
        return { closed: true, text: word('closed') };
    if (opens > now())
        return { closed: true, text: `${word('early')} ${moment(opens)}` };
    return { closed: false, text: closes ? `${word('open_until')} ${moment(closes)}` : '' };
}

// What arrow keys have picked stays picked, whatever is answered meanwhile.
function draw() {
    const waiting = outbox.entry(talk);
    const given = waiting ? waiting.value : mine;
    const shown = picked ?? given;
    const { closed, text } = windowState();
    for (const radio of form.elements.value)
        if (radio.type === 'radio')
            radio.checked = Number(radio.value) === shown;
    scale.disabled = closed || (!hasVoters && (mine !== null || outbox.isFinal(talk)));
    send.hidden = picked === null;
    if (withdraw)
        withdraw.hidden = closed || given === null;
    hintLine.hidden = hasVoters && (mine === null || closed);
    windowLine.textContent = text;
}

function drawWindow() {
    const { closed, text } = windowState();
    if (windowLine.textContent !== text || closed !== scale.disabled)
        draw();
}

/* ---- what it does ---- */

function choose(value) {
    if (value === null && !hasVoters)
        return;
    picked = null;
    outbox.put(talk, value, { hasVoters });
    draw();
}

function tap(event) {
    const value = Number(event.target.value);
    const waiting = outbox.entry(talk);
    const isChosen = value === (waiting ? waiting.value : mine);
    if (event.detail > 1) // a double click is one choice
        draw();
    else
        choose(isChosen && !waiting ? null : value);
}

// The page may be older than the rating: it was gone back to, or another tab has rated.
async function askForMine() {
    const { status, body } = await getMine(talk);
    if (status === 200 || status === 404)
        mine = status === 200 ? body.rating.value : null;
    draw();
}

export function rateable({ onCounted }) {
    let isArrow = false;
    whenCounted = onCounted;
    scale.addEventListener('keydown', event => { isArrow = event.key.startsWith('Arrow'); });
    scale.addEventListener('keyup', () => { isArrow = false; });
    scale.addEventListener('change', event => {
        picked = isArrow ? Number(event.target.value) : null;
        send.hidden = picked === null;
    });
    scale.addEventListener('click', event => {
        if (event.target.type === 'radio' && !isArrow)
            tap(event);
    });
    form.addEventListener('submit', event => {
        event.preventDefault();
        choose(Number(new FormData(form).get('value')));
    });
    withdraw?.addEventListener('click', event => {
        event.preventDefault();
        choose(null);
        form.elements.value[0].focus(); // the button goes
    });
    if (hasVoters) {
        window.addEventListener('pageshow', event => event.persisted && askForMine());
        window.addEventListener('storage', event => event.key === GIVEN && askForMine());
        if (facts.state === 'unavailable')
            askForMine();
    }
    setInterval(drawWindow, 5_000);
    draw();
    outbox.flush();
}
