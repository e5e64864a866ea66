/// <reference lib="dom" />
/** The Loops view: what the controllers are doing (checks C1 to C4 of its design), by mouse and by keyboard. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { dockTab, expect, now, open, openTerminal, pause, running, setSpeed, test, type } from './page.ts';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const REPLICA_SETS = 'replicaset-controller';
const loops = (page: Page): Locator => page.getByTestId('loops');
const row = (page: Page, name: string): Locator => page.getByRole('listbox', { name: 'Loops' }).getByRole('option', { name: new RegExp(`^${name},`) });
const drift = (page: Page, name: string): Locator => page.getByTestId(`drift-${name}`);
const card = (page: Page): Locator => page.getByTestId('loop-card');
const section = (page: Page, name: string): Locator => card(page).getByRole('region', { name });
const ticket = (page: Page, name: string): Locator => row(page, name).locator('[data-ticket]');
const ended = async (page: Page, name: string): Promise<number> => Number(/(\d+) done/.exec((await row(page, name).getAttribute('aria-label'))!)![1]);
const fold = (page: Page): Promise<void> => page.getByRole('button', { name: 'Fold the dock' }).click();

/** Key `5`, from wherever the page's keys are heard. */
async function openView(page: Page): Promise<void> {
  await page.locator('#stage').focus();
  await page.keyboard.press('5');
  await expect(loops(page)).toBeVisible();
  await expect(row(page, REPLICA_SETS)).toBeVisible();
}
async function clean(page: Page, state: string, ...schemes: readonly ('light' | 'dark')[]): Promise<void> {
  for (const colorScheme of schemes) {
    // Colours on their way from one scheme to the other are neither.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).include('[data-testid=loops]').withTags(TAGS).analyze();
    expect
      .soft(
        violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`),
        `${state}, ${colorScheme}`,
      )
      .toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
}
/** Where every row stands. */
const places = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[data-loop]')].map((each) => {
      const { x, y, width, height } = each.getBoundingClientRect();
      return [each.dataset['loop'], x, y, width, height].join(' ');
    }),
  );

test('C3: the ReplicaSet controller is paused, and the drift stays; one step, then going on, repairs it', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl create deployment web --image=nginx --replicas=3');
  await setSpeed(page, 1);
  const [pod, other] = await running(page, 'web-', 3);
  await setSpeed(page, 0);
  await fold(page);
  await openView(page);
  await expect(page.getByTestId('loops-headline')).toContainText('Everything is as asked for.');

  // By keys alone: to the loop, and pause it.
  await page.getByRole('listbox', { name: 'Loops' }).focus();
  await page.keyboard.press('Home');
  const wanted = page.getByRole('option', { selected: true }).and(row(page, REPLICA_SETS));
  for (let steps = 0; steps < 20 && !(await wanted.isVisible()); steps++) await page.keyboard.press('ArrowDown');
  await expect(card(page).getByRole('heading', { name: REPLICA_SETS })).toBeVisible();
  // What it did before anybody looked is told: it made the pods.
  const did = section(page, 'What it did').getByRole('listitem').filter({ hasText: 'web-' });
  await expect(did.first()).toBeVisible();
  await page.keyboard.press('p');
  await expect(row(page, REPLICA_SETS)).toHaveAttribute('data-state', 'paused');
  await expect(page.getByTestId('live')).toContainText(`${REPLICA_SETS} is paused.`);
  const before = await places(page);

  await openTerminal(page);
  await type(page, `kubectl delete pod ${pod!.name}`);
  await expect(drift(page, REPLICA_SETS)).toHaveText('−1');
  await expect(ticket(page, REPLICA_SETS)).toHaveCount(1);
  await fold(page);
  expect(await places(page), 'nothing moved').toEqual(before);
  const later = (await now(page)) + 60;
  await setSpeed(page, 2);
  await expect.poll(() => now(page)).toBeGreaterThan(later);
  await setSpeed(page, 0);
  await expect(drift(page, REPLICA_SETS), 'it stays').toHaveText('−1');
  await expect(page.getByTestId('loops-headline')).toHaveText(`${REPLICA_SETS} is paused; 1 missing.`);
  await expect(section(page, 'Asked for and there').getByRole('row', { name: /^web-.* 3 2 −1$/ })).toBeVisible();
  await expect(section(page, 'Its queue')).toContainText(`kubernetes-admin asked to delete Pod default/${pod!.name}.`);
  // Found by its name: the others are not shown, and come back where they were.
  const search = loops(page).getByRole('searchbox', { name: 'Find a loop' });
  await search.fill('no such loop');
  await expect(loops(page)).toContainText(/None of \d+ loops is called so\./);
  await search.fill('set');
  await expect(row(page, REPLICA_SETS)).toBeVisible();
  await expect(row(page, 'kube-scheduler')).toBeHidden();
  await clean(page, 'paused', 'light', 'dark');
  await search.fill('');
  expect(await places(page)).toEqual(before);

  // One reconcile, while time stands still: it goes on just so far.
  await pause(page);
  const done = await ended(page, REPLICA_SETS);
  await page.locator('#stage').focus();
  await page.keyboard.press('r');
  await expect.poll(() => ended(page, REPLICA_SETS)).toBe(done + 1);
  await expect(drift(page, REPLICA_SETS)).toHaveText('0');
  expect(await page.evaluate(() => window.__lab.factor())).toBe(0);
  await expect(row(page, REPLICA_SETS)).toHaveAttribute('data-state', 'paused');
  const newest = section(page, 'What it did').getByRole('listitem').first();
  await newest.locator('summary').click();
  await expect(newest.getByRole('button', { name: /^create pods web-/ })).toBeVisible();
  await expect(newest).toContainText(`Why: kubernetes-admin asked to delete Pod default/${pod!.name}.`);

  // Another pod is gone; resumed, one reconcile repairs it.
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await openTerminal(page);
  await type(page, `kubectl delete pod ${other!.name}`);
  await expect(drift(page, REPLICA_SETS)).toHaveText('−1');
  await fold(page);
  await card(page).getByRole('button', { name: 'Resume the loop' }).click();
  await expect(drift(page, REPLICA_SETS)).toHaveText('0');
  await expect(row(page, REPLICA_SETS)).toHaveAttribute('data-state', 'running');
  await setSpeed(page, 1);
  await running(page, 'web-', 3);
  await pause(page);

  // As a table: the same loops; and with less motion nothing moves.
  const names = await page.locator('[data-loop]').evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset['loop']));
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await page.evaluate(() => window.__lab.marks().filter((mark) => mark.moving).length)).toBe(0);
  await page.locator('#stage').focus();
  await page.keyboard.press('Shift+T');
  const table = loops(page).getByRole('region', { name: 'Loops as a table' });
  await expect(table).toBeVisible();
  expect(await table.locator('[data-loop-row]').evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset['loopRow']))).toEqual(names);
  await search.fill('set');
  await clean(page, 'table', 'dark');
  await search.fill('');
  await page.locator('#stage').focus();
  await page.keyboard.press('Shift+T');

  // What it wrote leads to its journey.
  await section(page, 'What it did')
    .getByRole('button', { name: /^create pods web-/ })
    .first()
    .or(newest.getByRole('button', { name: 'The journey that led to it' }))
    .first()
    .click();
  await expect(page.getByTestId('journey')).toBeVisible();
  await page.keyboard.press('5');

  // On a phone the conveyors give way to the one that is chosen.
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out').toBe(true);
  await row(page, REPLICA_SETS).click();
  await expect(row(page, REPLICA_SETS)).toBeHidden();
  await expect(card(page)).toBeVisible();
  await clean(page, 'phone, a loop', 'light');
  await card(page).getByRole('button', { name: 'All loops' }).click();
  await expect(row(page, REPLICA_SETS)).toBeVisible();
});

/** A webhook for pods of `web`, served by agnhost, which is asked at a path that takes five seconds. */
const WEBHOOK = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'slow' },
  webhooks: [
    {
      name: 'slow.example.com',
      clientConfig: { service: { namespace: 'default', name: 'hook', path: '/always-allow-delay-5s', port: 8443 } },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      objectSelector: { matchLabels: { app: 'web' } },
      timeoutSeconds: 30,
      failurePolicy: 'Fail',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    },
  ],
};

test('C1: asked for five times while at work, a key waits once; C2: what fails comes back, twice as late each time', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(
    page,
    'kubectl create deployment web --image=nginx; kubectl create deployment hook --image=registry.k8s.io/e2e-test-images/agnhost:2.53 -- /agnhost webhook --port=8444; kubectl expose deployment hook --port=8443 --target-port=8444',
  );
  await setSpeed(page, 1);
  await running(page, 'hook-', 1);
  await running(page, 'web-', 1);
  await setSpeed(page, 0);
  await openTerminal(page);
  await type(page, `kubectl create -f - <<< '${JSON.stringify(WEBHOOK)}'`);
  await openView(page);
  await row(page, REPLICA_SETS).click();

  // C1: five changes of the set while it waits for the webhook.
  await openTerminal(page);
  await type(page, 'kubectl scale deployment web --replicas=2');
  await expect(row(page, REPLICA_SETS).locator('[data-working]')).toHaveText(/^web-/);
  await openTerminal(page);
  await type(page, 'kubectl annotate rs -l app=web n=1; for n in 2 3 4 5; do kubectl annotate rs -l app=web n=$n --overwrite; done');
  await expect(ticket(page, REPLICA_SETS)).toHaveCount(1);
  await expect(ticket(page, REPLICA_SETS)).toHaveText(/^web-.*×5 merged$/);
  await expect(ticket(page, REPLICA_SETS)).toHaveAttribute('data-after', 'true');
  await pause(page);
  await expect(row(page, REPLICA_SETS)).toHaveAccessibleName(/1 waiting, 1 under way/);
  await expect(section(page, 'Its queue')).toContainText('Waits for the one under way to end. kubernetes-admin asked to patch ReplicaSet default/web-');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(ticket(page, REPLICA_SETS), 'the five are one look').toHaveCount(0);

  // C2: nobody answers for the webhook any more.
  await openTerminal(page);
  await type(page, 'kubectl scale deployment hook --replicas=0');
  await setSpeed(page, 2);
  await running(page, 'hook-', 0);
  await running(page, 'web-', 2);
  await setSpeed(page, 0);
  await openTerminal(page);
  await type(page, 'kubectl scale deployment web --replicas=3');
  const series = card(page).getByTestId('backoff');
  await expect(series).toContainText('5 ms → 10 ms → 20 ms → 40 ms → 80 ms → 160 ms → 320 ms → 640 ms → 1.28 s');
  await expect(drift(page, REPLICA_SETS)).toHaveText('−1');
  await expect(page.getByTestId('loops-headline')).toHaveText(`${REPLICA_SETS} tries and fails; 1 missing.`);
  await expect(section(page, 'What it did')).toContainText('failed calling webhook "slow.example.com"');
  await expect(section(page, 'Its queue')).toContainText(/try \d+.*tried again in/);
  // As the queue itself says it.
  await dockTab(page, 'Trace').click();
  await page.getByRole('searchbox', { name: 'Filter the trace' }).fill('queue.requeue');
  const fact = page.getByRole('region', { name: 'Trace, newest first' }).getByRole('row').filter({ hasText: REPLICA_SETS }).first();
  await setSpeed(page, 1);
  await expect(fact).toContainText(/delay=\d+ requeues=\d+/);
  await pause(page);
  const [, delay, tries] = /delay=(\d+) requeues=(\d+)/.exec((await fact.textContent())!)!;
  await expect(series).toContainText(new RegExp(`→ ${Number(delay) / 1_000_000} s$`));
  await expect(section(page, 'Its queue')).toContainText(`try ${Number(tries) + 1}`);
  expect(Number(delay)).toBe(5_000 * 2 ** (Number(tries) - 1));
  await fold(page);
  await clean(page, 'backing off', 'light');
  // Up to the cap, and no further.
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await setSpeed(page, 3.5);
  await expect(series).toContainText(/→ 327\.68 s → 655\.36 s → 1000 s → 1000 s$/);
  await pause(page);
});

test('C4: of two copies one holds the lease; when it stands still, the other takes it once it has expired', async ({ page }) => {
  await open(page, '?seed=7');
  await openView(page);
  const lease = page.locator('[data-lease="kube-controller-manager"]');
  const panel = page.getByRole('group', { name: 'Lease kube-controller-manager' });
  const copy = (node: string): Locator => panel.locator(`[data-copy="${node}"]`);
  await expect(lease).toHaveAccessibleName(/^Lease of the controllers: control-plane, expires in \d+ s$/);
  await lease.focus();
  await page.keyboard.press('Enter');
  await expect(copy('control-plane')).toContainText('control-plane leads');
  await panel.getByRole('button', { name: 'Run a second copy on node-1' }).click();
  await setSpeed(page, 1);
  await expect(copy('node-1')).toContainText('node-1 waits for the lease');
  await setSpeed(page, 0);
  await expect(panel.locator('[data-state="leads"]')).toHaveCount(1);
  await fold(page);
  await clean(page, 'the lease', 'dark');

  await row(page, REPLICA_SETS).click();
  await expect(card(page)).toContainText('kube-controller-manager@control-plane');
  await copy('control-plane').getByRole('button', { name: 'Stop the process on control-plane' }).click();
  const stopped = await now(page);
  await expect(row(page, REPLICA_SETS)).toHaveAttribute('data-state', 'stopped');
  await expect(page.getByTestId('loops-headline')).toHaveText(
    'No controller works: the leader stands still. The copy on node-1 may take its lease once it has expired.',
  );
  await expect(lease).toHaveAccessibleName(/control-plane, expires in/);
  await setSpeed(page, 1);
  await expect(lease).toHaveAccessibleName(/^Lease of the controllers: node-1, expires in/);
  await setSpeed(page, 0);
  // It was renewed at most two seconds before, for fifteen.
  expect((await now(page)) - stopped).toBeGreaterThan(12);
  await expect(panel.locator('[data-state="leads"]')).toHaveAttribute('data-copy', 'node-1');
  await expect(row(page, REPLICA_SETS)).toHaveAttribute('data-state', 'running');
  await expect(card(page)).toContainText('kube-controller-manager@node-1');
  // The one that stood still finds that it leads no more.
  await copy('control-plane').getByRole('button', { name: 'Let control-plane go on' }).click();
  await setSpeed(page, 1);
  await expect(panel.locator('[data-state="paused"]')).toHaveCount(0);
  await expect(copy('node-1')).toContainText('node-1 leads');
  await page.keyboard.press('Escape');
});
