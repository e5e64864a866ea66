/**
 * A test that has never failed proves nothing: each bug of planted.ts goes into a copy of the core, and the
 * runs must find it.
 */
import { build, type Rolldown } from 'vite';
import { describe, expect, test } from 'vitest';
import type { runFuzz as Fuzz } from './fuzz.ts';
import { PLANTED, type Planted } from './planted.ts';

/** So many seeds are tried at most. */
const SEEDS = 400;
const room = new URL('../', import.meta.url).pathname;

/** The runs, put together with a copy of the core that has the bug. */
async function infected({ edits }: Planted): Promise<typeof Fuzz> {
  const left = new Set(edits);
  const result = await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    plugins: [
      {
        name: 'plant',
        enforce: 'pre',
        transform(code, id) {
          let text = code;
          for (const edit of edits) {
            const [file, right, wrong] = edit;
            if (id !== room + file) continue;
            // The words must be there once, or the bug is not where we think.
            expect(text.split(right), `${file}: ${right}`).toHaveLength(2);
            text = text.replace(right, () => wrong);
            left.delete(edit);
          }
          return text === code ? undefined : { code: text, map: null };
        },
      },
    ],
    build: { ssr: `${room}fuzz/fuzz.ts`, write: false, minify: false, target: 'node20' },
  });
  expect([...left], 'every edit found its file').toEqual([]);
  const [{ code }] = (result as Rolldown.RolldownOutput).output;
  const module = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)) as { runFuzz: typeof Fuzz };
  return module.runFuzz;
}

describe('planted bugs are found', () => {
  test.each(PLANTED)(
    '$name',
    async (planted) => {
      const runFuzz = await infected(planted);
      for (let seed = 1; seed <= SEEDS; seed++) {
        const [violation] = runFuzz(seed, planted.options).violations;
        if (violation === undefined) continue;
        if (process.env['SHOW_PLANTED']) console.log(`${planted.name}: seed ${seed}: ${violation}`);
        expect(violation).toMatch(planted.breaks);
        return;
      }
      expect.fail(`not found in ${SEEDS} seeds`);
    },
    60_000,
  );
});
