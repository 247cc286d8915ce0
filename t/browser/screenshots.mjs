// Pictures of each view, light and dark, of a small conference, into the directory BROWSER_PICTURES (make screenshots).
import { newTalk, rate } from './service.mjs';
import { openView, viewsOf } from './views.mjs';
import { choose, outcome, test, visitor } from './visitor.mjs';

const half = 1800;
const begun = -(Date.now() / 1000) % half; // the last half hour that was full

// Hours from the one that is on now; how often each value is given
/** @type {[string, string[], string, string, number, number[]][]} */
const conference = [
    ['The Art of the Postmortem', ['Tom Adeyemi', 'Priya Raman'], 'Main hall', 'People', -2, [2, 3, 5, 24, 35]],
    ['A web server is an application server', ['Chiara Rossi'], 'Room 2', 'Web', -2, [0, 2, 5, 9, 6]],
    ['What your database does while it sleeps', ['Dmitri Orlov'], 'Main hall', 'Data', -1, [0, 1, 3, 8, 14]],
    ['Accessible by default', ['Emma Núñez'], 'Room 2', 'Web', -1, [0, 0, 2, 6, 15]],
    ['Exactly once, for a given value of once', ['Farid Haddad'], 'Main hall', 'Architecture', 0, [0, 1, 2, 3, 5]],
    ['Shared memory without locks', ['Grace Okafor', 'Hugo Lind'], 'Room 2', 'Systems', 0, [1, 0, 2, 4, 4]],
    ['Tests that can fail', ['Ines Weber'], 'Main hall', 'Systems', 1, []],
    ['One thumb, bad wifi', ['Jun Tanaka'], 'Room 2', 'Web', 1, []],
];

async function make() {
    const ids = [];
    for (const [title, speakers, room, track, slot, given] of conference) {
        const starts = begun + 2 * slot * half;
        ids.push(await newTalk({ title, speakers, room, track, language: 'en', starts, ends: starts + 2 * half, opens: starts, closes: starts + 400 * half }));
        await rate(ids.at(-1), ...given.flatMap((times, index) => Array(times).fill(index + 1)));
    }
    return { rated: ids[0], early: ids.at(-1) };
}

test('pictures of each view', async (t) => {
    const views = viewsOf(await make());
    for (const colorScheme of ['light', 'dark']) {
        for (const view of views) {
            const visit = await visitor(t, { colorScheme, screen: view.screen, deviceScaleFactor: view.screen === 'phone' ? 2 : 1 });
            await openView(visit, view);
            if (view.name === 'talk') {
                await choose(visit.page, 5);
                await outcome(visit.page, 'stored');
            }
            await visit.page.screenshot({ path: `${process.env.BROWSER_PICTURES}/${view.name}-${colorScheme}.png`, fullPage: view.screen !== 'wall' });
        }
    }
});
