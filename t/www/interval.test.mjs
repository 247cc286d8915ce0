// The interval of an average: conf/www/js/interval.js
import assert from 'node:assert/strict';
import test from 'node:test';
import { averageOf, intervalOf, totalOf } from '../../conf/www/js/interval.js';

const counts = (...of) => Object.fromEntries(of.map((count, i) => [i + 1, count]));
const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

test('sum and average', () => {
    assert.equal(totalOf(counts(1, 0, 2, 0, 5)), 8);
    near(averageOf(counts(1, 0, 2, 0, 5)), 32 / 8);
});

test('without ratings it is the prior: mean 3, variance 1', () => {
    const { low, high } = intervalOf(counts(0, 0, 0, 0, 0));
    near(low, 3 - 1.96);
    near(high, 3 + 1.96);
});

test('one 5: mean 4, variance 2/3, cut off at 5', () => {
    const { low, high } = intervalOf(counts(0, 0, 0, 0, 1));
    near(low, 4 - 1.96 * Math.sqrt(2 / 3));
    assert.equal(high, 5);
});

test('it has a width where all ratings are the same, and the average in it, whatever they are', () => {
    for (let code = 1; code < 4 ** 5; code++) {
        const some = counts(...[0, 1, 2, 3, 4].map(i => Math.floor(code / 4 ** i) % 4));
        const { low, high } = intervalOf(some);
        assert.ok(low < high && low <= averageOf(some) && averageOf(some) <= high, JSON.stringify(some));
    }
});

test('ten times the ratings, about a third of the width', () => {
    const width = ({ low, high }) => high - low;
    const ratio = width(intervalOf(counts(10, 20, 30, 20, 10))) / width(intervalOf(counts(100, 200, 300, 200, 100)));
    assert.ok(ratio > 3 && ratio < 3.3, String(ratio));
});

// As a frequentist would ask: of the intervals of many small audiences, how many have the true average in them?
test('about 95 of 100 intervals of 20 ratings hold what the ratings were drawn by', () => {
    const chances = [0.05, 0.05, 0.15, 0.35, 0.4];
    const truth = chances.reduce((sum, chance, i) => sum + chance * (i + 1), 0);
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647; // Park and Miller's
    const draw = () => {
        let left = random();
        return 1 + chances.findIndex(chance => (left -= chance) < 0 || chance === chances.at(-1));
    };
    let held = 0;
    for (let trial = 0; trial < 4000; trial++) {
        const some = counts(0, 0, 0, 0, 0);
        for (let i = 0; i < 20; i++)
            some[draw()]++;
        const { low, high } = intervalOf(some);
        held += low <= truth && truth <= high;
    }
    assert.ok(held > 0.93 * 4000 && held < 0.98 * 4000, `${held / 40}%`);
});
