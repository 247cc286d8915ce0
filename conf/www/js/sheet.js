// QR codes of all talks, to be printed, cut out and put beside doors.

import { element, qrCode, talkPage, word } from './page.js';
import { allTalks, speakersOf } from './talks.js';
import { shortDay, span } from './times.js';

const part = id => document.getElementById(id);

const when = talk => talk.startsAt && `${shortDay(talk.startsAt)}, ${span(talk.startsAt, talk.endsAt)}`;

// Where there is no code, the address itself is on the card.
function codeOf(talk) {
    const image = element('img', { alt: '', src: qrCode(talk.talkId) });
    image.onerror = () => image.replaceWith(element('p', { className: 'address' }, new URL(talkPage(talk.talkId), location.href).href));
    return image;
}

function cardOf(talk) {
    return element('li', {},
        codeOf(talk),
        element('div', {},
            element('p', { className: 'scan' }, word('scan')),
            element('p', { className: 'title', lang: talk.language ?? '' }, talk.title),
            talk.speakers?.length && element('p', { className: 'speakers' }, speakersOf(talk)),
            element('p', { className: 'facts' }, ...[when(talk), talk.room].filter(Boolean).map(fact => element('span', {}, fact)))));
}

part('print').addEventListener('click', () => window.print());
try {
    part('sheet').replaceChildren(...(await allTalks({ sort: 'start' })).map(cardOf));
} catch {
    part('notice').textContent = word('list_unavailable');
    setTimeout(() => location.reload(), 5_000);
}
