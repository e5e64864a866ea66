/** The Consensus view, by mouse and by keyboard: the checks C1 to C6 of its design, and what a learner does to a Raft group. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { build } from 'vite';
import { expect, now, open, pause, screen, setSpeed, test } from './page.ts';

const mark = (page: Page, name: string): Locator => page.locator(`[data-member="${name}"]`);
const leader = (page: Page): Locator => page.locator('[data-role="Leader"][data-state="running"]');
const headline = (page: Page): Locator => page.getByTestId('headline');
const card = (page: Page): Locator => page.getByTestId('member-card');
const story = (page: Page): Locator => page.getByRole('region', { name: 'What happened, newest first' });
const cells = (page: Page, member: string, state: string): Locator => page.locator(`[data-cell^="${member}/"][data-state="${state}"]`);
const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
async function nameOfLeader(page: Page): Promise<string> {
  await expect(leader(page)).toHaveCount(1);
  return (await leader(page).getAttribute('data-member'))!;
}
const others = (count: number, ...not: string[]): string[] => Array.from({ length: count }, (_, i) => `etcd-${i + 1}`).filter((name) => !not.includes(name));
const termOf = async (of: Locator): Promise<number> => Number(await of.getAttribute('data-term'));
/** Moves the focus over the circle to a member, by arrows. */
async function focusMember(page: Page, name: string): Promise<void> {
  await page.locator('[data-member][tabindex="0"]').focus();
  for (let i = 0; i < 8; i++) {
    if (await mark(page, name).evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('ArrowRight');
  }
  await expect(mark(page, name)).toBeFocused();
}

test('a world of etcd alone opens on Consensus; a cluster reaches it by its key', async ({ page }) => {
  await open(page, '?topology=etcd-3');
  await expect(page.getByTestId('consensus')).toBeVisible();
  await expect(headline(page)).toContainText(/^etcd-\d leads term 2\. 3 of 3 members hear it; 2 are needed\.$/);
  await expect(page.getByRole('navigation', { name: 'Views' }).getByRole('button')).toHaveText(['Map', 'Consensus', 'Table', 'Lessons']);
  await expect(page.getByRole('searchbox')).toBeHidden();
  await page.keyboard.press('1');
  await expect(page.getByTestId('map')).toBeVisible();
  await page.keyboard.press('6');
  await expect(page.getByTestId('consensus')).toBeVisible();
});

for (const how of ['mouse', 'keyboard'] as const)
  test(`C1: the leader stops, another leads a higher term, and every digit is the event's; by ${how}`, async ({ page }) => {
    await open(page, '?topology=etcd-3');
    const first = await nameOfLeader(page);
    const term = await termOf(leader(page));
    if (how === 'mouse') {
      await mark(page, first).click();
      await card(page).getByRole('button', { name: 'Stop' }).click();
    } else {
      await focusMember(page, first);
      await page.keyboard.press('Enter');
      const menu = page.getByRole('menu', { name: first });
      await expect(menu.getByRole('menuitem', { name: 'Stop' })).toBeFocused();
      await page.keyboard.press('Enter');
    }
    await expect(mark(page, first)).toHaveAttribute('data-shape', 'stopped');
    await expect(leader(page)).toHaveCount(1);
    const second = await nameOfLeader(page);
    expect(second).not.toBe(first);
    expect(await termOf(leader(page))).toBeGreaterThan(term);
    const told = story(page).getByRole('listitem').filter({ hasText: 'became leader' }).first();
    await expect(told).toContainText(`${second} became leader of term ${await termOf(leader(page))}.`);
    for (const name of others(3, first)) await expect(mark(page, name).locator('text').first()).toHaveText(String(await termOf(leader(page))));
    await expect(mark(page, first).locator('text').first(), 'what stopped stays where it was').toHaveText(String(term));
    await expect(page.getByTestId('live')).toContainText(`${second} became leader of term`);
    // It comes back, and follows.
    if (how === 'mouse') await card(page).getByRole('button', { name: 'Start' }).click();
    else {
      await focusMember(page, first);
      await page.keyboard.press('s');
    }
    await expect(mark(page, first)).toHaveAttribute('data-shape', 'Follower');
    await expect(mark(page, first)).toHaveAttribute('data-term', String(await termOf(leader(page))));
  });

for (const how of ['mouse', 'keyboard'] as const)
  test(`C2: behind a wall a minority commits nothing, and takes it back when the wall falls; by ${how}`, async ({ page }) => {
    await open(page, '?topology=etcd-5&seed=3');
    const stale = await nameOfLeader(page);
    const [friend] = others(5, stale) as [string];
    const from = (await cells(page, stale, 'applied').count()) + 1;
    if (how === 'mouse') {
      await press(page, 'Wall');
      await mark(page, stale).click();
      await mark(page, friend).click();
      await press(page, 'Build the wall');
    } else {
      await page.getByRole('button', { name: 'Wall', exact: true }).focus();
      await page.keyboard.press('Enter');
      const panel = page.getByRole('group', { name: 'Wall' });
      for (const name of [stale, friend]) {
        await panel.getByRole('checkbox', { name }).focus();
        await page.keyboard.press('Space');
      }
      await panel.getByRole('button', { name: 'Build the wall' }).focus();
      await page.keyboard.press('Enter');
    }
    await expect(page.locator('[data-cut="both"]')).toHaveCount(6);
    // Whatever the minority's cells beyond here ever were.
    await page.evaluate(
      ([names, first]) => {
        const seen = new Set<string>();
        Object.assign(window, { seen });
        const look = (): void => {
          for (const name of names)
            for (const cell of document.querySelectorAll<HTMLElement>(`[data-cell^="${name}/"]`))
              if (Number(cell.dataset['cell']!.split('/')[1]) >= first) seen.add(cell.dataset['state']!);
        };
        const observer = new MutationObserver(look);
        observer.observe(document.querySelector('[role="grid"]')!, { subtree: true, attributes: true, attributeFilter: ['data-state'] });
        Object.assign(window, { stopLooking: () => observer.disconnect() });
      },
      [[stale, friend], from] as const,
    );
    if (how === 'mouse') {
      await mark(page, stale).click();
      await card(page).getByRole('button', { name: 'Write here' }).click();
    } else {
      await focusMember(page, stale);
      await page.keyboard.press('w');
    }
    await expect(screen(page)).toContainText(`etcdctl --endpoints=${stale}:2379 put color`);
    await expect(cells(page, stale, 'uncommitted')).not.toHaveCount(0);
    await expect(screen(page), 'the real text of the time-out').toContainText(/etcdserver: request timed out|context deadline exceeded/);
    await expect(headline(page)).toContainText(/3 of 5 members hear it|leads term 3/);
    const other = await nameOfLeader(page);
    expect([stale, friend]).not.toContain(other);
    expect(await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen].sort())).not.toContain('committed');
    expect(await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen].sort())).not.toContain('applied');
    await page.evaluate(() => (window as unknown as { stopLooking(): void }).stopLooking());
    const lost = (await cells(page, stale, 'uncommitted').first().textContent())!;
    await press(page, 'Fold the dock');
    if (how === 'mouse') await press(page, 'Mend');
    else await page.keyboard.press('h');
    // Struck through for two seconds, then what the leader has.
    await expect(cells(page, stale, 'struck').first()).toHaveText(lost);
    await expect(cells(page, stale, 'struck')).toHaveCount(0);
    await expect(cells(page, stale, 'uncommitted')).toHaveCount(0);
    await expect(story(page)).toContainText(`${stale} takes back its entries from ${from} on`);
  });

