// What this browser wants to have stored, and has no final answer for: one entry for each talk, kept in localStorage until
// the service has answered, through closed tabs and lost networks. Each entry goes out under one Idempotency-Key,
// however often it is sent, so that the service counts it once. A newer choice replaces the entry and has a key of
// its own; it waits until the older one's answer is there, so that the last choice is the last in the log.
//
// Without voters a rating cannot be taken back. There an entry that may have been recorded is never replaced, and not sent
// again once its key may have expired (RatingsIdempotencyWindow, a day unless configured otherwise). Nor is, for anybody, one
// that is known to be recorded.

const KEPT = 'ratings.outbox';
export const GIVEN = 'ratings.given'; // what was stored last, for each talk
const KEY_LIFE_MS = 12 * 3_600_000;
const LONGEST_PAUSE_MS = 60_000; // of its own
const PAUSE_MAX_MS = 3_600_000; // whatever the service asks for
const UNDER_WAY_MS = 60_000; // longer than a request may take, and than one more after a 401

// The service has recorded nothing and may yet; or nobody knows. 502 is a proxy's, 408 a slow network's.
const TRY_AGAIN = [0, 408, 429, 502, 503, 504];
const MAY_COUNT = [0, 502, 504];

// stored, withdrawn: it counts. pending: it is recorded, will count, and is asked for again until it does. queued: it is
// sent again. refused, failed: neither.
export function outcomeOf(status, value) {
    if (status === 202)
        return 'pending';
    if (status >= 200 && status < 300)
        return value === null ? 'withdrawn' : 'stored';
    if (TRY_AGAIN.includes(status))
        return 'queued';
    return status >= 500 ? 'failed' : 'refused';
}

export class Outbox {
    #storage;
    #send;
    #report;
    #isOnline;
    #now;
    #newKey;
    #later;
    #busy = new Set();
    #timer;
    #memory = {}; // where the browser keeps nothing, or nothing more

    // send(talk, value, key) answers { status, body, retryAfter }; a value of null withdraws. report(talk, { outcome, value,
    // status, body, due }) is called for each answer, and with outcome 'sending' before. The rest is for tests.
    constructor({ storage, send, report, isOnline = () => navigator.onLine, now = Date.now, newKey = drawKey, later = (action, pause) => setTimeout(action, pause) }) {
        this.#storage = storage;
        this.#send = send;
        this.#report = report;
        this.#isOnline = isOnline;
        this.#now = now;
        this.#newKey = newKey;
        this.#later = later;
    }

