import { dockTab, expect, open, openTerminal, pace, pause, pods, screen, setSpeed, slowness, test, type } from './page.ts';

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
  await setSpeed(page, -2);
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

  const slow = await pace(page, -2);
  expect(slow).toBeGreaterThan(0.008);
  expect(slow).toBeLessThan(0.0125);
  const ten = await pace(page, 1);
  expect(ten).toBeGreaterThan(8);
  expect(ten).toBeLessThan(12);
  // As fast as this machine can, which is many times faster at the least.
  expect(await pace(page, 3)).toBeGreaterThan(100 / (await slowness(page)));

  // Skipping idle time at 1×: minutes pass in a moment, since nothing happens in them.
  await setSpeed(page, 0);
  const from = await page.evaluate(() => window.__lab.time());
  await page.getByRole('button', { name: 'Skip idle time' }).click();
  await expect.poll(() => page.evaluate(() => window.__lab.time())).toBeGreaterThan(from + 120_000_000);
  await page.getByRole('button', { name: 'Skip idle time' }).click();
  await pause(page);
});

test('6 time: a step that has far to go is seen going', async ({ page }) => {
  await open(page, '?seed=7');
  // Past what the boot still stirs: what is left changes nothing that could be seen for minutes.
  await setSpeed(page, 2);
  await expect.poll(() => page.evaluate(() => window.__lab.time())).toBeGreaterThan(200_000_000);
  await pause(page);
  const clock = page.getByTestId('time');
  // Every time the clock shows, and the moment it comes to rest.
  const shown = clock.evaluate(async (element) => {
    const texts = [element.textContent];
    let changed = performance.now();
    while (texts.length === 1 || performance.now() - changed < 500) {
      await new Promise(requestAnimationFrame);
      if (element.textContent === texts.at(-1)) continue;
      texts.push(element.textContent);
      changed = performance.now();
    }
    return texts;
  });
  await page.getByRole('application', { name: /Map/ }).focus();
  await page.keyboard.press('.');
  // One jump at the end would be two.
  expect((await shown).length).toBeGreaterThan(2);
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  expect(await page.evaluate(() => window.__lab.factor())).toBe(0);
});
