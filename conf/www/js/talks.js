// The talks of the conference, as the API lists them, page by page.

import { getTalks } from './api.js';
import { useZone } from './times.js';

const PAGE = 100;

// Yields the talks of each page; throws where there is no answer. A list's time zone is the conference's.
export async function* pagesOf(parameters) {
    let cursor;
    do {
        const { status, body } = await getTalks({ limit: PAGE, ...parameters, cursor });
        if (status !== 200)
            throw new Error(`GET /talks: ${status}`);
        useZone(body.timeZone);
        yield body.talks;
        cursor = body.next;
    } while (cursor);
}

export async function allTalks(parameters) {
    const all = [];
    for await (const talks of pagesOf(parameters))
        all.push(...talks);
    return all;
}

export const speakersOf = talk => (talk.speakers ?? []).join(', ');
