// The results of one talk, live: histogram, average with its interval, count; or since when they will be there.

import { getRatings } from './api.js';
import { drawHistogram } from './histogram.js';
import { averageOf, intervalOf, totalOf } from './interval.js';
import { counted, facts, oneDecimal, word } from './page.js';
import { poll } from './poll.js';
import { clock, moment } from './times.js';

const part = id => document.getElementById(id);

function say(id, text) {
    part(id).hidden = !text;
    if (part(id).textContent !== text)
        part(id).textContent = text;
}

const countText = n => (n ? counted('ratings', n) : word('no_ratings'));

function showHidden(totalCount, until) {
    part('histogram').hidden = true;
    showAverage();
    say('count', countText(totalCount));
    say('hidden', until ? `${word('hidden_until')} ${moment(until)}` : word('hidden'));
}

function showAverage(counts) {
    const isThere = counts && totalOf(counts) > 0;
    const { low, high } = isThere ? intervalOf(counts) : {};
    part('average').hidden = !isThere;
    part('average').querySelector('strong').textContent = isThere ? oneDecimal(averageOf(counts)) : '';
    say('interval', isThere ? word('interval', { low: oneDecimal(low), high: oneDecimal(high) }) : '');
}

function showCounts(counts) {
    drawHistogram(part('histogram'), counts);
    part('histogram').hidden = false;
    showAverage(counts);
    say('count', countText(totalOf(counts)));
    say('hidden', '');
}

// Begins to look. Returns a function that looks at once, for after a rating of one's own.
export function liveResults(bounds) {
    let etag;
    let asOf;
    return poll(async () => {
        const { status, body, etag: tag, retryAfter } = await getRatings(facts.talk, etag);
        const isCurrent = status === 200 || status === 304;
        if (isCurrent)
            asOf = Date.now();
        if (status === 200) {
            etag = tag;
            if ('hidden' in body)
                showHidden(body.totalCount, body.until);
            else
                showCounts(body.ratings);
        }
        say('stale', isCurrent || !asOf ? '' : word('stale', { time: clock(asOf) }));
        return { changed: status === 200, retryAfter };
    }, bounds);
}
