// A visitor rates: by a finger, and by the keyboard alone.
import assert from 'node:assert/strict';
import { counts, newTalk, rate } from './service.mjs';
import { choose, chosen, eventually, numberIn, outcome, posts, talkPath, test, visitor } from './visitor.mjs';

test('a tap rates, another changes it, one more withdraws it', async (t) => {
    const talk = await newTalk();
    const { page, open } = await visitor(t);
    await open(talkPath(talk));
    assert.equal(await chosen(page), null, 'nothing is chosen');
    assert.equal(await page.locator('#withdraw').isVisible(), false, 'there is nothing to withdraw');

    await choose(page, 4);
    await outcome(page, 'stored');
    assert.equal(await counts(talk), '00010');

    await choose(page, 2);
    await eventually(async () => (await counts(talk)) === '01000', 'the change');
    await outcome(page, 'stored');

    await choose(page, 2);
    await outcome(page, 'withdrawn');
    assert.equal(await counts(talk), '00000');
    assert.equal(await chosen(page), null, 'nothing is chosen any more');
});

test('a rating is there when its visitor comes back, and a button withdraws it', async (t) => {
    const talk = await newTalk();
    const { page, open } = await visitor(t);
    await open(talkPath(talk));
    await choose(page, 5);
    await outcome(page, 'stored');

    await open(talkPath(talk));
    assert.equal(await chosen(page), '5');
    await page.locator('#withdraw').tap();
    await outcome(page, 'withdrawn');
    assert.equal(await counts(talk), '00000');
    await open(talkPath(talk));
    assert.equal(await chosen(page), null);
});

test('the page shows what was counted: bars, average, number', async (t) => {
    const talk = await newTalk();
    await rate(talk, 5, 5, 4, 1);
    const { page, open } = await visitor(t);
    await open(talkPath(talk));
    await eventually(async () => (await numberIn(page, '#count')) === 4, 'the number of ratings');
    assert.equal(await numberIn(page, '#average'), 3.8);
    const text = await page.locator('#histogram').innerText();
    for (const figure of ['1', '2', '3', '4', '5']) assert.ok(text.includes(figure), `${figure} is in ${text}`);
    await choose(page, 4);
    await outcome(page, 'stored');
    await eventually(async () => (await numberIn(page, '#count')) === 5, 'the own rating, counted');
});

test('the keyboard alone rates, changes and withdraws', async (t) => {
    const talk = await newTalk();
    const visit = await visitor(t, { screen: 'desk' });
    const { page, open } = visit;
    const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    const focused = () => page.evaluate(() => document.activeElement.name ?? document.activeElement.id);
    const tabTo = async (name) => {
        for (let steps = 0; (await focused()) !== name; steps++) {
            assert.ok(steps < 30, `Tab leads to ${name}`);
            await press('Tab');
        }
        assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement.labels?.[0] ?? document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineStyle), 'nonenone', 'the focus is seen');
    };
    await open(talkPath(talk));
    await tabTo('value');
    await press('Space', 'ArrowRight', 'ArrowRight');
    assert.equal(await chosen(page), '3');
    await press('Enter');
    await eventually(async () => (await counts(talk)) === '00100', 'the rating');
    await outcome(page, 'stored');

    await press('ArrowRight', 'Enter');
    await eventually(async () => (await counts(talk)) === '00010', 'the change');
    assert.equal(await focused(), 'value', 'the focus stays');

    await page.locator('#withdraw').waitFor();
    for (let steps = 0; (await page.evaluate(() => document.activeElement.id)) !== 'withdraw'; steps++) {
        assert.ok(steps < 30, 'Tab leads to the button that withdraws');
        await press('Tab');
    }
    await press('Enter');
    await outcome(page, 'withdrawn');
    assert.equal(await counts(talk), '00000');
    assert.ok(posts(visit).length <= 4, `keys that only choose send nothing or little: ${posts(visit).length} POSTs`);
});

test('who is no voter rates once a browser', async (t) => {
    const talk = await newTalk();
    const { page, open } = await visitor(t, { host: 'anonymous' });
    await open(talkPath(talk));
    await choose(page, 3);
    await outcome(page, 'stored');
    assert.equal(await counts(talk), '00100');
    assert.equal(await page.locator('#withdraw').isVisible(), false, 'nothing can be withdrawn');
    await open(talkPath(talk));
    await eventually(() => page.evaluate(() => [...document.querySelectorAll('#rate input[name=value]')].every((radio) => radio.matches(':disabled'))), 'the form is closed');
    assert.equal(await chosen(page), '3');
});
