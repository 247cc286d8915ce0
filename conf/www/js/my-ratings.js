// The outbox of this browser, as it is on every page: what waits from another page is sent from here as well.

import { postRating, withdrawRating } from './api.js';
import { Outbox } from './outbox.js';

function storageOf() {
    try {
        return window.localStorage;
    } catch { // forbidden by the browser's settings: the outbox keeps its entries in memory
        return null;
    }
}

export function openOutbox(report = () => {}) {
    const outbox = new Outbox({
        storage: storageOf(),
        send: (talk, value, key) => (value === null ? withdrawRating(talk, key) : postRating(talk, value, key)),
        report,
    });
    window.addEventListener('online', () => outbox.flush({ all: true }));
    document.addEventListener('visibilitychange', () => document.hidden || outbox.flush());
    return outbox;
}
