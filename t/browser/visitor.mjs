// Visitors: each has a browser context of their own in one Chromium, as a person has a phone. What no page may ever do is
// looked at when a visitor leaves: an error on the console (a violation of the Content-Security-Policy is one), an
// exception, a request to another origin.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, test as nodeTest } from 'node:test';

const require = createRequire(`${process.env.TEST_NODE}/`);
const { chromium } = require('playwright-core');

export const patience = 20_000; // ms until a condition that is waited for is a failure; no promise of the page's

// A test of node's runner, which ends in time
export const test = (name, run) => nodeTest(name, { timeout: 6 * patience }, run);

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const wall = { viewport: { width: 1920, height: 1080 } };
export const screens = { phone, wall, narrow: { ...phone, viewport: { width: 320, height: 640 } }, desk: { viewport: { width: 1280, height: 800 } } };

// Names below .test are this machine, whose pages are in no secure context, as those of a conference without TLS; there are no
// others. The sandbox needs what containers do not give, and /dev/shm may be small there.
const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--disable-dev-shm-usage', '--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND'],
    timeout: patience,
});
after(() => browser.close());

// The site of one of the virtual hosts of browser.t
export const site = (host) => `http://${host}.test:${process.env.BROWSER_PORT}`;
export const talkPath = (id) => `/rate/talks/${encodeURIComponent(id)}`;

// visitor(t, { host, screen, expects: patterns of errors on the console that the test brings about, ...options of a context })
/** @param {any} t @param {any} options @returns {Promise<any>} */
export async function visitor(t, { host = 'voters', screen = 'phone', expects = [], ...options } = {}) {
    const context = await browser.newContext({ baseURL: site(host), locale: 'en-GB', ...screens[screen], ...options });
    context.setDefaultTimeout(patience);
    const faults = [];
    const requests = [];
    context.on('console', (message) => message.type() === 'error' && faults.push(`${message.text()} (${message.location().url})`));
    context.on('weberror', (error) => faults.push(`exception: ${error.error().stack}`));
    context.on('request', (request) => {
        requests.push(request);
        if (new URL(request.url()).origin !== site(host)) faults.push(`request to another origin: ${request.url()}`);
    });
    t.after(async () => {
        await context.close();
        const unexpected = faults.filter((fault) => !expects.some((pattern) => pattern.test(fault)));
        for (const fault of unexpected) t.diagnostic(fault); // also where the test has failed already, perhaps of them
        assert.deepEqual(unexpected, [], 'nothing that a page may never do');
    });
    const page = await context.newPage();
    return { context, page, requests, open: (path) => page.goto(path), cdp: () => context.newCDPSession(page) };
}

// Tries again until the check neither throws nor is false; the last failure is the test's.
export async function eventually(check, what = 'a condition') {
    const until = performance.now() + patience;
    for (;;) {
        try {
            const value = await check();
            if (value !== false) return value;
            throw new Error(`${what} does not come true`);
        } catch (error) {
            if (performance.now() > until) throw error;
        }
        await new Promise((again) => setTimeout(again, 50));
    }
}

// ---- what people do and see ----

// The label is what a finger meets, which is a click to it.
export async function choose(page, value) {
    await page.locator('#rate label', { has: page.locator(`input[value="${value}"]`) }).click();
}

export const outcome = (page, expected) => page.locator(`#outcome[data-outcome="${expected}"]`).waitFor();

// The value that is chosen, or null
export const chosen = (page) => page.evaluate(() => document.querySelector('#rate input[name=value]:checked')?.value ?? null);

// The first number in what an element says, in any language's way to write it; null where there is none
export async function numberIn(page, selector) {
    const [number] = (await page.locator(selector).innerText()).match(/\d+(?:[.,]\d+)?/) ?? [];
    return number === undefined ? null : Number(number.replace(',', '.'));
}

export const posts = (visitor) => visitor.requests.filter((request) => request.method() === 'POST' && new URL(request.url()).pathname === '/ratings');

export const axeSource = require.resolve('axe-core/axe.min.js');