test('C3: a split vote: two dashed circles, no crown, and the terms rise', async ({ page }) => {
  await open(page, '?topology=etcd-3');
  await pause(page);
  const stopped = await nameOfLeader(page);
  const term = await termOf(leader(page));
  await mark(page, stopped).click();
  await card(page).getByRole('button', { name: 'Stop' }).click();
  const left = others(3, stopped);
  // One by the mouse, one by the keyboard: both timers run out at the same instant.
  await mark(page, left[0]!).click();
  await card(page).getByRole('button', { name: 'Time out now' }).click();
  await focusMember(page, left[1]!);
  await page.keyboard.press('t');
  const candidates = page.locator('[data-shape="Candidate"]');
  await expect(async () => {
    await page.keyboard.press('m');
    await expect(candidates).toHaveCount(2, { timeout: 500 });
  }).toPass();
  await expect(leader(page)).toHaveCount(0);
  // A vote counts once it is on disk, one's own too.
  await expect(async () => {
    await page.keyboard.press('m');
    await expect(headline(page)).toHaveText(new RegExp(`^The vote of term ${term + 1} is split: etcd-\\d has 1, etcd-\\d has 1; 2 are needed\\.$`), {
      timeout: 500,
    });
  }).toPass();
  for (const name of left) {
    await expect(mark(page, name)).toHaveAttribute('data-term', String(term + 1));
    await expect(mark(page, name).locator('[data-vote]')).toHaveCount(3);
  }
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(leader(page)).toHaveCount(1);
  expect(await termOf(leader(page))).toBeGreaterThan(term + 1);
  await press(page, 'What happened');
  await expect(story(page)).toContainText(`Split vote in term ${term + 1}`);
});

