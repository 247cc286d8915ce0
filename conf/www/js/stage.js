// The talk on the wall: results as they come, and the QR code of the page where they come from.

import { facts, qrCode } from './page.js';
import { liveResults } from './results.js';
import { showTime } from './talk-time.js';

showTime();
const image = document.getElementById('qr');
image.onload = () => { image.parentElement.hidden = false; }; // where there is none, nothing is missing
image.src = qrCode(facts.talk);
liveResults({ first: 1_000, longest: 5_000 });
