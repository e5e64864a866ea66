/**
 * Runs a script of ours written in TypeScript: `node scripts/run.mjs cluster --port 0`. It is bundled by
 * Vite first, as the page is, so that Node and the browser run the same code put together the same way.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './ensure.mjs';

const [name, ...args] = process.argv.slice(2);
const out = join(root, 'node_modules', '.cache', 'orrery', name);
const { build } = await import('vite');
await build({
  configFile: false,
  root,
  logLevel: 'error',
  ssr: { noExternal: true },
  build: {
    ssr: join(root, 'scripts', `${name}.ts`),
    outDir: out,
    emptyOutDir: true,
    target: 'node20',
    // What is measured is what the page serves; elsewhere errors should name their places.
    minify: name === 'bench',
    copyPublicDir: false,
    rolldownOptions: { output: { entryFileNames: 'main.mjs', chunkFileNames: '[name]-[hash].mjs' } },
  },
});
process.argv.splice(1, process.argv.length - 1, join(out, 'main.mjs'), ...args);
await import(pathToFileURL(join(out, 'main.mjs')).href);
