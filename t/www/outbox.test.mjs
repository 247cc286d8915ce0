// The outbox of a browser: conf/www/js/outbox.js. A rating is kept until there is an answer, and sent under one key.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Outbox, outcomeOf } from '../../conf/www/js/outbox.js';

const VOTERS = { hasVoters: true };
const NOBODY = { hasVoters: false };
const HOUR = 3_600_000;

// A browser whose service gives these answers in turn: a status, or { status, ... }, or a function that makes one. With `kept`,
// another tab of the browser that has it.
function browser(answers, { kept = new Map() } = {}) {
    const it = { kept, sent: [], reports: [], isOnline: true, time: 0, keys: 0 };
    it.outbox = new Outbox({
        storage: { getItem: name => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) },
        send: async (talk, value, key) => {
            it.sent.push({ talk, value, key });
            let answer = answers.shift();
            if (typeof answer === 'function')
                answer = await answer(it);
            assert.notEqual(answer, undefined, 'it is sent too often');
            return typeof answer === 'number' ? { status: answer } : answer;
        },
        report: (talk, report) => it.reports.push(report),
        isOnline: () => it.isOnline,
        now: () => it.time,
        newKey: () => `key-${kept.size}-${++it.keys}`,
        later: () => 0, // time passes when the test says so
    });
    it.later = async time => {
        it.time += time;
        await it.outbox.flush();
    };
    return it;
}

const outcomes = it => it.reports.map(report => report.outcome).filter(outcome => outcome !== 'sending');
const values = it => it.sent.map(({ value }) => value);
const keys = it => new Set(it.sent.map(({ key }) => key));

test('what each status means', () => {
    const expected = { 200: 'stored', 202: 'pending', 400: 'refused', 401: 'refused', 403: 'refused', 404: 'refused', 413: 'refused', 422: 'refused',
        0: 'queued', 408: 'queued', 429: 'queued', 502: 'queued', 503: 'queued', 504: 'queued', 500: 'failed', 501: 'failed' };
    for (const [status, outcome] of Object.entries(expected))
        assert.equal(outcomeOf(Number(status), 4), outcome, status);
    assert.equal(outcomeOf(204, null), 'withdrawn');
});

test('a stored rating leaves the outbox, and is known', async () => {
    const it = browser([200]);
    await it.outbox.put('a', 4, VOTERS);
    assert.deepEqual([outcomes(it), it.outbox.entry('a'), it.outbox.given('a')], [['stored'], undefined, 4]);
});

test('a withdrawal is sent as one, and forgotten', async () => {
    const it = browser([200, 204]);
    await it.outbox.put('a', 4, VOTERS);
    await it.outbox.put('a', null, VOTERS);
    assert.deepEqual([values(it), outcomes(it), it.outbox.given('a')], [[4, null], ['stored', 'withdrawn'], undefined]);
});

test('without a network nothing is sent; with one again, it is sent once', async () => {
    const it = browser([200]);
    it.isOnline = false;
    await it.outbox.put('a', 5, VOTERS);
    await it.later(HOUR);
    assert.deepEqual([it.sent, outcomes(it)], [[], ['queued', 'queued']]);
    it.isOnline = true;
    await it.outbox.flush({ all: true });
    await it.later(HOUR);
    assert.deepEqual([values(it), outcomes(it).at(-1)], [[5], 'stored']);
});

test('without an answer it is sent again, under the same key', async () => {
    const it = browser([0, 504, 503, 200]);
    await it.outbox.put('a', 3, VOTERS);
    for (let i = 0; i < 3; i++)
        await it.later(HOUR);
    assert.deepEqual([values(it), keys(it).size, outcomes(it)], [[3, 3, 3, 3], 1, ['queued', 'queued', 'queued', 'stored']]);
});

test('not before Retry-After, and never without a pause', async () => {
    const it = browser([{ status: 429, retryAfter: 30_000 }, { status: 503, retryAfter: 0 }, 200]);
    await it.outbox.put('a', 3, VOTERS);
    await it.later(29_000);
    assert.equal(it.sent.length, 1);
    await it.later(1_000);
    assert.equal(it.sent.length, 2);
    await it.later(1_000);
    assert.equal(it.sent.length, 3);
});

test('a clock that is set back holds nothing up, and makes no key live longer', async () => {
    const it = browser([503, 200]);
    it.time = 100 * HOUR;
    await it.outbox.put('a', 3, NOBODY);
    await it.later(-50 * HOUR);
    assert.deepEqual(outcomes(it), ['queued', 'stored']);
    const other = browser([0]);
    other.time = 100 * HOUR;
    await other.outbox.put('a', 3, NOBODY);
    await other.later(-50 * HOUR);
    assert.deepEqual(outcomes(other), ['queued', 'failed']);
});

