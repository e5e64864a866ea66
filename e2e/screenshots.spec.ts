/** Takes the README's pictures, always of the same world: a seed, and time standing still. Small enough to keep in the repository. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { dockTab, expect, find, inspector, open, openTerminal, pause, pointOf, running, setSpeed, test, type } from './page.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'screenshots');
const MOST_BYTES = 250_000;

async function take(page: Page, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  expect(statSync(path).size, name).toBeLessThan(MOST_BYTES);
}
/** Waits until the camera has come to rest. */
async function still(page: Page): Promise<void> {
  let before = '';
  await expect
    .poll(async () => {
      const now = JSON.stringify(await page.evaluate(() => window.__lab.camera()));
      const same = now === before;
      before = now;
      return same;
    })
    .toBe(true);
}
/** A cluster with a shop on it: three web pods behind a Service, a cache, and one image that does not exist. */
async function furnish(page: Page): Promise<void> {
  await open(page, '?seed=7');
  await setSpeed(page, 1);
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml -f examples/service.yaml');
  await type(page, 'kubectl create deployment cache --image=redis:7 --replicas=2');
  await type(page, 'kubectl create deployment shop --image=nginx:1.27 --replicas=7');
  await type(page, 'kubectl create deployment typo --image=ngimx --replicas=1');
  await running(page, 'web-', 3);
  await running(page, 'shop-', 7);
  await running(page, 'cache-', 2);
  await setSpeed(page, 0);
  await openTerminal(page);
}
const foldDock = (page: Page): Promise<void> => page.getByRole('button', { name: 'Fold the dock' }).click();

for (const scheme of ['light', 'dark'] as const) {
  test(`map, ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await furnish(page);
    await dockTab(page, 'Events').click();
    await find(page, 'web-');
    await inspector(page).getByRole('tab', { name: 'Why?' }).click();
    await expect(inspector(page).getByRole('listitem').first()).toBeVisible();
    await pause(page);
    // All of it in what the inspector leaves free.
    const from = await page.evaluate(() => window.__lab.camera().zoom);
    await page.getByRole('button', { name: 'Fit everything' }).click();
    await expect.poll(() => page.evaluate(() => window.__lab.camera().zoom)).not.toBe(from);
    await still(page);
    await page.getByRole('banner').hover();
    await take(page, `map-${scheme}`);
  });
}

test('a node, close', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await furnish(page);
  await foldDock(page);
  await pause(page);
  const id = await page.evaluate(() => Object.entries(window.__lab.layout()).find(([other]) => window.__lab.getPod(other)?.name.startsWith('web-'))![0]);
  for (const _ of [1, 2, 3, 4]) {
    const at = await pointOf(page, id);
    const zoom = await page.evaluate(() => window.__lab.camera().zoom);
    await page.mouse.move(at.x, at.y);
    await page.mouse.wheel(0, -300);
    await expect.poll(() => page.evaluate(() => window.__lab.camera().zoom)).toBeGreaterThan(zoom);
  }
  await page.getByRole('banner').hover();
  await take(page, 'node');
});

test('the editor, the terminal, a lesson', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await furnish(page);
  await type(page, 'kubectl get pods -o wide');
  await take(page, 'terminal');
  await dockTab(page, 'YAML').click();
  await expect(page.getByTestId('yaml-editor').locator('.view-lines')).toBeVisible();
  await page.getByRole('combobox', { name: 'Insert an example' }).selectOption({ index: 4 });
  await page.getByRole('button', { name: /^Apply/ }).click();
  await expect(page.getByRole('region', { name: 'What the API server said' })).toBeVisible();
  await take(page, 'editor');

  await foldDock(page);
  await page.getByRole('button', { name: 'Lessons' }).click();
  const lesson = page.getByTestId('lesson');
  await lesson.getByRole('button', { name: /Delete a pod/ }).click();
  await lesson.getByRole('button', { name: 'Begin' }).click({ timeout: 30_000 });
  await lesson.getByRole('radio', { name: /It is gone for good/ }).check();
  await openTerminal(page);
  await type(page, 'kubectl get pods');
  await take(page, 'lesson');
});

test('a journey, a decision of the scheduler, the loops', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await furnish(page);
  await foldDock(page);
  await pause(page);
  await page.locator('#stage').focus();
  await page.keyboard.press('3');
  const requests = page.getByRole('listbox', { name: 'Requests, newest first' });
  await requests.getByRole('option').filter({ hasText: 'create deployments' }).first().click();
  await page.getByRole('tab', { name: /^Decode, Default/ }).click();
  await expect(page.getByRole('tabpanel').locator('ins').first()).toBeVisible();
  await page.getByRole('banner').hover();
  await take(page, 'journey-light');

  await page.keyboard.press('4');
  await page.getByRole('listbox', { name: 'Pods, newest first' }).getByRole('option', { name: /web-/ }).first().click();
  await expect(page.getByRole('region', { name: 'Points of the scores' })).toBeVisible();
  await page.getByRole('banner').hover();
  await take(page, 'scheduler-light');

  await page.locator('#stage').focus();
  await page.keyboard.press('5');
  await expect(page.getByTestId('loops')).toBeVisible();
  await page.getByRole('banner').hover();
  await take(page, 'loops-light');
});

for (const scheme of ['light', 'dark'] as const)
  test(`consensus, ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, '?topology=etcd-5&seed=7');
    const leader = page.locator('[data-role="Leader"][data-state="running"]');
    await expect(leader).toHaveCount(1);
    const first = (await leader.getAttribute('data-member'))!;
    await leader.click();
    await page.getByTestId('member-card').getByRole('button', { name: 'Stop' }).click();
    await expect(page.locator(`[data-role="Leader"][data-state="running"]:not([data-member="${first}"])`)).toHaveCount(1);
    await pause(page);
    await page.getByRole('banner').hover();
    await take(page, `consensus-${scheme}`);
  });

test('a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'light' });
  await open(page, '?seed=7');
  await pause(page);
  await take(page, 'phone');
});
