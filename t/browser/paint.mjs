// How soon a view is painted by a phone: Chromium with a CPU four times slower, on loopback, with nothing else at work on the
// machine (make bench-page).
import assert from 'node:assert/strict';
import { openView, views } from './views.mjs';
import { test, visitor } from './visitor.mjs';

const budget = 500; // ms
const times = 7;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

test('each view is painted within half a second', async (t) => {
    const late = [];
    for (const view of await views()) {
        const firsts = [];
        for (let run = 0; run < times; run++) {
            const visit = await visitor(t, { screen: view.screen }); // with an empty cache
            const debug = await visit.cdp();
            await debug.send('Emulation.setCPUThrottlingRate', { rate: 4 });
            await openView(visit, view);
            firsts.push(await visit.page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity));
            await visit.context.close();
        }
        t.diagnostic(`${view.name}: first paint after ${median(firsts).toFixed(0)} ms (median of ${times}; ${Math.min(...firsts).toFixed(0)} to ${Math.max(...firsts).toFixed(0)})`);
        if (median(firsts) >= budget) late.push(view.name);
    }
    assert.deepEqual(late, []);
});
