// The service behind the page, past any browser: talks in its table, and what it has counted.
import { execFile } from 'node:child_process';
import http from 'node:http';
import { promisify } from 'node:util';

const run = promisify(execFile);
let serial = 0;

const inSeconds = (seconds) => (seconds === undefined ? null : new Date(Date.now() + 1000 * seconds).toISOString());

// newTalk({ title, speakers, room, track, language, starts, ends, opens, closes }): its id, for which there is a QR code as well;
// times are seconds from now
export async function newTalk({ id = `b-${process.pid}-${++serial}`, title = 'A talk of the tests', starts, ends, opens, closes, ...columns } = {}) {
    const row = { uuid: id, title, ...columns, starts_at: inSeconds(starts), ends_at: inSeconds(ends), opens_at: inSeconds(opens), closes_at: inSeconds(closes) };
    const names = Object.keys(row).join(', ');
    const statement = `insert into talks (${names}) select ${names} from json_populate_record(null::talks, $json$${JSON.stringify(row)}$json$)`;
    await run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', statement, process.env.TALKS_CONNECTION], { timeout: 30_000 });
    await run(process.env.RATINGSCTL, ['talks', 'qr', process.env.BROWSER_CODES, '--page', `http://voters.test:${process.env.BROWSER_PORT}/rate/talks/{id}`], { timeout: 30_000 });
    return id;
}

function request(host, method, path, { headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: process.env.BROWSER_PORT, method, path, timeout: 10_000, headers: { Host: `${host}.test:${process.env.BROWSER_PORT}`, ...headers } };
        const sent = http.request(options, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (part) => (text += part)).on('end', () => resolve({ status: response.statusCode, text })).on('error', reject);
        });
        sent.on('timeout', () => sent.destroy(new Error(`${path} takes too long`))).on('error', reject);
        sent.end(body);
    });
}

// The counts of a talk as five figures
export async function counts(talk) {
    const { status, text } = await request('anonymous', 'GET', `/ratings?talkId=${encodeURIComponent(talk)}`);
    return status === 200 ? Object.values(JSON.parse(text).ratings).join('') : `status ${status}`;
}

async function rateOnce(talk, value) {
    const { status, text } = await request('anonymous', 'POST', '/ratings', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ talkId: talk, value }) });
    if (status !== 200) throw new Error(`${status}: ${text}`);
}

// People rate who are no voters, a few at a time.
export async function rate(talk, ...values) {
    while (values.length) await Promise.all(values.splice(0, 5).map((value) => rateOnce(talk, value)));
}
