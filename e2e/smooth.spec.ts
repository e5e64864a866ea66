import type { Page } from '@playwright/test';
import { expect, open, openTerminal, running, setSpeed, test, type } from './page.ts';

/** The longest the page may be kept from drawing by its own work. */
const BUDGET_MS = 50;

interface Gaps {
  longest: number;
  frames: number;
}
/** Notes the gaps between frames from here on. */
const watchFrames = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const gaps = { longest: 0, frames: 0 };
    Object.assign(window, { gaps });
    let last = performance.now();
    const next = (now: number) => {
      gaps.frames++;
      gaps.longest = Math.max(gaps.longest, now - last);
      last = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Processor time in microseconds. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string; readonly src_func?: string };
}
/** Processor milliseconds of every task of the page's main thread, longest first. */
function tasksOf(trace: Buffer): { readonly ms: number; readonly what: string }[] {
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: readonly TraceEvent[] };
  const mains = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(({ pid, tid }) => `${pid}/${tid}`),
  );
  return traceEvents
    .filter(({ name, ph, pid, tid }) => ph === 'X' && name === 'ThreadControllerImpl::RunTask' && mains.has(`${pid}/${tid}`))
    .map(({ tdur, args }) => ({ ms: (tdur ?? Number.NaN) / 1_000, what: args?.src_func ?? '' }))
    .sort((a, b) => b.ms - a.ms);
}

// What is held to the budget is the work of the page's own thread in processor time, task by task: a frame can be late by that,
// or because a busy machine gave the thread no turn, and of the second the page is innocent. The gaps between frames are told.
test('a rollout of a hundred replicas never blocks the page', async ({ page, browser }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml');
  await running(page, 'web-', 3);
  await setSpeed(page, 1);
  await openTerminal(page);
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await watchFrames(page);
  await page.keyboard.type('kubectl scale deployment web --replicas=100\n');
  await running(page, 'web-', 100);
  const gaps = await page.evaluate(() => (window as unknown as { gaps: Gaps }).gaps);
  const tasks = tasksOf(await browser.stopTracing());
  expect(tasks.length).toBeGreaterThan(gaps.frames);
  const [longest] = tasks;
  console.log(
    `      longest task ${longest!.ms.toFixed(1)} ms of processor time in ${tasks.length} (${longest!.what}; budget ${BUDGET_MS} ms); longest gap between ${gaps.frames} frames ${gaps.longest.toFixed(0)} ms`,
  );
  expect(longest!.ms).toBeLessThan(BUDGET_MS);
});
