// How soon a view is painted by a phone: Chromium with a CPU four times slower, on loopback, with nothing else at work on the
// machine (make bench-page). It is the first contentful paint, by the page's own clock: from the tap on the link until the first
// text is on the screen, with an empty cache.
//
// The window is there before the page is asked for, as a phone's is when its camera has read the code. Here that has to be waited
// for: with each new window Chromium loads the interface of its address bar (chrome://omnibox-popup.top-chrome, some 70
// modules in a process of its own), which takes as long as the page and has the same two cores. No page can do anything about
// it, and Chromium on a phone has none of it.
import assert from 'node:assert/strict';
import { openView, views } from './views.mjs';
import { eventually, test, visitor } from './visitor.mjs';

const budget = 500; // ms
const times = 7;
const rest = { ms: 250, share: 0.1 }; // it takes less than a tenth of one CPU, for so long

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

// The CPU time that each process of Chromium has had, in seconds, by its id
async function cpuTimes(debug) {
    const { processInfo } = await debug.send('SystemInfo.getProcessInfo');
    return new Map(processInfo.map(({ id, cpuTime }) => [id, cpuTime]));
}

// Waits until the browser has nothing left to do.
async function atRest(browser) {
    const debug = await browser.newBrowserCDPSession();
    await eventually(async () => {
        const before = await cpuTimes(debug);
        await new Promise((later) => setTimeout(later, rest.ms));
        const taken = [...(await cpuTimes(debug))].reduce((sum, [id, time]) => sum + time - (before.get(id) ?? 0), 0);
        return 1000 * taken < rest.share * rest.ms;
    }, 'the rest of Chromium');
    await debug.detach();
}

for (const view of await views())
    test(`${view.name} is painted within half a second`, async (t) => {
        const firsts = [];
        for (let run = 0; run < times; run++) {
            const visit = await visitor(t, { screen: view.screen }); // with an empty cache
            await atRest(visit.context.browser());
            const debug = await visit.cdp();
            await debug.send('Emulation.setCPUThrottlingRate', { rate: 4 });
            await openView(visit, view);
            firsts.push(await visit.page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity));
            await visit.context.close();
        }
        const result = `${median(firsts).toFixed(0)} ms (median of ${times}; ${Math.min(...firsts).toFixed(0)} to ${Math.max(...firsts).toFixed(0)})`;
        t.diagnostic(`${view.name}: first paint after ${result}`);
        assert.ok(median(firsts) < budget, result);
    });