test('C4: the same seed gives the same winner, and the session replays to the same hash', async ({ page }) => {
  const winners: string[] = [];
  for (let run = 0; run < 2; run++) {
    await open(page, '?topology=etcd-5&seed=11');
    winners.push((await headline(page).textContent())!);
  }
  expect(winners[0]).toBe(winners[1]);
  await mark(page, await nameOfLeader(page)).click();
  await card(page).getByRole('button', { name: 'Isolate' }).click();
  await expect(story(page).getByRole('listitem').filter({ hasText: 'became leader of term 3' })).toHaveCount(1);
  await pause(page);
  const told = await page.evaluate(async () => ({
    session: await window.__lab.session(),
    time: window.__lab.time(),
    events: window.__lab.seq(),
    hash: await window.__lab.hash(),
  }));
  const out = resolve('node_modules/.cache/orrery/replay-consensus');
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
  for (let run = 0; run < 2; run++) {
    const replaying = promisify(execFile)(process.execPath, [resolve(out, 'main.mjs')], { maxBuffer: 1 << 24 });
    replaying.child.stdin!.end(JSON.stringify(told));
    expect((await replaying).stdout.trim()).toBe(told.hash);
  }
});

test('C5: without colour everything can still be told apart', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open(page, '?topology=etcd-5&seed=3');
  const first = await nameOfLeader(page);
  const body = (of: Locator, property: string): Promise<string> =>
    of.locator('circle[class*="body"]').evaluate((circle, name) => getComputedStyle(circle).getPropertyValue(name), property);
  const follower = mark(page, others(5, first)[0]!);
  expect(Number.parseFloat(await body(leader(page), 'stroke-width'))).toBeGreaterThan(2 * Number.parseFloat(await body(follower, 'stroke-width')));
  await expect(leader(page).locator('path[class*="crown"]')).toHaveCount(1);
  await expect(page.locator('path[class*="crown"]')).toHaveCount(1);
  expect(await body(follower, 'stroke-dasharray')).toBe('none');
  // A leader without followers keeps what it is asked to itself: dashed.
  await mark(page, first).click();
  await card(page).getByRole('button', { name: 'Isolate' }).click();
  await card(page).getByRole('button', { name: 'Write here' }).click();
  await expect(cells(page, first, 'uncommitted')).not.toHaveCount(0);
  const border = (of: Locator): Promise<string> => of.first().evaluate((cell) => getComputedStyle(cell).borderTopStyle);
  expect(await border(cells(page, first, 'uncommitted'))).toBe('dashed');
  expect(await border(cells(page, first, 'applied'))).toBe('solid');
  expect(
    await cells(page, first, 'applied')
      .first()
      .evaluate((cell) => getComputedStyle(cell, '::before').width),
  ).toBe('4px');
  // Cut off, it asks for votes for ever: a dashed circle.
  await expect(mark(page, first)).toHaveAttribute('data-shape', 'PreCandidate');
  expect(await body(mark(page, first), 'stroke-dasharray')).not.toBe('none');
  await expect(mark(page, first)).toContainText('pre-candidate');
});

