// The histogram: a table whose bars are SVG, since attributes of these are no inline styles, which the page's
// Content-Security-Policy forbids, and since httpd can write them for browsers without scripts. It does no arithmetic: there
// the total is the width of the drawing, and a count that is not known is 0 by the digit before it.

import { totalOf } from './interval.js';

// What part of all ratings each value has, in percent
export function sharesOf(counts) {
    const total = totalOf(counts);
    return Object.fromEntries(Object.entries(counts).map(([value, count]) => [value, total ? (100 * count) / total : 0]));
}

// Rows are 5 to 1, from the top.
export function drawHistogram(table, counts) {
    const shares = sharesOf(counts);
    for (const [i, row] of [...table.tBodies[0].rows].entries()) {
        const value = 5 - i;
        const bar = row.querySelector('svg');
        bar.setAttribute('viewBox', '0 0 100 1');
        bar.firstElementChild.setAttribute('width', shares[value]);
        row.cells[2].textContent = counts[value];
    }
}
