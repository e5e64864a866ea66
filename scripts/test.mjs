/**
 * `npm test`: installs what is missing (a browser too) and passes every test, cheapest first. Each stage
 * must pass; nothing is skipped silently.
 */
import { existsSync } from 'node:fs';
import { findBrowser } from './browser.mjs';
import { root, run } from './ensure.mjs';

const started = Date.now();
const stage = (name, action) => {
  const at = Date.now();
  console.log(`\n── ${name}`);
  try {
    action();
  } catch (error) {
    console.error(`✕ ${name} failed${error.status === undefined ? `: ${error.message}` : ''}`);
    process.exit(1);
  }
  console.log(`   ${name}: ${((Date.now() - at) / 1000).toFixed(1)} s`);
};

for (const project of ['world', 'node', 'page']) stage(`types of the ${project}`, () => run('npx', ['tsc', '-p', `tsconfig.${project}.json`]));
stage('format and lint', () => run('npx', ['biome', 'check', '--error-on-warnings', '.']));
stage('dead files and dependencies', () => run('npx', ['knip', '--include', 'files,dependencies,unlisted,unresolved']));
stage('unit and scenario tests', () => run('npx', ['vitest', 'run']));
stage('a thousand random runs of Raft', () => run(process.execPath, ['scripts/run.mjs', 'fuzz', '--seeds', '1000']));
stage('build', () => run('npx', ['vite', 'build', '--logLevel', 'warn']));
stage('size of the first load', () => run(process.execPath, ['scripts/size.mjs']));

const browser = await findBrowser();
console.log(`\n   browser: ${browser}`);
if (!existsSync(browser)) {
  console.error(`✕ no browser at ${browser}`);
  process.exit(1);
}
stage('what a person does, in a browser', () => run('npx', ['playwright', 'test'], { cwd: root, env: { ...process.env, ORRERY_BROWSER: browser } }));
console.log(`\nAll stages passed in ${((Date.now() - started) / 1000).toFixed(0)} s.`);