/** Minutes of real time at 1× for C6; without it the same half hour of the world passes at 1000×. */
const REAL_MINUTES = Number(process.env['ORRERY_REAL_MINUTES'] ?? 0);
test(`C6: in ${REAL_MINUTES > 0 ? `${REAL_MINUTES} real` : 'thirty virtual'} minutes the number of elements stays what it was`, async ({ page }) => {
  if (REAL_MINUTES > 0) test.setTimeout((REAL_MINUTES + 4) * 60_000);
  await open(page, '?topology=etcd-5');
  const count = (): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length);
  await press(page, 'Write a key');
  await press(page, 'Fold the dock');
  // The ledger of what happened fills up once and stays so long.
  await setSpeed(page, 2);
  await expect.poll(() => now(page)).toBeGreaterThan(60);
  await setSpeed(page, 0);
  const before = await count();
  const from = await now(page);
  if (REAL_MINUTES > 0) {
    let least = before;
    let most = before;
    for (let look = 1; look <= REAL_MINUTES * 6; look++) {
      // At 1× ten seconds of the world are ten of the wall.
      await expect.poll(() => now(page), { timeout: 60_000, intervals: [1_000] }).toBeGreaterThan(from + look * 10);
      const seen = await count();
      least = Math.min(least, seen);
      most = Math.max(most, seen);
    }
    expect(await now(page), 'it went on at 1×').toBeGreaterThan(from + REAL_MINUTES * 60 * 0.9);
    expect(most / before, `${before} elements at first, between ${least} and ${most} in ${REAL_MINUTES} minutes`).toBeLessThan(1.05);
    expect(least / before).toBeGreaterThan(0.95);
    return;
  }
  await setSpeed(page, 3);
  await expect.poll(() => now(page), { timeout: 150_000, intervals: [1_000] }).toBeGreaterThan(from + 1_800);
  await setSpeed(page, 0);
  const after = await count();
  expect(Math.abs(after - before) / before).toBeLessThan(0.05);
});

test('messages can be stepped, chosen, dropped and delayed', async ({ page }) => {
  await open(page, '?topology=etcd-3');
  await press(page, 'Wires');
  await press(page, '100 ms more');
  await pause(page);
  const tags = page.locator('[data-flight]');
  await expect(async () => {
    await page.keyboard.press('m');
    await expect(tags).not.toHaveCount(0, { timeout: 500 });
  }).toPass();
  await expect(page.getByRole('region', { name: 'Messages on their way' }).getByRole('row')).not.toHaveCount(1);
  // The mouse: choose it, drop it.
  const first = await tags.first().getAttribute('data-flight');
  await tags.first().click();
  await page.getByTestId('message-card').getByRole('button', { name: 'Drop' }).click();
  await expect(page.locator(`[data-flight="${first}"]`)).toHaveCount(0);
  await expect(page.getByText('That message is no longer on its way.')).toBeVisible();
  // The keyboard: on the tag itself.
  await expect(async () => {
    if ((await tags.count()) < 2) await page.keyboard.press('m');
    expect(await tags.count()).toBeGreaterThan(1);
  }).toPass();
  const second = (await tags.first().getAttribute('data-flight'))!;
  await page.locator(`[data-flight="${second}"]`).focus();
  await page.keyboard.press('Delete');
  await expect(page.locator(`[data-flight="${second}"]`)).toHaveCount(0);
  const third = (await tags.first().getAttribute('data-flight'))!;
  await page.locator(`[data-flight="${third}"]`).focus();
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menuitem', { name: 'Delay by 1 s' }).press('Enter');
  await page.locator(`[data-flight="${third}"]`).click();
  await expect(page.getByTestId('message-card')).toContainText(/1(\.\d)? s/);
});

