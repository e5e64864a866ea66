import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { build } from 'vite';
import { chooseByKeys, expect, find, open, openTerminal, pause, setSpeed, test, type } from './page.ts';

const out = resolve('node_modules/.cache/orrery/replay');
/** Replays a session in Node, to the event the page stopped at, and returns the hash of the world there. */
async function replay(told: { readonly session: unknown; readonly time: number; readonly events?: number }): Promise<string> {
  const running = promisify(execFile)(process.execPath, [resolve(out, 'main.mjs')], { maxBuffer: 1 << 24 });
  running.child.stdin!.end(JSON.stringify(told));
  return (await running).stdout.trim();
}
const read = (page: Page) =>
  page.evaluate(async () => ({
    session: await window.__lab.session(),
    time: window.__lab.time(),
    events: window.__lab.seq(),
    hash: await window.__lab.hash(),
  }));

/** The digest `npm run fuzz` tells for one seed. */
async function fuzzed(seed: number): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/run.mjs', 'fuzz', '--seed', String(seed), '--json']);
  return (JSON.parse(stdout) as { readonly digests: readonly string[] }).digests[0]!;
}

test.beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: resolve('e2e/replay.ts'),
      outDir: out,
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      copyPublicDir: false,
      rolldownOptions: { output: { entryFileNames: 'main.mjs', chunkFileNames: '[name]-[hash].mjs' } },
    },
  });
});

test('a random run of Raft is the same in Chromium and in Node', async ({ page }) => {
  await page.goto('?fuzz=7');
  await expect(page.getByRole('status')).toHaveText('✓ Every promise was kept.');
  const digest = await page.getByTestId('digest').textContent();
  expect(digest).toBe(await fuzzed(7));
  expect(await fuzzed(8)).not.toBe(digest);
});

test('the same session gives the same hash in Chromium and in Node, another seed another', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml');
  await type(page, 'kubectl scale deployment web --replicas=5');
  await find(page, 'node-2');
  await chooseByKeys(page, 'Kill kubelet');
  await setSpeed(page, 2);
  await expect.poll(() => page.evaluate(() => window.__lab.time())).toBeGreaterThan(90_000_000);
  await pause(page);

  const seven = await read(page);
  expect(seven.session.inputs.length).toBeGreaterThan(3);
  expect(seven.hash).toMatch(/^[0-9a-f]{8,}$/);
  const again = await read(page);
  expect(again.hash, 'reading changes nothing').toBe(seven.hash);
  expect(await replay(seven)).toBe(seven.hash);
  // Other luck, another world: seeds alone, to the same instant.
  const untouched = (seed: number): Promise<string> => replay({ session: { ...seven.session, seed, inputs: [] }, time: seven.time });
  expect(await untouched(7)).toBe(await untouched(7));
  expect(await untouched(8)).not.toBe(await untouched(7));
});
