// What axe-core finds: nothing, in any view, light or dark.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { newTalk } from './service.mjs';
import { openView, views } from './views.mjs';
import { axeSource, choose, outcome, talkPath, test, visitor } from './visitor.mjs';

const axe = readFileSync(axeSource, 'utf8');

// The rules of WCAG 2.2 AA and axe's best practices; each violation with the first elements that it is about
async function violations(page) {
    await page.evaluate(axe); // by the debugger, past the Content-Security-Policy
    const results = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    assert.ok(results.passes.length > 10, 'axe has looked at something');
    return results.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => `${node.html} (${node.any.concat(node.all).map((check) => check.message).join(', ')})`).join(' | ')}`);
}

for (const colorScheme of ['light', 'dark']) {
    test(`axe-core: no violation, ${colorScheme}`, async (t) => {
        for (const view of await views()) {
            const visit = await visitor(t, { colorScheme, screen: view.screen });
            await openView(visit, view);
            assert.deepEqual(await violations(visit.page), [], view.name);
        }
    });

    test(`axe-core: no violation after a rating, nor where results are hidden, nor without JavaScript's, ${colorScheme}`, async (t) => {
        const talk = await newTalk({ opens: -60, closes: 3600 });
        for (const host of ['voters', 'hidden']) {
            const { page, open } = await visitor(t, { colorScheme, host });
            await open(talkPath(talk));
            await choose(page, 4);
            await outcome(page, 'stored');
            assert.deepEqual(await violations(page), [], host);
        }
        const { page, open } = await visitor(t, { colorScheme, expects: [/net::ERR_FAILED.*\.js\)/] });
        await page.route('**/*.js', (route) => route.abort()); // axe itself needs a script to run
        await open(`${talkPath(talk)}?outcome=403`);
        assert.deepEqual(await violations(page), [], 'as it comes from httpd');
    });
}