for (const how of ['mouse', 'keyboard'] as const)
  test(`the members get other election times, and the session remembers; by ${how}`, async ({ page }) => {
    await open(page, '?topology=etcd-3');
    const panel = page.getByRole('group', { name: 'Timers' });
    if (how === 'mouse') await press(page, 'Timers');
    else {
      await page.getByRole('button', { name: 'Timers', exact: true }).focus();
      await page.keyboard.press('Enter');
    }
    const sets = panel.getByRole('radio');
    await expect(sets).toHaveCount(4);
    await expect(panel.getByRole('radio', { name: /^etcd/ })).toBeChecked();
    const choose = async (name: string): Promise<void> => {
      const wanted = panel.getByRole('radio', { name: new RegExp(`^${name}`) });
      if (how === 'mouse') await wanted.click();
      else
        for (let i = 0; i < 4 && !(await wanted.isChecked()); i++) {
          await page.keyboard.press('ArrowRight');
          await expect(panel.locator('input:focus')).toBeChecked();
        }
      await expect(wanted).toBeChecked();
    };
    for (const [name, effect, refused] of [
      ['Paper', 'A heartbeat every 50 ms; each waits 150 ms to 290 ms', true],
      ['Teaching', 'A heartbeat every 100 ms; each waits 150 ms to 290 ms', true],
      ['Classroom', 'A heartbeat every 300 ms; each waits 1.5 s to 2.7 s', false],
      ['etcd', 'A heartbeat every 100 ms; each waits 1 s to 1.9 s', false],
    ] as const) {
      await choose(name);
      await expect(panel.getByTestId('times')).toContainText(effect);
      await expect(panel.getByRole('note')).toHaveCount(refused ? 1 : 0);
      if (refused) await expect(panel.getByRole('note')).toContainText('should be at least as 5 times as --heartbeat-interval');
      await expect(leader(page)).toHaveCount(1);
    }
    await choose('Teaching');
    const first = await nameOfLeader(page);
    await mark(page, first).click();
    await expect(card(page)).toContainText('150 ms to 290 ms; a heartbeat every 100 ms');
    const { inputs } = (await page.evaluate(() => window.__lab.session())) as {
      inputs: readonly { type: string; fault?: { kind: string; preset?: string } }[];
    };
    const chosen = inputs.filter(({ fault }) => fault?.kind === 'etcd-timing').map(({ fault }) => fault!.preset);
    expect(chosen.slice(-2)).toEqual(how === 'mouse' ? ['etcd', 'teaching'] : ['paper', 'teaching']);
  });

test('all members time out at once, and the vote splits', async ({ page }) => {
  await open(page, '?topology=etcd-5');
  await mark(page, await nameOfLeader(page)).click();
  await card(page).getByRole('button', { name: 'Stop' }).click();
  await press(page, 'Timers');
  await press(page, 'All time out now');
  await expect(story(page)).toContainText(/Split vote in term \d/);
  await expect(leader(page)).toHaveCount(1);
});