    entry(talk) {
        return ownOf(this.#read(KEPT), talk);
    }

    given(talk) {
        return ownOf(this.#read(GIVEN), talk);
    }

    // Whether another value could still be chosen
    isFinal(talk) {
        const entry = this.entry(talk);
        return Boolean(entry && entry.mayCount && !entry.hasVoters);
    }

    // Takes a choice, 1 to 5 or null, and sends it.
    put(talk, value, { hasVoters }) {
        const waiting = this.entry(talk);
        if (waiting && waiting.value === value)
            this.#keep(talk, { ...waiting, due: 0 });
        else if (!this.isFinal(talk))
            this.#keep(talk, { value, hasVoters, id: this.#newKey(), made: this.#now(), tries: 0, due: 0, mayCount: false, hasKey: true });
        return this.#deliver(talk);
    }

    // Sends what is due; `all` sends what waits as well, since there is a network again.
    flush({ all = false } = {}) {
        const talks = Object.keys(this.#read(KEPT));
        if (all)
            talks.forEach(talk => this.#keep(talk, { ...this.entry(talk), due: 0 }));
        return Promise.all(talks.map(talk => this.#deliver(talk)));
    }

    async #deliver(talk) {
        if (this.#busy.has(talk))
            return;
        this.#busy.add(talk);
        for (let entry = this.entry(talk); entry && this.#isDue(entry); entry = this.entry(talk))
            await this.#attempt(talk, entry);
        this.#busy.delete(talk);
        this.#wake();
    }

    async #attempt(talk, entry) {
        if (entry.mayCount && this.#isExpired(entry) && (entry.isRecorded || !entry.hasVoters)) { // its tab was closed
            this.#giveUp(talk, entry);
            return;
        }
        if (!this.#isOnline()) {
            this.#settle(talk, entry, { status: 0 });
            return;
        }
        // before it is sent: the tab may be closed before the answer comes. Without a key no other tab may send it meanwhile.
        this.#keep(talk, { ...entry, mayCount: true, due: entry.hasKey ? entry.due : this.#now() + UNDER_WAY_MS });
        if (!entry.isRecorded)
            this.#report(talk, { outcome: 'sending', value: entry.value });
        const key = entry.hasKey ? entry.id : null;
        let answer = await this.#send(talk, entry.value, key);
        if (answer.status === 401) // which has brought the voter's cookie, or has not
            answer = await this.#send(talk, entry.value, key);
        this.#settle(talk, entry, answer);
    }

    #settle(talk, entry, answer) {
        const outcome = outcomeOf(answer.status, entry.value);
        const newest = this.entry(talk); // none, if another tab has had an answer
        const isRecorded = entry.isRecorded || outcome === 'pending';
        const isCounted = ['stored', 'withdrawn'].includes(outcome);
        if (isCounted || isRecorded)
            this.#write(GIVEN, talk, entry.value ?? undefined);
        if (newest && newest.id !== entry.id)
            return;
        if (answer.status === 501 && entry.hasKey) // no key is honoured here, and nothing was recorded
            this.#keep(talk, { ...entry, hasKey: false });
        else if (isRecorded && !isCounted && newest)
            this.#askAgain(talk, entry, answer);
        else if (outcome === 'queued' && newest)
            this.#queue(talk, entry, answer);
        else if (outcome !== 'queued') {
            this.#write(KEPT, talk);
            this.#report(talk, { outcome, value: entry.value, ...answer });
        }
    }

    // It is recorded: the same request under the same key tells whether it counts by now. What else is answered changes nothing.
    #askAgain(talk, entry, answer) {
        const recorded = { ...entry, mayCount: true, isRecorded: true };
        if (this.#isExpired(entry)) {
            this.#giveUp(talk, recorded);
            return;
        }
        this.#keep(talk, { ...recorded, ...this.#next(entry, answer) });
        this.#report(talk, { outcome: 'pending', value: entry.value, status: 202 });
    }

    #queue(talk, entry, answer) {
        const mayCount = entry.mayCount || (this.#isOnline() && MAY_COUNT.includes(answer.status));
        if (mayCount && this.#isExpired(entry) && !entry.hasVoters) {
            this.#giveUp(talk, entry);
            return;
        }
        const next = this.#next(entry, answer);
        this.#keep(talk, { ...entry, ...next, mayCount });
        this.#report(talk, { outcome: 'queued', value: entry.value, ...answer, due: next.due });
    }

    // Whether the same request once more could count once more
    #isExpired(entry) {
        return !entry.hasKey || Math.abs(this.#now() - entry.made) >= KEY_LIFE_MS;
    }

    // Also where the device's clock was set back since
    #isDue({ due }) {
        return due <= this.#now() || due > this.#now() + PAUSE_MAX_MS;
    }

    // It is not sent again, and taken for given.
    #giveUp(talk, entry) {
        this.#write(KEPT, talk);
        this.#write(GIVEN, talk, entry.value ?? undefined);
        this.#report(talk, { value: entry.value, ...(entry.isRecorded ? { outcome: 'pending', status: 202 } : { outcome: 'failed', status: 0 }) });
    }

    // When it is sent the next time: after what the service asks for, or after ever longer pauses
    #next({ tries }, { retryAfter }) {
        const pause = Math.max(retryAfter ?? Math.min(2_000 * 2 ** tries, LONGEST_PAUSE_MS), 1_000);
        return { tries: tries + 1, due: this.#now() + Math.min(pause, PAUSE_MAX_MS) };
    }

    #wake() {
        const due = Object.values(this.#read(KEPT)).map(entry => entry.due);
        clearTimeout(this.#timer);
        if (due.length)
            this.#timer = this.#later(() => this.flush(), Math.min(Math.max(Math.min(...due) - this.#now(), 0), PAUSE_MAX_MS));
    }

    #keep(talk, entry) {
        this.#write(KEPT, talk, entry);
    }

    // What could not be kept comes before what was kept until then.
    #read(name) {
        try {
            return this.#memory[name] ?? JSON.parse(this.#storage.getItem(name)) ?? {};
        } catch {
            return {};
        }
    }

    // Read anew each time: another tab may have written meanwhile.
    #write(name, talk, value) {
        const all = { ...this.#read(name), [talk]: value }; // undefined: JSON leaves it out
        if (value === undefined)
            delete all[talk];
        try {
            this.#storage.setItem(name, JSON.stringify(all));
            delete this.#memory[name];
        } catch {
            this.#memory[name] = all;
        }
    }
}

// Not what every object has: an id may be any text, "constructor" as well.
const ownOf = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);

// randomUUID is for secure contexts alone, and a page may be tried over plain HTTP in a local network.
function drawKey() {
    return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
}
