// When a talk is, in words: httpd has written it in UTC.

import { facts, word } from './page.js';
import { day, span, zoneName } from './times.js';

export function showTime() {
    const time = document.getElementById('time');
    if (time)
        time.textContent = `${day(time.dateTime)}, ${span(time.dateTime, time.dataset.ends)}`;
    if (time || facts.opens || facts.closes)
        document.getElementById('zone').textContent = word('zone', { zone: zoneName() });
}
