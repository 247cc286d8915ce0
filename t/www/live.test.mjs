// How often the page looks, and what its bars say: conf/www/js/poll.js, histogram.js
import assert from 'node:assert/strict';
import test from 'node:test';
import { sharesOf } from '../../conf/www/js/histogram.js';
import { nextPause, poll } from '../../conf/www/js/poll.js';

test('slower while nothing changes, to a bound; soon after a change', () => {
    let pause = 2_000;
    const pauses = Array.from({ length: 10 }, () => (pause = nextPause(pause)));
    assert.ok(pauses.every((length, i) => i === 0 || length >= pauses[i - 1]));
    assert.equal(pauses.at(-1), 15_000);
    assert.equal(nextPause(pause, { changed: true }), 2_000);
});

test('Retry-After is kept, also above the bound', () => {
    assert.equal(nextPause(2_000, { retryAfter: 40_000 }), 40_000);
    assert.equal(nextPause(2_000, { changed: true, retryAfter: 40_000 }), 40_000);
});

test('a stage looks more often', () => {
    assert.equal(nextPause(9_000, {}, { first: 1_000, longest: 5_000 }), 5_000);
});

test('shares of all ratings, none of none', () => {
    assert.deepEqual(sharesOf({ 1: 1, 2: 0, 3: 0, 4: 0, 5: 3 }), { 1: 25, 2: 0, 3: 0, 4: 0, 5: 75 });
    assert.deepEqual(sharesOf({ 1: 0, 2: 0, 3: 0, 4: 0, 5: 0 }), { 1: 0, 2: 0, 3: 0, 4: 0, 5: 0 });
});

test('a look that fails is followed by another', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    globalThis.window = { addEventListener() {} };
    globalThis.document = { hidden: false, addEventListener() {} };
    let looks = 0;
    const look = async () => {
        looks++;
        throw new Error('no answer');
    };
    poll(look, { first: 10, longest: 20 });
    for (let turns = 0; turns < 10; turns++) {
        await Promise.resolve();
        t.mock.timers.tick(100);
    }
    assert.ok(looks > 2);
});
