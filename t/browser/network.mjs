// Bad networks: a rating is kept until it is stored, is sent again as what it was, and counts once.
import assert from 'node:assert/strict';
import { counts, newTalk } from './service.mjs';
import { choose, eventually, outcome, posts, talkPath, test, visitor } from './visitor.mjs';

const offline = [/net::ERR_INTERNET_DISCONNECTED/];

// Chromium tells of a request when it gets to it, which may be after the service has counted it.
async function keysOf(visit) {
    await eventually(() => posts(visit).length > 0, 'a POST');
    return new Set(await Promise.all(posts(visit).map((request) => request.headerValue('Idempotency-Key'))));
}

for (const host of ['voters', 'anonymous']) {
    test(`${host}: what is rated offline is kept, and sent once when the network recovers`, async (t) => {
        const talk = await newTalk();
        const visit = await visitor(t, { host, expects: offline });
        const { context, page, open } = visit;
        await open(talkPath(talk));
        await context.setOffline(true);
        await choose(page, 5);
        await outcome(page, 'queued');
        assert.equal(await counts(talk), '00000');

        await context.setOffline(false);
        await outcome(page, 'stored');
        assert.equal(await counts(talk), '00001');
        const keys = await keysOf(visit);
        assert.ok(keys.size === 1 && !keys.has(null), `one Idempotency-Key: ${[...keys]}`);
    });

    test(`${host}: a rating whose answer was lost is sent again, and counts once`, async (t) => {
        const talk = await newTalk();
        const visit = await visitor(t, { host, expects: [/net::ERR_/] });
        const { page, open, cdp } = visit;
        await open(talkPath(talk));
        const network = await cdp();
        await network.send('Fetch.enable', { patterns: [{ urlPattern: '*/ratings', requestStage: 'Response' }] });
        let lost = 0;
        network.on('Fetch.requestPaused', ({ requestId, request }) => {
            if (request.method === 'POST' && lost++ === 0) return network.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' });
            return network.send('Fetch.continueRequest', { requestId });
        });
        await choose(page, 4);
        await eventually(() => lost > 1, 'the rating is sent again');
        await outcome(page, 'stored');
        assert.equal(await counts(talk), '00010');
        const keys = await keysOf(visit);
        assert.ok(keys.size === 1 && !keys.has(null), `one Idempotency-Key: ${[...keys]}`);
    });

    test(`${host}: a rating that was not sent is sent when its page is opened again`, async (t) => {
        const talk = await newTalk();
        const visit = await visitor(t, { host, expects: offline });
        const { context, page, open } = visit;
        await open(talkPath(talk));
        await context.setOffline(true);
        await choose(page, 2);
        await outcome(page, 'queued');
        await page.close();
        await context.setOffline(false);

        const next = await context.newPage();
        await next.goto(talkPath(talk));
        await eventually(async () => (await counts(talk)) === '01000', 'the rating');
        assert.equal((await keysOf(visit)).size, 1);
    });
}

test('a change of mind while offline: the last one counts, once', async (t) => {
    const talk = await newTalk();
    const { context, page, open } = await visitor(t, { expects: offline });
    await open(talkPath(talk));
    await context.setOffline(true);
    await choose(page, 1);
    await outcome(page, 'queued');
    await choose(page, 5);
    await outcome(page, 'queued');
    await context.setOffline(false);
    await outcome(page, 'stored');
    await eventually(async () => (await counts(talk)) === '00001', 'the last choice');
});

test('stored and not yet counted is said so', async (t) => {
    const talk = await newTalk();
    const { page, open } = await visitor(t, { host: 'late' });
    await open(talkPath(talk));
    await choose(page, 4);
    await eventually(async () => ['pending', 'stored'].includes(await page.locator('#outcome').getAttribute('data-outcome')), 'the outcome');
    await eventually(async () => (await counts(talk)) === '00010', 'the rating');
});

test('while the service cannot store, a rating is kept', async (t) => {
    const talk = await newTalk();
    const { page, open } = await visitor(t, { host: 'down', expects: [/status of 50[34]/] });
    await open(talkPath(talk));
    await choose(page, 4);
    await outcome(page, 'queued');
});

test('a window that has closed meanwhile refuses, and that is said', async (t) => {
    const closes = 12; // seconds: long enough for a busy machine to open the page before
    const talk = await newTalk({ opens: -60, closes });
    const late = Date.now() + 1000 * closes + 500;
    const { context, page, open } = await visitor(t, { expects: [...offline, /status of 403/] });
    await open(talkPath(talk));
    await context.setOffline(true);
    await choose(page, 4);
    await outcome(page, 'queued');
    await eventually(() => Date.now() > late, 'the closing');
    await context.setOffline(false);
    await outcome(page, 'refused');
    assert.equal(await counts(talk), '00000');
});
