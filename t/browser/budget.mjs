// What a view weighs on the wire, compressed as httpd sends it.
import assert from 'node:assert/strict';
import { openView, views } from './views.mjs';
import { test, visitor } from './visitor.mjs';

const budget = 40 * 1024;

// The bytes of each response, its header included, by URL
async function weigh(visit) {
    const network = await visit.cdp();
    const urls = new Map();
    const bytes = new Map();
    network.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
    network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => urls.has(requestId) && bytes.set(urls.get(requestId), encodedDataLength));
    await network.send('Network.enable');
    return bytes;
}

const sumOf = (sizes) => sizes.reduce((total, [, size]) => total + size, 0);

test('each view is under 40 KB with all that it loads, and one QR code', async (t) => {
    for (const view of await views()) {
        const visit = await visitor(t, { screen: view.screen });
        const bytes = await weigh(visit);
        await openView(visit, view);
        await visit.page.waitForLoadState('networkidle');
        const codes = [...bytes].filter(([url]) => url.includes('/qr/'));
        const sum = sumOf([...bytes].filter(([url]) => !url.includes('/qr/')));
        const code = codes.length ? sumOf(codes) / codes.length : 0;
        t.diagnostic(`${view.name}: ${(sum / 1024).toFixed(1)} KB in ${bytes.size - codes.length} requests, ${codes.length} QR codes of ${(code / 1024).toFixed(1)} KB`);
        assert.ok(sum > 0 && sum + code < budget, `${view.name}: ${JSON.stringify([...bytes])}`);
        assert.ok(code < 3 * 1024, `${view.name}: ${code} bytes for a QR code`);
    }
});

test('what a browser has is not sent again', async (t) => {
    const { 1: talk } = await views();
    const visit = await visitor(t);
    await openView(visit, talk);
    const bytes = await weigh(visit);
    await openView(visit, talk);
    for (const [url, size] of bytes) if (/\.(css|js)$/.test(new URL(url).pathname)) assert.ok(size < 600, `${url}: ${size} bytes again`);
});
