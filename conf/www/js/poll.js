// Looks again and again: soon after something has changed, more and more seldom while nothing does, not at all while
// the tab is hidden, and at once when it is seen again, or when there is a network again.

const FIRST_MS = 2_000;
const LONGEST_MS = 15_000;
const SLOWER = 1.4;

// How long until the next look. `pause` was the last one, `answer` says what came of it.
export function nextPause(pause, { changed = false, retryAfter = 0 } = {}, { first = FIRST_MS, longest = LONGEST_MS } = {}) {
    return Math.max(changed ? first : Math.min(pause * SLOWER, longest), retryAfter);
}

// poll(look): look() answers { changed, retryAfter }; where it throws, nothing has changed. Many who were sent here by the
// same QR code do not ask in step.
export function poll(look, bounds = {}) {
    let pause = bounds.first ?? FIRST_MS;
    let timer;
    let isLooking = false;

    async function once() {
        clearTimeout(timer);
        if (isLooking || document.hidden)
            return;
        isLooking = true;
        pause = nextPause(pause, await look().catch(() => ({})), bounds);
        isLooking = false;
        timer = setTimeout(once, pause * (0.85 + Math.random() * 0.3));
    }

    document.addEventListener('visibilitychange', once);
    window.addEventListener('online', once);
    once();
    return once;
}
