// An OpenID provider on loopback, which lets anybody in under the name that they give: node provider.mjs DIR PORT
// REDIRECT_URI. DIR has node_modules. It says that it listens by a line, and ends with its standard input.
import { pathToFileURL } from 'node:url';

console.info = console.warn = () => {}; // that it is for development alone, which this is

const [directory, port, redirectUri] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${directory}/node_modules/oidc-provider/lib/index.js`));

const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: 'ratings', client_secret: 'a secret of the tests', redirect_uris: [redirectUri] }],
    pkce: { required: () => true },
});
provider.listen(port, '127.0.0.1', () => console.log(`listens at ${port}`));
process.stdin.on('end', () => process.exit()).resume();