test('a message is dragged off its wire and lost, or back along it and late', async ({ page }) => {
  await open(page, '?topology=etcd-3');
  await press(page, 'Wires');
  await press(page, '100 ms more');
  await press(page, 'Close');
  await pause(page);
  const tags = page.locator('[data-flight]');
  const stepUntil = async (count: number): Promise<void> =>
    expect(async () => {
      if ((await tags.count()) < count) await page.keyboard.press('m');
      expect(await tags.count()).toBeGreaterThanOrEqual(count);
    }).toPass();
  const middle = async (of: Locator): Promise<{ x: number; y: number }> => {
    const box = (await of.locator('rect').boundingBox())!;
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };
  /** Along the wire and across it, from a tag's own place. */
  const pull = async (id: string, along: number, across: number): Promise<void> => {
    const tag = page.locator(`[data-flight="${id}"]`);
    const [, from, to] = /from (\S+) to (\S+),/.exec((await tag.getAttribute('aria-label'))!)!;
    const [a, b, start] = [
      (await mark(page, from!).locator('circle[class*="body"]').boundingBox())!,
      (await mark(page, to!).locator('circle[class*="body"]').boundingBox())!,
      await middle(tag),
    ];
    const way = { x: b.x - a.x, y: b.y - a.y };
    const length = Math.hypot(way.x, way.y);
    const at = { x: start.x + (way.x * along - way.y * across) / length, y: start.y + (way.y * along + way.x * across) / length };
    await page.mouse.move(start.x, start.y);
    await page.mouse.down();
    await page.mouse.move(at.x, at.y, { steps: 5 });
  };
  await stepUntil(2);
  // The last one drawn: no other lies over it.
  const lost = (await tags.last().getAttribute('data-flight'))!;
  await pull(lost, 0, 60);
  await expect(page.locator(`[data-flight="${lost}"]`)).toHaveAttribute('data-held', 'drop');
  await expect(page.locator(`[data-flight="${lost}"]`)).toContainText('let go: lost');
  // Not yet: Escape puts it back.
  await page.locator(`[data-flight="${lost}"]`).focus();
  await page.keyboard.press('Escape');
  await page.mouse.up();
  await expect(page.locator(`[data-flight="${lost}"]`)).not.toHaveAttribute('data-held');
  await pull(lost, 0, -60);
  await page.mouse.up();
  await expect(page.locator(`[data-flight="${lost}"]`)).toHaveCount(0);
  await stepUntil(2);
  const late = (await tags.last().getAttribute('data-flight'))!;
  await pull(late, -50, 0);
  const verdict = /let go: (\d+) ms later/.exec((await page.locator(`[data-flight="${late}"]`).textContent())!);
  expect(Number(verdict?.[1])).toBeGreaterThan(5);
  const arrival = async (): Promise<number> =>
    Number(
      await page.evaluate(
        async (id) =>
          ((await window.__lab.session()).inputs.at(-1) as { fault?: { id: number; micros: number } }).fault?.id === Number(id)
            ? ((await window.__lab.session()).inputs.at(-1) as { fault: { micros: number } }).fault.micros
            : 0,
        late,
      ),
    );
  await page.mouse.up();
  await expect.poll(arrival, { message: 'the delay is an input of the session' }).toBe(Number(verdict![1]) * 1_000);
  await expect(page.locator(`[data-flight="${late}"]`)).toHaveCount(1);
});

test('breakpoints stop the clock', async ({ page }) => {
  await open(page, '?topology=etcd-5');
  const old = await nameOfLeader(page);
  await press(page, 'Breakpoints');
  await page.getByRole('checkbox', { name: 'two leaders' }).check();
  await mark(page, old).click();
  await card(page).getByRole('button', { name: 'Isolate' }).click();
  await expect.poll(() => page.evaluate(() => window.__lab.factor())).toBe(0);
  await expect(page.getByRole('log', { name: 'Notices' })).toContainText('Stopped: Two leaders');
  await expect(leader(page)).toHaveCount(2);
  await expect(headline(page)).toContainText(new RegExp(`^Two leaders: .* ${old} of term 2 is stale`));
  await page.getByRole('checkbox', { name: 'two leaders' }).uncheck();
  await page.getByRole('checkbox', { name: 'commit advances' }).check();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(() => page.evaluate(() => window.__lab.factor())).toBe(0);
  await expect(page.getByRole('log', { name: 'Notices' })).toContainText(/Stopped: Entry \d+ is committed/);
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
});

test('a learner is added, and becomes a voter', async ({ page }) => {
  await open(page, '?topology=etcd-3');
  await press(page, 'Add a member');
  await press(page, 'Add a learner');
  await expect(screen(page)).toContainText('etcdctl member add etcd-4 --learner --peer-urls=http://10.0.0.24:2380');
  await expect(mark(page, 'etcd-4')).toHaveAttribute('data-shape', 'learner');
  await expect(page.getByRole('row', { name: /^etcd-4/ })).toBeVisible();
  await press(page, 'Fold the dock');
  await mark(page, 'etcd-4').click();
  await card(page).getByRole('button', { name: 'Promote' }).click();
  await expect(mark(page, 'etcd-4')).toHaveAttribute('data-shape', 'Follower');
  await expect(headline(page)).toContainText('4 of 4 members hear it; 3 are needed');
});

