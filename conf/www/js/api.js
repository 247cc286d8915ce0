// The service's API (docs/openapi.yaml), one function for each request. Each answers
// { status, body, etag, retryAfter }: status 0 is no answer in time, body null where there is no JSON, retryAfter in
// milliseconds or undefined. None throws.

import { facts } from './page.js';

const TIMEOUT_MS = 20_000;

// How far the service's clock is ahead of the device's, by the second: windows open and close by the service's.
let ahead = 0;
export const now = () => Date.now() + ahead;

// Where in the log the last rating of a talk is, as its answer said: a look at the talk that carries this along counts it on
// whichever host. For a minute: by then every host has long counted it, and the log may be another one one day.
const POSITION_LIFE_MS = 60_000;
const positions = new Map();

function note(talk, position) {
    if (position)
        positions.set(talk, { position, until: Date.now() + POSITION_LIFE_MS });
}

function at(talk) {
    const { position, until } = positions.get(talk) ?? {};
    return until > Date.now() ? { 'Ratings-Position': position } : {};
}

async function request(url, options = {}, talk = undefined) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
    try {
        const response = await fetch(url, { ...options, signal: stop.signal });
        const date = Date.parse(response.headers.get('Date'));
        if (date)
            ahead = Math.abs(date - Date.now()) < 2_000 ? 0 : date - Date.now();
        note(talk, response.headers.get('Ratings-Position'));
        const isJson = /\bjson\b/.test(response.headers.get('Content-Type'));
        const seconds = Number.parseInt(response.headers.get('Retry-After'), 10);
        return {
            status: response.status,
            body: isJson ? await response.json() : null,
            etag: response.headers.get('ETag'),
            retryAfter: Number.isNaN(seconds) ? undefined : seconds * 1000,
        };
    } catch {
        return { status: 0, body: null };
    } finally {
        clearTimeout(timer);
    }
}

// Of an answer that is there already: 304. With its own If-None-Match the browser's cache stays out of it.
const unless = etag => (etag ? { 'If-None-Match': etag } : {});
const withKey = key => (key ? { 'Idempotency-Key': `"${key}"` } : {});
const query = parameters => new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));

export const getRatings = (talk, etag) => request(`${facts.ratingsUrl}?${query({ talkId: talk })}`, { headers: { ...unless(etag), ...at(talk) } });

export const getMine = talk => request(`${facts.ratingsUrl}/mine?${query({ talkId: talk })}`, { headers: at(talk) });

export const getTalks = (parameters, etag) => request(`${facts.talksUrl}?${query(parameters)}`, { headers: unless(etag) });

export const postRating = (talk, value, key) => request(facts.ratingsUrl, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...withKey(key) },
    body: JSON.stringify({ talkId: talk, value }),
}, talk);

export const withdrawRating = (talk, key) => request(`${facts.ratingsUrl}?${query({ talkId: talk })}`, {
    method: 'DELETE',
    headers: { Accept: 'application/json', ...withKey(key) },
}, talk);
