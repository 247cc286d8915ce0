// The views of the page.
import { newTalk, rate } from './service.mjs';
import { talkPath } from './visitor.mjs';

// Each view of a conference that has these talks, one with ratings and one that is not open yet: its name, its path, the
// screen that it is for, what shows that it is complete
export const viewsOf = ({ rated, early }) => [
    { name: 'list', path: '/rate/', screen: 'phone', complete: '#talks a' },
    { name: 'talk', path: talkPath(rated), screen: 'phone', complete: '#count' },
    { name: 'talk-early', path: talkPath(early), screen: 'phone', complete: '#rate' },
    { name: 'talk-stage', path: `${talkPath(rated)}?view=stage`, screen: 'wall', complete: '#stage #qr' },
    { name: 'ranking', path: '/rate/?view=stage', screen: 'wall', complete: '#ranking li' },
    { name: 'sheet', path: '/rate/sheet.html', screen: 'desk', complete: '#sheet img' },
];

let made;

// The views with what asks most of a layout: the longest words. Made once.
export async function views() {
    made ??= (async () => {
        const rated = await newTalk({
            title: 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft: Verantwortlichkeiten und ihre Zusammenhänge',
            speakers: ['Maximiliane-Friederike Schmidt-Wolfeschlegelsteinhausenbergerdorff', 'Bo'], room: 'Großer Veranstaltungssaal', track: 'Infrastruktur',
            language: 'de', starts: -7200, ends: -3600, opens: -7200, closes: 90_000,
        });
        await rate(rated, 5, 5, 4, 4, 4, 2, 1);
        const now = await newTalk({ title: 'What is on now', speakers: ['Ann Lee'], room: 'A', track: 'Web', language: 'en', starts: -600, ends: 3000 });
        await rate(now, 5);
        const early = await newTalk({ title: 'Not to be rated yet', room: 'B', starts: 80_000, ends: 83_000, opens: 80_000, closes: 900_000 });
        return viewsOf({ rated, early });
    })();
    return made;
}

// Opens a view and waits until it has what it shows.
export async function openView(visit, { path, complete }) {
    await visit.open(path);
    await visit.page.locator(complete).first().waitFor();
    await visit.page.waitForFunction(() => document.fonts.status === 'loaded' && [...document.images].every((image) => image.complete));
}
