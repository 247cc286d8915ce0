// Looser than the library's types: what the tests run in the page finds what is there, or fails.
interface Node {
    data: any;
}

interface Element {
    name: any;
    labels: any;
    value: any;
}

interface Window {
    axe: any;
}
