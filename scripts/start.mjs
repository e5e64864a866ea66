/** `npm start`: installs what is missing, builds, serves the built site and prints its address. */
import { run } from './ensure.mjs';

run('npx', ['vite', 'build', '--logLevel', 'warn']);
const { preview } = await import('vite');
const server = await preview({ preview: { host: '127.0.0.1', port: 4173, strictPort: true }, logLevel: 'warn' });
console.log(`Orrery is at ${server.resolvedUrls.local[0]}`);
