// The service behind the page, past any browser: talks in its table, and what it has counted.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

const require = createRequire(`${process.env.TEST_NODE}/`);
const run = promisify(execFile);
let serial = 0;

const inSeconds = (seconds) => (seconds === undefined ? null : new Date(Date.now() + 1000 * seconds).toISOString());

// Inserts a talk; its id, for which there is a QR code as well. Times are seconds from now.
/** @typedef {import('./described').components['schemas']['Talk']} Described */
/** @param {{ id?: string, starts?: number, ends?: number, opens?: number, closes?: number } & Partial<Pick<Described, 'title' | 'speakers' | 'room' | 'track' | 'language'>>} talk */
export async function newTalk({ id = `b-${process.pid}-${++serial}`, title = 'A talk of the tests', starts, ends, opens, closes, ...columns } = {}) {
    const row = { uuid: id, title, ...columns, starts_at: inSeconds(starts), ends_at: inSeconds(ends), opens_at: inSeconds(opens), closes_at: inSeconds(closes) };
    const names = Object.keys(row).join(', ');
    const statement = `insert into talks (${names}) select ${names} from json_populate_record(null::talks, $json$${JSON.stringify(row)}$json$)`;
    await run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', statement, process.env.TALKS_CONNECTION], { timeout: 30_000 });
    await run(process.env.RATINGSCTL, ['talks', 'qr', process.env.BROWSER_CODES, '--page', `http://voters.test:${process.env.BROWSER_PORT}/rate/talks/{id}`], { timeout: 30_000 });
    return id;
}

// The API as docs/openapi.yaml describes it, by the types that are generated from that (t/www/typed/check): the first virtual host of
// browser.t, where requests have no voters.
/** @type {import('openapi-fetch').Client<import('./described').paths>} */
const api = require('openapi-fetch').default({
    baseUrl: `http://127.0.0.1:${process.env.BROWSER_PORT}`,
    fetch: (request) => fetch(request, { signal: AbortSignal.timeout(10_000) }),
});

// The counts of a talk as five figures
export async function counts(talk) {
    const { data, response } = await api.GET('/ratings', { params: { query: { talkId: talk } } });
    return data && 'ratings' in data ? Object.values(data.ratings).join('') : `status ${response.status}`;
}

async function rateOnce(talk, value) {
    const { error, response } = await api.POST('/ratings', { body: { talkId: talk, value } });
    if (response.status !== 200) throw new Error(`${response.status}: ${JSON.stringify(error)}`);
}

// People rate who are no voters, a few at a time.
export async function rate(talk, ...values) {
    while (values.length) await Promise.all(values.splice(0, 5).map((value) => rateOnce(talk, value)));
}
