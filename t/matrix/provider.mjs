// An OpenID provider on loopback whose one client gets tokens for Kafka by its secret: node provider.mjs DIR PORT SECRET. DIR has
// node_modules. It says that it listens by a line, and ends with its standard input.
import { pathToFileURL } from 'node:url';

console.info = console.warn = () => {}; // that it is for development alone, which this is

const [directory, port, secret] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${directory}/node_modules/oidc-provider/lib/index.js`));

const kafka = { scope: '', audience: 'kafka', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: 'ratings', client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
    features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: { enabled: true, defaultResource: () => 'urn:kafka', getResourceServerInfo: () => kafka },
    },
});
provider.listen(port, '127.0.0.1', () => console.log(`listens at ${port}`));
process.stdin.on('end', () => process.exit()).resume();