test('no pause is longer than an hour', async () => {
    const it = browser([{ status: 429, retryAfter: 5 * HOUR }, 200]);
    await it.outbox.put('a', 3, VOTERS);
    assert.equal(it.sent.length, 1);
    await it.later(HOUR - 1);
    assert.equal(it.sent.length, 1);
    await it.later(1);
    assert.equal(it.sent.length, 2);
});

test('pauses grow to a minute', async () => {
    const it = browser(Array(12).fill(0));
    await it.outbox.put('a', 3, VOTERS);
    for (let i = 0; i < 11; i++)
        await it.later(60_000);
    assert.equal(it.sent.length, 12);
    assert.equal(it.reports.at(-1).due - it.time, 60_000);
});

test('the tab is closed before the answer: another one sends it, under the same key', async () => {
    const first = browser([() => new Promise(() => {})]);
    first.outbox.put('a', 2, VOTERS); // its answer never comes
    const second = browser([200], first);
    await second.outbox.flush();
    assert.deepEqual(second.sent, first.sent);
    assert.equal(first.sent.length, 1);
});

test('a newer choice waits for the older one\'s answer, and has a key of its own', async () => {
    let answer;
    const it = browser([() => new Promise(resolve => { answer = resolve; }), 200]);
    const both = it.outbox.put('a', 1, VOTERS);
    it.outbox.put('a', 2, VOTERS);
    it.outbox.put('a', 3, VOTERS);
    assert.deepEqual(values(it), [1]);
    answer(200);
    await both;
    assert.deepEqual([values(it), keys(it).size, outcomes(it), it.outbox.given('a')], [[1, 3], 2, ['stored'], 3]);
});

test('a voter may choose another value while one waits: the older is not sent again', async () => {
    const it = browser([0, 200]);
    await it.outbox.put('a', 1, VOTERS);
    await it.outbox.put('a', 5, VOTERS);
    await it.later(HOUR);
    assert.deepEqual([values(it), it.outbox.given('a')], [[1, 5], 5]);
});

test('the same choice again goes out at once, under the same key', async () => {
    const it = browser([503, 200]);
    await it.outbox.put('a', 1, VOTERS);
    await it.outbox.put('a', 1, VOTERS);
    assert.deepEqual([values(it), keys(it).size], [[1, 1], 1]);
});

test('what is recorded is asked for under the same key until it counts, whatever else is answered', async () => {
    const it = browser([202, 202, 503, 0, 403, 200]);
    await it.outbox.put('a', 4, NOBODY);
    assert.ok(it.outbox.isFinal('a'));
    for (let i = 0; i < 5; i++)
        await it.later(HOUR);
    assert.deepEqual([keys(it).size, outcomes(it)], [1, ['pending', 'pending', 'pending', 'pending', 'pending', 'stored']]);
    assert.deepEqual([it.outbox.entry('a'), it.outbox.given('a')], [undefined, 4]);
});

test('what is recorded is not sent again without a key, nor once its key may have expired', async () => {
    const it = browser([501, 202, 202, 202]);
    await it.outbox.put('a', 4, NOBODY);
    assert.deepEqual([it.sent.length, it.outbox.entry('a')], [2, undefined]);
    await it.outbox.put('b', 4, VOTERS);
    await it.later(11 * HOUR);
    await it.later(HOUR);
    assert.deepEqual([it.sent.length, outcomes(it), it.outbox.entry('b')], [4, ['pending', 'pending', 'pending', 'pending'], undefined]);
});

test('401 brings a cookie: sent once more, and no more', async () => {
    const it = browser([401, 200, 401, 401]);
    await it.outbox.put('a', 4, VOTERS);
    await it.outbox.put('b', 4, VOTERS);
    await it.later(HOUR);
    assert.deepEqual(outcomes(it), ['stored', 'refused']);
});

test('a refusal is final', async () => {
    const it = browser([{ status: 403, body: { opensAt: '2026-11-29T10:15:00Z' }, retryAfter: 60_000 }]);
    await it.outbox.put('a', 4, VOTERS);
    await it.later(HOUR);
    assert.deepEqual([outcomes(it), it.reports.at(-1).body.opensAt, it.outbox.given('a')], [['refused'], '2026-11-29T10:15:00Z', undefined]);
});

test('where no key is honoured it goes without one', async () => {
    const it = browser([501, 200]);
    await it.outbox.put('a', 4, NOBODY);
    assert.deepEqual([it.sent.map(({ key }) => key), outcomes(it)], [['key-0-1', null], ['stored']]);
});

test('without voters: what may count is not replaced', async () => {
    const it = browser([0, 200]);
    await it.outbox.put('a', 1, NOBODY);
    assert.ok(it.outbox.isFinal('a'));
    await it.outbox.put('a', 5, NOBODY);
    await it.later(HOUR);
    assert.deepEqual([values(it), it.outbox.given('a')], [[1, 1], 1]);
});

