// What the page sends is what docs/openapi.yaml describes: conf/www/js/api.js
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

const { load } = await import(pathToFileURL(`${dirname(process.execPath)}/node_modules/js-yaml/dist/js-yaml.mjs`));
const description = load(readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8'));

// What stands behind "$ref": "#/components/..."
function resolved({ $ref, ...rest }) {
    return $ref ? resolved($ref.split('/').slice(1).reduce((node, name) => node[name], description)) : rest;
}

// As far as page.js looks at it, before api.js asks for its addresses.
globalThis.document = {
    documentElement: { classList: { add() {} }, lang: 'en' },
    body: { dataset: { ratingsUrl: '/ratings', talksUrl: '/talks' } },
    getElementById: () => ({ content: { children: [] } }),
};
const api = await import('../../conf/www/js/api.js');

const sent = [];
globalThis.fetch = async (url, options) => {
    sent.push({ url: new URL(url, 'http://page.test'), ...options });
    return new Response('{"status":"alive"}', { headers: { 'Content-Type': 'application/json', ETag: '"1"', 'Retry-After': '2' } });
};

const calls = {
    'the ratings of a talk': () => api.getRatings('é & b', '"1"'),
    'the own rating': () => api.getMine('a'),
    'a page of talks': () => api.getTalks({ q: 'a b', sort: 'score', limit: 20, cursor: '00', include: 'ratings', day: '2026-11-29', track: '' }, '"1"'),
    'a rating': () => api.postRating('a', 5, 'key'),
    'a withdrawal': () => api.withdrawRating('a', 'key'),
};
const BY_HTTP = ['Accept', 'Content-Type']; // headers that are no parameters in OpenAPI

for (const [name, call] of Object.entries(calls))
    test(`${name}: the request is described`, async () => {
        sent.length = 0;
        const answer = await call();
        assert.deepEqual(answer, { status: 200, body: { status: 'alive' }, etag: '"1"', retryAfter: 2_000 });

        const [{ url, method = 'GET', headers = {}, body }] = sent;
        const operation = description.paths[url.pathname]?.[method.toLowerCase()];
        assert.ok(operation, `${method} ${url.pathname}`);
        const parameters = (operation.parameters ?? []).map(resolved);
        const names = place => parameters.filter(parameter => parameter.in === place).map(parameter => parameter.name);
        for (const header of Object.keys(headers))
            assert.ok([...BY_HTTP, ...names('header')].includes(header), header);
        for (const parameter of url.searchParams.keys())
            assert.ok(names('query').includes(parameter), parameter);
        for (const parameter of parameters)
            assert.ok(!parameter.required || url.searchParams.has(parameter.name), parameter.name);
        const content = operation.requestBody?.content[headers['Content-Type']];
        assert.equal(Boolean(body), Boolean(content));
        if (content)
            assert.deepEqual(Object.keys(JSON.parse(body)), resolved(content.schema).required);
    });

test('a look at a talk carries along where its last rating is, for a minute', async t => {
    const positions = ['v1-00004f7c00000000002a', 'v1-00004f7c00000000002b', null];
    globalThis.fetch = async (url, { method, headers = {} } = {}) => {
        sent.push(headers['Ratings-Position']);
        const position = method && positions.shift();
        return new Response('{}', { headers: position ? { 'Ratings-Position': position } : {} });
    };
    const look = async talk => {
        sent.length = 0;
        await api.getRatings(talk, '"1"');
        await api.getMine(talk);
        return sent;
    };
    t.mock.timers.enable({ apis: ['Date'], now: 0 });
    await api.postRating('here', 5, 'key');
    assert.deepEqual(await look('here'), ['v1-00004f7c00000000002a', 'v1-00004f7c00000000002a']);
    assert.deepEqual(await look('there'), [undefined, undefined]);
    await api.withdrawRating('here', 'key');
    await api.postRating('here', 5, 'key'); // an answer without one: what was known is still true
    t.mock.timers.tick(59_000);
    assert.deepEqual(await look('here'), ['v1-00004f7c00000000002b', 'v1-00004f7c00000000002b']);
    t.mock.timers.tick(2_000);
    assert.deepEqual(await look('here'), [undefined, undefined]);
});
