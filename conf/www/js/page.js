// What the document hands to scripts: addresses and facts in the data attributes of <body>, and its words, in the
// language that httpd chose, in <template id="words">.

document.documentElement.classList.add('scripted');

export const facts = document.body.dataset;

// The browser's kind of the page's language, as in en-GB: numbers and times are as there
const spoken = document.documentElement.lang;
export const language = navigator.languages.find(tag => tag.split('-')[0] === spoken) ?? spoken;

const words = new Map([...document.getElementById('words').content.children].map(element => [element.dataset.word, element.textContent]));
const plural = new Intl.PluralRules(language);
const number = new Intl.NumberFormat(language);
const decimal = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

// word('early', { time: '10:45' })
export function word(name, values = {}) {
    return words.get(name).replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

// counted('ratings', 2): "2 ratings". A language's other plurals, as of a million in French, read as its common one.
export function counted(name, n) {
    const form = plural.select(n) === 'one' ? 'one' : 'other';
    return word(`${name}_${form}`, { n: number.format(n) });
}

export const oneDecimal = value => decimal.format(value);

// element('li', { className: 'talk' }, child, 'text' ...): what is falsy is left out
export function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children.filter(Boolean));
    return made;
}

// The page of a talk, below the list's. A QR code's file is named after its id as a URL has it, percent signs and all,
// so they are encoded once more.
export const talkPage = id => `${facts.root}talks/${encodeURIComponent(id)}`;
export const qrCode = id => `${facts.root}qr/${encodeURIComponent(encodeURIComponent(id))}.svg`;
