/** The first load (page, styles, world) must stay within 350 kB gzip without the editor; what counts is what index.html and the worker pull in statically. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './ensure.mjs';

const LIMIT = 350_000;
const dist = join(root, 'dist');
const html = readFileSync(join(dist, 'index.html'), 'utf8');
const seen = new Set();
const visit = (file) => {
  if (seen.has(file)) return;
  seen.add(file);
  if (!file.endsWith('.js')) return;
  const source = readFileSync(join(dist, file), 'utf8');
  // Static imports of sibling chunks; dynamic import(...) is what loads later.
  for (const [, name] of source.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) visit(`assets/${name}`);
};
for (const [, file] of html.matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+\.(?:js|css))"/g)) visit(file);
const worker = readdirSync(join(dist, 'assets')).find((name) => /^worker-.*\.js$/.test(name));
if (!worker) throw new Error('no worker chunk in the build');
visit(`assets/${worker}`);

let total = 0;
for (const file of seen) {
  const size = gzipSync(readFileSync(join(dist, file))).length;
  total += size;
  console.log(`   ${String(Math.round(size / 1000)).padStart(5)} kB  ${file}`);
}
console.log(`   ${String(Math.round(total / 1000)).padStart(5)} kB  first load, gzip; limit ${LIMIT / 1000} kB`);
// What arrives besides until a cluster is up is counted in a browser (e2e/start.spec.ts).
if (total > LIMIT) {
  console.error(`✕ the first load is ${total} bytes, over the limit of ${LIMIT}`);
  process.exit(1);
}
