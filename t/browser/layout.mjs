// What people see: on a narrow phone, in the dark, in each language, from the last row.
import assert from 'node:assert/strict';
import { openView, views } from './views.mjs';
import { test, visitor } from './visitor.mjs';

const languages = { en: 'en-US', de: 'de-DE', es: 'es-ES', fr: 'fr-FR' };

// In the page: texts that are wider than their place, or that lie beyond the window's edges. The wall may shorten one that has
// no end, by an ellipsis.
function cutTexts(mayShorten = false) {
    const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !element.closest('.heard'); // for screen readers alone
    const isShortened = (element) => element && (getComputedStyle(element).textOverflow === 'ellipsis' || getComputedStyle(element).webkitLineClamp !== 'none' || isShortened(element.parentElement));
    const name = (element) => `<${element.localName}${element.id && `#${element.id}`}>: ${element.textContent.trim().slice(0, 60)}`;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const cut = [];
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const box = range.getBoundingClientRect();
        if (!walker.currentNode.data.trim() || !shown(element) || box.width <= 1 || box.height <= 1 || (mayShorten && isShortened(element))) continue;
        if (box.left < -1 || box.right > innerWidth + 1) cut.push(`${name(element)} is beyond the edge: ${box.left} to ${box.right} of ${innerWidth}`);
        for (let place = element; place && place !== document.body; place = place.parentElement) {
            const style = getComputedStyle(place);
            const frame = place.getBoundingClientRect();
            if (style.overflowX !== 'visible' && (box.left < frame.left - 1 || box.right > frame.right + 1)) cut.push(`${name(element)} is cut by <${place.localName}>`);
            if (style.overflowY === 'hidden' && (box.top < frame.top - 1 || box.bottom > frame.bottom + 1)) cut.push(`${name(element)} is cut by <${place.localName}>`);
        }
    }
    return cut;
}

// Words that a template has left out, or that nothing was put into
const gaps = /\(none\)|undefined|null|NaN|\[an error|\{\w+\}|Invalid Date/;

for (const [language, locale] of Object.entries(languages)) {
    test(`${language}: each view at 320 px, with the longest words: nothing scrolls sideways, nothing is cut`, async (t) => {
        const visit = await visitor(t, { screen: 'narrow', locale });
        for (const view of await views()) {
            await openView(visit, view);
            const width = await visit.page.evaluate(() => document.documentElement.scrollWidth);
            assert.ok(width <= 320, `${view.name} is ${width} px wide`);
            assert.deepEqual(await visit.page.evaluate(cutTexts), [], view.name);
            assert.equal(await visit.page.evaluate(() => document.documentElement.lang), language, view.name);
            assert.doesNotMatch(await visit.page.locator('body').innerText(), gaps, view.name);
        }
    });
}

test('each language has words of its own, without JavaScript too', async (t) => {
    const { 1: talk } = await views();
    for (const javaScriptEnabled of [true, false]) {
        const texts = new Set();
        for (const locale of Object.values(languages)) {
            const visit = await visitor(t, { locale, javaScriptEnabled });
            await visit.open(talk.path);
            texts.add(await visit.page.locator('#rate').innerText());
        }
        assert.equal(texts.size, Object.keys(languages).length);
    }
});

test('times are those of the conference, whatever the zone of who looks', async (t) => {
    const { 2: early } = await views();
    const texts = new Set();
    for (const timezoneId of ['Europe/Berlin', 'Asia/Tokyo']) {
        const visit = await visitor(t, { timezoneId });
        await openView(visit, early);
        texts.add((await visit.page.locator('main').innerText()).match(/\d\d:\d\d/g)?.join(' '));
    }
    assert.equal(texts.size, 1, [...texts].join(' and '));
    assert.notEqual([...texts][0], undefined, 'there is a time');
});

// Of 255, by the usual weights
const brightness = (page) => page.evaluate(() => {
    let element = document.body;
    if (/rgba\(0, 0, 0, 0\)|transparent/.test(getComputedStyle(element).backgroundColor)) element = document.documentElement;
    const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[\d.]+/g).map(Number);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
});

for (const [colorScheme, dark] of [['light', false], ['dark', true]]) {
    test(`${colorScheme} where the visitor wants it so`, async (t) => {
        const visit = await visitor(t, { colorScheme });
        for (const view of (await views()).slice(0, 3)) {
            await openView(visit, view);
            const level = await brightness(visit.page);
            assert.ok(dark ? level < 60 : level > 200, `${view.name}: ${level}`);
        }
    });
}

// A person in the last row sees as much of a letter as one at a desk of text in 16 px, if it is a fortieth of the wall's height.
test('the stage view is legible from the last row, and fits the wall', async (t) => {
    const { 3: stage, 4: ranking } = await views();
    for (const viewport of [{ width: 1920, height: 1080 }, { width: 1280, height: 720 }, { width: 1024, height: 768 }]) {
        const visit = await visitor(t, { screen: 'wall', viewport });
        for (const view of [stage, ranking]) {
            await openView(visit, view);
            const { small, scrolls } = await visit.page.evaluate(() => {
                const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT); // links are around it
                const small = [];
                while (walker.nextNode()) {
                    const element = walker.currentNode.parentElement;
                    const box = element.getBoundingClientRect();
                    const size = parseFloat(getComputedStyle(element).fontSize) / innerHeight;
                    if (walker.currentNode.data.trim() && element.checkVisibility() && box.width > 1 && box.height > 1 && size < 0.022) small.push(`${walker.currentNode.data.trim()}: ${(100 * size).toFixed(1)}% of the height`);
                }
                return { small, scrolls: document.documentElement.scrollHeight > innerHeight + 1 };
            });
            assert.deepEqual(small, [], `${view.name}, ${viewport.width} x ${viewport.height}`);
            assert.equal(scrolls, false, `${view.name} fits ${viewport.width} x ${viewport.height}`);
            assert.deepEqual(await visit.page.evaluate(cutTexts, true), [], view.name);
        }
    }
});

test('the stage view has the QR code of the talk, large enough for a camera at the back', async (t) => {
    const { 3: stage } = await views();
    const visit = await visitor(t, { screen: 'wall' });
    await openView(visit, stage);
    const code = await visit.page.locator('#stage #qr').evaluate((image) => ({ loaded: image.naturalWidth > 0, share: image.getBoundingClientRect().height / innerHeight }));
    assert.ok(code.loaded && code.share > 0.2, JSON.stringify(code));
});

test('the sheet has a QR code for each talk, and prints', async (t) => {
    const { 5: sheet } = await views();
    const visit = await visitor(t, { screen: 'desk' });
    await openView(visit, sheet);
    const codes = await visit.page.locator('main img').evaluateAll((images) => images.map((image) => image.naturalWidth > 0));
    assert.ok(codes.length >= 3 && codes.every(Boolean), `${codes}`);
    await visit.page.emulateMedia({ media: 'print' });
    assert.equal(await visit.page.locator('button:visible, input:visible, nav:visible').count(), 0, 'nothing on paper is to be pressed');
    assert.ok((await visit.page.pdf({ format: 'A4' })).length > 1000);
});

test('one thumb: whatever is tapped is 24 px or more, what rates 44', async (t) => {
    const { 1: talk } = await views();
    const visit = await visitor(t, { screen: 'narrow' });
    await openView(visit, talk);
    const labels = await visit.page.locator('#rate input[name=value]').evaluateAll((radios) => radios.map((radio) => { const box = radio.labels[0].getBoundingClientRect(); return Math.min(box.width, box.height); }));
    assert.equal(labels.length, 5);
    assert.ok(labels.every((size) => size >= 44), `${labels}`);
});
