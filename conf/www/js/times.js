// Moments in the time zone of the conference, whatever zone the device is in.

import { now } from './api.js';
import { facts, language } from './page.js';

// PostgreSQL knows zones that browsers do not: times are in UTC then, and the page names it.
function known(zone) {
    try {
        return Intl.DateTimeFormat(language, { timeZone: zone }).resolvedOptions().timeZone;
    } catch {
        return 'UTC';
    }
}

let formats;

export function useZone(zone) {
    const timeZone = known(zone || 'UTC');
    const format = options => new Intl.DateTimeFormat(language, { ...options, timeZone });
    formats = {
        zone: timeZone,
        clock: format({ timeStyle: 'short' }),
        day: format({ weekday: 'long', day: 'numeric', month: 'long' }),
        shortDay: format({ weekday: 'short', day: 'numeric', month: 'short' }),
        moment: format({ weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' }),
        date: new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone }),
    };
}
useZone(facts.zone);

export const zoneName = () => formats.zone;
export const clock = time => formats.clock.format(new Date(time));
export const day = time => formats.day.format(new Date(time));
export const shortDay = time => formats.shortDay.format(new Date(time));
export const dateOf = time => formats.date.format(new Date(time)); // 2026-11-28
export const span = (from, to) => (to ? formats.clock.formatRange(new Date(from), new Date(to)) : clock(from));

// The clock alone where it is today
export function moment(time) {
    return dateOf(time) === dateOf(now()) ? clock(time) : formats.moment.format(new Date(time));
}
