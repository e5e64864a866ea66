import { expect, open, openTerminal, running, setSpeed, test, type } from './page.ts';

/** The budget of design/performance.md, on an idle machine; a loaded one may be late without being wrong. */
const BUDGET_MS = 50;
const BOUND_MS = 250;

test('a rollout of a hundred replicas never blocks the page', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml');
  await running(page, 'web-', 3);
  await page.evaluate(() => {
    const told = { longest: 0, over: 0, frames: 0 };
    Object.assign(window, { told });
    let last = performance.now();
    const next = (now: number) => {
      const gap = now - last;
      told.frames++;
      if (gap > told.longest) told.longest = gap;
      if (gap > 50) told.over++;
      last = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  await page.keyboard.type('kubectl scale deployment web --replicas=100\n');
  await setSpeed(page, 1);
  await running(page, 'web-', 100);
  const told = await page.evaluate(() => (window as unknown as { told: { longest: number; over: number; frames: number } }).told);
  console.log(`      longest frame gap ${told.longest.toFixed(0)} ms over ${told.frames} frames, ${told.over} above ${BUDGET_MS} ms (budget ${BUDGET_MS} ms)`);
  expect(told.longest).toBeLessThan(BOUND_MS);
});
