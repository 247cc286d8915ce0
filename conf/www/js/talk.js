// The page of a talk: rate it, and see what others say.

import { rateable } from './rating.js';
import { liveResults } from './results.js';
import { showTime } from './talk-time.js';

showTime();
const look = liveResults();
rateable({ onCounted: look });
