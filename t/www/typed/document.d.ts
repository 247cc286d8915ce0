// Looser than the library's types: what the page's documents hold is for the Chromium tests to look at (t/browser), and what is no
// string becomes one, or no date.
interface Document {
    getElementById(id: string): any;
    querySelector(selectors: string): any;
}

interface Element {
    setAttribute(name: string, value: string | number): void;
}

interface DateConstructor {
    parse(text: string | undefined): number;
}