test('faults of one member are seen on it', async ({ page }) => {
  await open(page, '?topology=etcd-3');
  const [name] = others(3, await nameOfLeader(page)) as [string];
  await mark(page, name).click();
  await card(page).getByRole('button', { name: 'Slow disk' }).click();
  await expect(mark(page, name)).toContainText('disk 100 ms');
  await card(page).getByRole('button', { name: 'Fast clock' }).click();
  await expect(mark(page, name)).toContainText('clock 2×');
  await focusMember(page, name);
  await page.keyboard.press('p');
  await expect(mark(page, name)).toHaveAttribute('data-shape', 'paused');
  await page.keyboard.press('p');
  await expect(mark(page, name)).not.toHaveAttribute('data-shape', 'paused');
});

test('an entry is decoded to the object it writes, with the way to it', async ({ page }) => {
  await open(page, '?seed=7');
  await page.keyboard.press('6');
  const pods = page.getByRole('gridcell', { name: /create .*|update .*/ }).filter({ hasNot: page.locator('[data-state="empty"]') });
  await expect(pods).not.toHaveCount(0);
  await pods.last().click();
  const entry = page.getByTestId('entry-card');
  await expect(entry).toContainText(/(create|update) [A-Z]\w+/);
  await expect(entry).toContainText('/registry/');
  await expect(entry.getByRole('region', { name: 'Value' })).toContainText('"apiVersion"');
  // By keyboard: back through the log, page after page.
  await page.keyboard.press('PageUp');
  await expect(page.getByRole('gridcell').first()).toBeVisible();
  await page.keyboard.press('Shift+T');
  const table = page.getByRole('region', { name: 'Members as a table' });
  await expect(table.getByRole('row')).toHaveCount(4);
  await expect(table).toContainText('3 of 3, 2 needed');
});

test('with reduced motion nothing travels: what is on its way is a list, and timers are words', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, '?topology=etcd-3');
  await expect(page.locator('[data-role="Follower"]').first()).toContainText(/\d(\.\d)? m?s left/);
  await pause(page);
  await page.keyboard.press('m');
  await expect(page.getByRole('region', { name: 'Messages on their way' })).toContainText(/heartbeat|entries/);
  await expect(page.locator('[data-flight]')).toHaveCount(0);
  expect(await page.evaluate(() => window.__lab.marks().filter(({ moving }) => moving))).toEqual([]);
});

for (const scheme of ['light', 'dark'] as const)
  test(`axe finds nothing, ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, '?topology=etcd-5');
    const clean = async (state: string): Promise<void> => {
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
      expect
        .soft(
          violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`),
          state,
        )
        .toEqual([]);
    };
    await mark(page, await nameOfLeader(page)).click();
    await clean('a member');
    await press(page, 'Breakpoints');
    await clean('breakpoints');
    await press(page, 'Close');
    await press(page, 'Wires');
    await press(page, '100 ms more');
    await press(page, 'Close');
    await pause(page);
    await page.keyboard.press('m');
    await expect(page.locator('[data-flight]')).not.toHaveCount(0);
    await page.getByRole('gridcell').nth(3).click();
    await expect(page.getByTestId('entry-card')).toContainText('term');
    await press(page, 'Messages on their way');
    await clean('messages and an entry');
    await page.keyboard.press('Shift+T');
    await clean('the table');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.keyboard.press('Shift+T');
    await clean('a phone');
  });

test('one wire is cut in one direction, loses messages, and is mended', async ({ page }) => {
  await open(page, '?topology=etcd-3');
  await press(page, 'Wires');
  await page.getByRole('combobox', { name: 'From' }).selectOption('etcd-2');
  await page.getByRole('combobox', { name: 'To' }).selectOption('etcd-3');
  await press(page, 'Cut');
  await expect(page.locator('[data-cut="one"]')).toHaveCount(1);
  await press(page, 'Mend it');
  await expect(page.locator('[data-cut]')).toHaveCount(0);
  await press(page, 'Lose 30 %');
  await expect(page.getByRole('group', { name: 'Members of the Raft group' })).toContainText('loses 30 %');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Wires', exact: true })).toBeFocused();
  await page.keyboard.press('Shift+T');
  await expect(page.getByRole('region', { name: 'Members as a table' })).toContainText('etcd-2 → etcd-3 loses 30 %');
});
