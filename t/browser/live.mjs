// What changes on a page by itself: other people's ratings, the talk's window, hidden results; and when it asks nothing.
import assert from 'node:assert/strict';
import { counts, newTalk, rate } from './service.mjs';
import { choose, eventually, numberIn, outcome, talkPath, test, visitor } from './visitor.mjs';

test('a second window shows a rating within its polling interval', async (t) => {
    const talk = await newTalk();
    const ann = await visitor(t);
    const ben = await visitor(t);
    await ben.open(talkPath(talk));
    await ann.open(talkPath(talk));
    await choose(ann.page, 4);
    await outcome(ann.page, 'stored');
    await eventually(async () => (await numberIn(ben.page, '#count')) === 1, 'the rating in the other window');
    assert.equal(await numberIn(ben.page, '#average'), 4);
});

test('the stage view shows a rating by itself', async (t) => {
    const talk = await newTalk();
    const wall = await visitor(t, { screen: 'wall' });
    await wall.open(`${talkPath(talk)}?view=stage`);
    await wall.page.locator('#stage').waitFor();
    await rate(talk, 5, 2);
    await eventually(async () => (await numberIn(wall.page, '#count')) === 2, 'the ratings on the wall');
});

test('the ranking of what is no day is that of today', async (t) => {
    await rate(await newTalk({ title: 'Rated', starts: -60, ends: 3600 }), 5);
    const { page, open } = await visitor(t, { screen: 'wall', expects: [/status of 400/] });
    for (const day of ['tomorrow', '2026-02-30']) {
        await open(`/rate/?view=stage&day=${day}`);
        await page.locator('#ranking li').first().waitFor();
    }
});

// The clock of the page is the test's: what it does in an hour is seen at once.
const isPoll = (request) => request.method() === 'GET' && /^\/(ratings|talks)/.test(new URL(request.url()).pathname);

// Lets so many seconds of the page's pass, and its requests be answered; their number
async function pass(visit, seconds, step = 2) {
    const before = visit.requests.filter(isPoll).length;
    for (let second = 0; second < seconds; second += step) {
        await visit.page.clock.runFor(1000 * Math.min(step, seconds - second));
        await visit.page.evaluate(() => fetch(document.baseURI, { method: 'HEAD' })); // asked after them, answered after them
    }
    return visit.requests.filter(isPoll).length - before;
}

test('it asks often while ratings come, less when nothing changes, and not at all while nobody looks', async (t) => {
    const talk = await newTalk();
    const visit = await visitor(t);
    await visit.page.clock.install();
    await visit.open(talkPath(talk));
    await eventually(async () => (await pass(visit, 1)) > 0, 'the first poll');

    await rate(talk, 5);
    await eventually(async () => (await pass(visit, 1), (await numberIn(visit.page, '#count')) === 1), 'the rating');
    const busy = await pass(visit, 60);
    const idle = await pass(visit, 60);
    assert.ok(busy > 0 && idle > 0 && idle < busy, `${busy} requests in the minute after a rating, ${idle} in the next`);

    // Headless windows are always shown: what a browser says of a hidden one is said here.
    const show = (state) => visit.page.evaluate((value) => {
        Object.defineProperty(document, 'visibilityState', { value, configurable: true });
        Object.defineProperty(document, 'hidden', { value: value === 'hidden', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }, state);
    await show('hidden');
    assert.equal(await pass(visit, 3600, 600), 0, 'requests of a hidden tab');
    await rate(talk, 5);
    await show('visible');
    await eventually(async () => (await pass(visit, 1), (await numberIn(visit.page, '#count')) === 2), 'what came meanwhile');
});

test('polls that find nothing new are answered by 304', async (t) => {
    const talk = await newTalk();
    const visit = await visitor(t);
    const statuses = [];
    visit.page.on('response', (response) => isPoll(response.request()) && statuses.push(response.status()));
    await visit.page.clock.install();
    await visit.open(talkPath(talk));
    await eventually(async () => (await pass(visit, 5), statuses.includes(304)), `a 304 among ${statuses}`);
});

test('a window that opens opens the form, and one that closes closes it', async (t) => {
    const talk = await newTalk({ opens: 12, closes: 3600 });
    const { page, open } = await visitor(t);
    const closed = () => page.evaluate(() => [...document.querySelectorAll('#rate input[name=value]')].every((radio) => radio.matches(':disabled') || !radio.checkVisibility()));
    await open(talkPath(talk));
    assert.ok(await closed(), 'before it opens');
    await eventually(async () => !(await closed()), 'the opening');
    await choose(page, 5);
    await outcome(page, 'stored');
    assert.equal(await counts(talk), '00001');

    const ending = await newTalk({ opens: -60, closes: 6 });
    await open(talkPath(ending));
    await eventually(closed, 'the closing');
});

test('hidden results say since when they are there, and nowhere what they are', async (t) => {
    const talk = await newTalk({ opens: -60, closes: 3600 });
    await rate(talk, 5, 5, 1);
    const { page, open, requests } = await visitor(t, { host: 'hidden' });
    await open(talkPath(talk));
    const hidden = page.locator('#hidden');
    await hidden.waitFor();
    assert.match(await hidden.innerText(), /\d\d:\d\d/, 'the time');
    for (const id of ['#histogram', '#average']) assert.equal(await page.locator(id).isVisible(), false, `${id} is not shown`);
    await choose(page, 4);
    await outcome(page, 'stored');
    await hidden.waitFor();
    for (const request of requests.filter(isPoll)) {
        const response = await request.response();
        assert.doesNotMatch((await response?.text().catch(() => '')) ?? '', /"avg"|"5":2/, 'no answer has them');
    }
});

test('results that were hidden are shown when the talk closes', async (t) => {
    const talk = await newTalk({ opens: -60, closes: 6 });
    await rate(talk, 3);
    const { page, open } = await visitor(t, { host: 'hidden' });
    await open(talkPath(talk));
    await page.locator('#hidden').waitFor();
    await eventually(async () => (await numberIn(page, '#average')) === 3, 'the results');
    assert.equal(await page.locator('#hidden').isVisible(), false);
});
