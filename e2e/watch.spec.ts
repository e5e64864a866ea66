import { dockTab, expect, open, openTerminal, pause, pods, screen, setSpeed, test, type } from './page.ts';

test('4 watch: a Deployment of three is scheduled, pulled, started and becomes ready, step by step', async ({ page }) => {
  await open(page, '?seed=7');
  // Every state a pod passes through, as the page shows them, caught on every frame drawn.
  await page.evaluate(() => {
    const seen: Record<string, string[]> = {};
    Object.assign(window, { seen });
    const look = () => {
      for (const id of window.__lab.visible()) {
        const pod = window.__lab.getPod(id);
        if (pod?.namespace !== 'default') continue;
        const word = `${pod.node === '' ? 'unscheduled' : 'bound'} ${pod.word} ${pod.status}`;
        seen[pod.uid] ??= [];
        const words = seen[pod.uid]!;
        if (words.at(-1) !== word) words.push(word);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await openTerminal(page);
  await page.keyboard.type('kubectl apply -f examples/deployment.yaml');
  await setSpeed(page, -1.5);
  await page.getByRole('textbox', { name: /^Terminal on laptop/ }).focus();
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await pods(page, 'web-')).length).toBe(3);
  await setSpeed(page, 0);
  await expect.poll(async () => (await pods(page, 'web-')).map((pod) => `${pod.word} ${pod.status}`)).toEqual(Array(3).fill('Running 0'));
  const seen = await page.evaluate(() => (window as unknown as { seen: Record<string, string[]> }).seen);
  expect(Object.keys(seen)).toHaveLength(3);
  for (const words of Object.values(seen)) {
    expect(words).toEqual(expect.arrayContaining(['bound ContainerCreating 1', 'bound Running 0']));
    expect(words.at(-1)).toBe('bound Running 0');
  }
  expect(Object.values(seen).flat()).toContain('unscheduled Pending 1');

  await dockTab(page, 'Events').click();
  const events = page.getByRole('region', { name: 'Events, newest first' });
  for (const [reason, message] of [
    ['ScalingReplicaSet', /^Scaled up replica set web-\w+ from 0 to 3$/],
    ['SuccessfulCreate', /^Created pod: web-\w+-\w+$/],
    ['Scheduled', /^Successfully assigned default\/web-\w+-\w+ to node-\d$/],
    ['Pulling', /^Pulling image "nginx:1.27"$/],
    ['Pulled', /^Successfully pulled image "nginx:1.27" in /],
    ['Created', /^Created container: nginx$/],
    ['Started', /^Started container nginx$/],
  ] as const) {
    const row = events.getByRole('row').filter({ has: page.getByRole('cell', { name: reason, exact: true }) });
    await expect(row.filter({ has: page.getByRole('cell', { name: message }) }).first(), reason).toBeVisible();
  }
  await openTerminal(page);
  const told = await type(page, 'kubectl get events -o custom-columns=R:.reason --no-headers | sort | uniq | grep -v Node | head -n 9');
  for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started', 'SuccessfulCreate']) expect(told).toContain(reason);
});

test('6 time: pause, step, speed and skipping what is idle', async ({ page }) => {
  await open(page, '?seed=7');
  const clock = page.getByTestId('time');
  const events = () => page.evaluate(() => window.__lab.seq());
  // Space on the map pauses; the clock stands; Space goes on.
  await page.getByRole('application', { name: /Map/ }).focus();
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  await expect.poll(() => page.evaluate(() => window.__lab.factor())).toBe(0);
  const stands = await clock.textContent();
  const seq = await events();
  // Ten frames later nothing has moved.
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        let frames = 0;
        const next = () => (++frames > 10 ? done() : requestAnimationFrame(next));
        next();
      }),
  );
  await expect(clock).toHaveText(stands!);
  expect(await events()).toBe(seq);

  // One event, then on to the next thing that can be seen.
  await page.keyboard.press('>');
  await expect.poll(events).toBe(seq + 1);
  await page.keyboard.press('.');
  await expect.poll(events).toBeGreaterThan(seq + 1);
  await page.getByRole('button', { name: 'Step to the next change' }).click();
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();

  // A command given while time stands still is answered when it goes on.
  await dockTab(page, 'Terminal').click();
  await page.getByRole('textbox', { name: /^Terminal on laptop/ }).focus();
  await page.keyboard.type('kubectl get nodes\n');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(screen(page)).toContainText('control-plane');

  const pace = async (exponent: number): Promise<number> => {
    await setSpeed(page, exponent);
    return page.evaluate(async () => {
      const from = { wall: performance.now(), world: window.__lab.time() };
      while (performance.now() - from.wall < 400) await new Promise(requestAnimationFrame);
      return (window.__lab.time() - from.world) / 1_000 / (performance.now() - from.wall);
    });
  };
  expect(await pace(-2)).toBeLessThan(0.1);
  const ten = await pace(1);
  expect(ten).toBeGreaterThan(4);
  expect(ten).toBeLessThan(20);
  expect(await pace(3)).toBeGreaterThan(100);

  // Skipping idle time at 1×: minutes pass in a moment, since nothing happens in them.
  await setSpeed(page, 0);
  const from = await page.evaluate(() => window.__lab.time());
  await page.getByRole('button', { name: 'Skip idle time' }).click();
  await expect.poll(() => page.evaluate(() => window.__lab.time())).toBeGreaterThan(from + 120_000_000);
  await page.getByRole('button', { name: 'Skip idle time' }).click();
  await pause(page);
});
