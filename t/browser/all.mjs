// node all.mjs: the tests, one after the other in one Chromium (t/browser.t).
import './rating.mjs';
import './live.mjs';
import './network.mjs';
import './form.mjs';
import './layout.mjs';
import './accessibility.mjs';
import './budget.mjs';
