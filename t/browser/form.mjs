// Without JavaScript: the form is sent, and its page comes back with what became of it.
import assert from 'node:assert/strict';
import { counts, newTalk, rate } from './service.mjs';
import { choose, chosen, numberIn, talkPath, test, visitor } from './visitor.mjs';

const plain = { javaScriptEnabled: false };

// Sends the form; the outcome that the page names when it returns, and what it says
async function send(page) {
    await Promise.all([page.waitForEvent('load'), page.locator('#rate button:not(#withdraw), #rate [type=submit]:not(#withdraw)').first().click()]); // not its URL, which may be that of the time before
    assert.match(page.url(), /\?outcome=\d+$/);
    return { status: new URL(page.url()).searchParams.get('outcome'), text: await page.locator('#outcome').innerText() };
}

test('the form rates, changes and withdraws', async (t) => {
    const talk = await newTalk({ title: 'A <b>bold</b> title & "quotes"', speakers: ['Ann Lee', 'Bo'] });
    await rate(talk, 2);
    const { page, open } = await visitor(t, plain);
    await open(talkPath(talk));
    assert.equal(await page.locator('h1').innerText(), 'A <b>bold</b> title & "quotes"');
    assert.match(await page.locator('main').innerText(), /Ann Lee, Bo/);
    assert.equal(await numberIn(page, '#count'), 1, 'the page has the numbers');

    await choose(page, 5);
    const stored = await send(page);
    assert.equal(stored.status, '200');
    assert.ok(stored.text, 'and says so');
    assert.equal(await counts(talk), '01001');
    assert.equal(await numberIn(page, '#count'), 2);
    assert.equal(await chosen(page), '5', 'the own rating');

    await choose(page, 4);
    assert.equal((await send(page)).status, '200');
    assert.equal(await counts(talk), '01010');

    await Promise.all([page.waitForEvent('load'), page.locator('#withdraw').click()]);
    assert.match(page.url(), /outcome=20[04]$/);
    assert.equal(await counts(talk), '01000');
});

for (const [host, status, what, columns] of /** @type {[string, string, string, any][]} */ ([
    ['late', '202', 'stored and not yet counted', {}],
    ['voters', '403', 'a window that has closed meanwhile', { opens: -60, closes: 12 }],
    ['down', '503', 'a service that cannot store', {}],
])) {
    test(`the page says of ${what} (${status})`, async (t) => {
        const talk = await newTalk(columns);
        const { page, open } = await visitor(t, { host, ...plain });
        let answered, text;
        for (let again = 0; again < 20; again++) {
            await open(talkPath(talk));
            await choose(page, 3);
            if (columns.closes) await page.waitForTimeout(1000 * columns.closes + 500); // the window's own time, which nothing on a page without a script shows
            ({ status: answered, text } = await send(page));
            if (host !== 'late' || answered !== '200') break; // a projector that has counted it by then: not each time
        }
        assert.equal(answered, status);
        assert.ok(text.length > 10, `it says: ${text}`);
        assert.doesNotMatch(text, /\(none\)/);
    });
}

test('a talk that is not yet open, one that is closed, and one that is none', async (t) => {
    const { page, open } = await visitor(t, { ...plain, expects: [/status of 404/] });
    for (const columns of [{ opens: 3600 }, { opens: -7200, closes: -3600 }]) {
        await open(talkPath(await newTalk(columns)));
        assert.equal(await page.locator('#rate button:visible:enabled').count(), 0, 'nothing can be sent');
        assert.ok(await page.locator('h1').isVisible());
    }
    assert.equal((await open(talkPath('no-such-talk'))).status(), 404);
});

test('a link that says of a voter without a rating that it is stored is not believed', async (t) => {
    const talk = await newTalk();
    const { page, open } = await visitor(t, plain);
    await open(`${talkPath(talk)}?outcome=200`);
    assert.equal(await page.locator('#outcome').getAttribute('data-outcome'), null);
    await choose(page, 5);
    assert.ok((await send(page)).text, 'of one that is, it says so');
    assert.equal(await page.locator('#outcome').getAttribute('data-outcome'), 'stored');
});

test('ids of any characters', async (t) => {
    const talk = await newTalk({ id: `Größe & "mehr" <b>?#+%41 ${process.pid}` });
    for (const options of [plain, {}]) {
        const { page, open } = await visitor(t, options);
        await open(talkPath(talk));
        await choose(page, 5);
        if (options === plain) assert.equal((await send(page)).status, '200');
        else await page.locator('#outcome[data-outcome=stored]').waitFor();
    }
    assert.equal(await counts(talk), '00002');
});

test('times say in which time zone they are', async (t) => {
    const talk = await newTalk({ starts: 3600, ends: 7200, opens: 3600 });
    const { page, open } = await visitor(t, plain);
    await open(talkPath(talk));
    assert.match(await page.locator('#time').innerText(), /^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    assert.match(await page.locator('#window time').innerText(), /^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
});
