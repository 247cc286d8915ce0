// The service's API (docs/openapi.yaml), one function for each request. Each answers
// { status, body, etag, retryAfter }: status 0 is no answer in time, body null where there is no JSON, retryAfter in
// milliseconds or undefined. None throws.

import { facts } from './page.js';

const TIMEOUT_MS = 20_000;

// How far the service's clock is ahead of the device's, by the second: windows open and close by the service's.
let ahead = 0;
export const now = () => Date.now() + ahead;

async function request(url, options = {}) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
    try {
        const response = await fetch(url, { ...options, signal: stop.signal });
        const date = Date.parse(response.headers.get('Date'));
        if (date)
            ahead = Math.abs(date - Date.now()) < 2_000 ? 0 : date - Date.now();
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
const unless = etag => (etag ? { headers: { 'If-None-Match': etag } } : {});
const withKey = key => (key ? { 'Idempotency-Key': `"${key}"` } : {});
const query = parameters => new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));

export const getRatings = (talk, etag) => request(`${facts.ratingsUrl}?${query({ talkId: talk })}`, unless(etag));

export const getMine = talk => request(`${facts.ratingsUrl}/mine?${query({ talkId: talk })}`);

export const getTalks = (parameters, etag) => request(`${facts.talksUrl}?${query(parameters)}`, unless(etag));

export const postRating = (talk, value, key) => request(facts.ratingsUrl, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...withKey(key) },
    body: JSON.stringify({ talkId: talk, value }),
});

export const withdrawRating = (talk, key) => request(`${facts.ratingsUrl}?${query({ talkId: talk })}`, {
    method: 'DELETE',
    headers: { Accept: 'application/json', ...withKey(key) },
});