test('without voters: what cannot count is', async () => {
    const it = browser([503, 200]);
    await it.outbox.put('a', 1, NOBODY);
    assert.ok(!it.outbox.isFinal('a'));
    await it.outbox.put('a', 5, NOBODY);
    assert.deepEqual([values(it), keys(it).size, it.outbox.given('a')], [[1, 5], 2, 5]);
});

test('without voters: a 503 after a lost answer does not make it replaceable', async () => {
    const it = browser([0, 503]);
    await it.outbox.put('a', 1, NOBODY);
    await it.later(HOUR);
    assert.ok(it.outbox.isFinal('a'));
});

test('without voters: not sent again once its key may have expired, nor without a key', async () => {
    for (const answers of [[0, 0], [501, 0]]) {
        const it = browser(answers);
        await it.outbox.put('a', 1, NOBODY);
        await it.later(11 * HOUR);
        await it.later(HOUR);
        assert.deepEqual([outcomes(it).at(-1), it.sent.length, it.outbox.entry('a')], ['failed', 2, undefined]);
    }
});

test('without voters: a tab that was closed before the answer is not made up for once the key may have expired, nor without a key', async () => {
    for (const answers of [[() => new Promise(() => {})], [501, () => new Promise(() => {})]]) {
        const first = browser(answers);
        first.outbox.put('a', 1, NOBODY); // its answer never comes
        await new Promise(setImmediate);
        const second = browser([], first);
        await second.later(13 * HOUR);
        await second.later(HOUR);
        assert.deepEqual([outcomes(second), second.sent, second.outbox.entry('a'), second.outbox.given('a')], [['failed'], [], undefined, 1]);
    }
});

test('without a key: another tab leaves alone what is under way', async () => {
    let answer;
    const first = browser([501, () => new Promise(resolve => { answer = resolve; }), 200]);
    const delivered = first.outbox.put('a', 1, NOBODY);
    await new Promise(setImmediate);
    const second = browser([], first);
    await second.later(5_000);
    answer(503); // nothing was recorded
    await delivered;
    assert.deepEqual([second.reports, outcomes(first)], [[], ['queued']]);
    await first.later(HOUR);
    assert.deepEqual([outcomes(first).at(-1), first.outbox.given('a')], ['stored', 1]);
});

test('what was recorded long ago is not sent again: the voter may have chosen anew elsewhere', async () => {
    for (const voters of [NOBODY, VOTERS]) {
        const first = browser([202]);
        await first.outbox.put('a', 4, voters);
        const second = browser([], first);
        await second.later(13 * HOUR);
        assert.deepEqual([outcomes(second), second.sent, second.outbox.entry('a'), second.outbox.given('a')], [['pending'], [], undefined, 4]);
    }
});

test('ids that every object of JavaScript has as names are those of talks without a rating', async () => {
    for (const id of ['constructor', '__proto__']) {
        const it = browser([503, 200]);
        assert.deepEqual([it.outbox.entry(id), it.outbox.given(id)], [undefined, undefined]);
        await it.outbox.put(id, 4, VOTERS);
        await it.later(HOUR);
        assert.deepEqual([outcomes(it), it.outbox.entry(id), it.outbox.given(id)], [['queued', 'stored'], undefined, 4]);
    }
});

test('another tab has had the answer meanwhile: both say so, and nothing is left to send', async () => {
    const first = browser([async () => {
        await second.outbox.flush();
        return 200;
    }]);
    const second = browser([200], first);
    await first.outbox.put('a', 4, VOTERS);
    assert.deepEqual([first.outbox.entry('a'), keys(first), outcomes(first), second.outbox.given('a')], [undefined, keys(second), ['stored'], 4]);
});

test('a browser whose storage is full: what it has kept before does not hide what it cannot keep', async () => {
    const it = browser([200, 503, 200]);
    await it.outbox.put('a', 4, VOTERS);
    const { set } = it.kept;
    it.kept.set = () => { throw new DOMException('QuotaExceededError'); };
    await it.outbox.put('b', 2, VOTERS);
    assert.deepEqual([outcomes(it), it.outbox.entry('b')?.value, it.outbox.given('a')], [['stored', 'queued'], 2, 4]);
    it.kept.set = set; // there is room again
    await it.later(HOUR);
    assert.deepEqual([outcomes(it).at(-1), it.outbox.entry('b'), it.outbox.given('b'), it.kept.size], ['stored', undefined, 2, 2]);
});

test('a browser that keeps nothing: as long as the page is open', async () => {
    const it = browser([503, 200]);
    it.kept.set = () => { throw new DOMException('QuotaExceededError'); };
    await it.outbox.put('a', 4, VOTERS);
    assert.equal(it.outbox.entry('a').value, 4);
    await it.later(HOUR);
    assert.deepEqual([outcomes(it), it.outbox.given('a')], [['queued', 'stored'], 4]);
});
