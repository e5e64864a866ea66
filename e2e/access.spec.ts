import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { dockTab, expect, find, inspector, open, openTerminal, test, type } from './page.ts';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** In the dark only what depends on colour is looked at again: the rest is the same page. */
async function clean(page: Page, state: string, scheme: 'light' | 'dark' = 'light'): Promise<void> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (scheme === 'light' ? axe.withTags(TAGS) : axe.withRules(['color-contrast', 'link-in-text-block'])).analyze();
  const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
  expect.soft(told, state).toEqual([]);
}

for (const scheme of ['light', 'dark'] as const) {
  test(`axe finds nothing in any state, ${scheme}`, async ({ page }) => {
    test.setTimeout(360_000);
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, '?seed=7');
    await openTerminal(page);
    await type(page, 'kubectl apply -f examples/deployment.yaml');
    await clean(page, 'terminal', scheme);
    await dockTab(page, 'YAML').click();
    await expect(page.getByTestId('yaml-editor').locator('.view-lines')).toBeVisible();
    await clean(page, 'editor', scheme);
    await dockTab(page, 'Events').click();
    await clean(page, 'events', scheme);
    await dockTab(page, 'Trace').click();
    await clean(page, 'trace', scheme);
    await page.getByRole('button', { name: 'Fold the dock' }).click();

    await find(page, 'coredns');
    for (const tab of ['Summary', 'YAML', 'Events', 'Logs', 'Relations', 'Why?']) {
      await inspector(page).getByRole('tab', { name: tab, exact: true }).click();
      await expect(inspector(page).getByRole('tabpanel')).not.toContainText(/Opening…|Reading…|Following/);
      await clean(page, `inspector ${tab}`, scheme);
    }
    await page.locator('.react-flow').first().focus();
    await page.keyboard.press('Shift+F10');
    await expect(page.getByRole('menu')).toBeVisible();
    await clean(page, 'context menu', scheme);
    await page.keyboard.press('Escape');
    await inspector(page).getByRole('button', { name: 'Close the inspector' }).click();
    await page.getByRole('button', { name: 'Legend' }).click();
    await clean(page, 'legend', scheme);
    await page.getByRole('button', { name: 'Legend' }).click();
    await page.getByRole('button', { name: 'Lessons' }).click();
    await expect(page.getByTestId('lesson').getByRole('button', { name: /Delete a pod/ })).toBeVisible();
    await clean(page, 'lessons', scheme);
    await page.getByRole('button', { name: 'Table' }).click();
    await clean(page, 'table', scheme);
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('dialog')).toBeVisible();
    await clean(page, 'palette', scheme);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Keys and help' }).click();
    await clean(page, 'help', scheme);
  });

  test(`axe finds nothing on a phone, ${scheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, '?seed=7');
    await expect(page.getByRole('treegrid')).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out').toBe(true);
    await clean(page, 'table', scheme);
    await page.getByRole('button', { name: 'Actions on node-1' }).click();
    await expect(page.getByRole('menu')).toBeVisible();
    await clean(page, 'menu', scheme);
    await page.keyboard.press('Escape');
    await page
      .getByRole('row', { name: /coredns/ })
      .first()
      .dblclick();
    await expect(inspector(page)).toBeVisible();
    await clean(page, 'inspector', scheme);
    await inspector(page).getByRole('button', { name: 'Close the inspector' }).click();
    await page.getByRole('button', { name: 'Map' }).click();
    await clean(page, 'map', scheme);
    await openTerminal(page);
    await clean(page, 'terminal', scheme);
  });
}

test('a crash is told as an alert that axe accepts', async ({ page }) => {
  await page.goto('/?topology=nonsense');
  await expect(page.getByRole('alert')).toBeVisible();
  await clean(page, 'crash');
});

test('reduced motion: nothing moves, ever', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/?seed=7');
  await page.waitForFunction(() => window.__lab?.ready);
  // Looked at in every frame, through the boot and a rollout.
  await page.evaluate(() => {
    Object.assign(window, { mostMoving: 0, frames: 0 });
    const told = window as unknown as { mostMoving: number; frames: number };
    const look = () => {
      told.frames++;
      told.mostMoving = Math.max(told.mostMoving, window.__lab.marks().filter((mark) => mark.moving).length);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml');
  await type(page, 'kubectl rollout status deployment/web');
  const told = await page.evaluate(() => {
    const { mostMoving, frames } = window as unknown as { mostMoving: number; frames: number };
    return { mostMoving, frames };
  });
  expect(told.frames).toBeGreaterThan(20);
  expect(told.mostMoving).toBe(0);
});

test('regions, the map and its menu are reached and left by keys alone', async ({ page }) => {
  await open(page, '?seed=7');
  await page.getByRole('application', { name: /Map/ }).focus();
  const before = await page.evaluate(() => window.__lab.camera());
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('#map-active')).toHaveAttribute('aria-label', /^Node/);
  await page.keyboard.press('Enter');
  await expect(page.locator('#map-active')).toHaveAttribute('aria-label', /^Pod/);
  await page.keyboard.press('Escape');
  await expect(page.locator('#map-active')).toHaveAttribute('aria-label', /^Node/);
  expect(await page.evaluate(() => window.__lab.camera()), 'the camera is where it was').toEqual(before);
  await page.keyboard.press('F6');
  await expect(page.getByRole('application', { name: /Map/ })).not.toBeFocused();
  await page.keyboard.press('Shift+F6');
  await expect(page.getByRole('application', { name: /Map/ })).toBeFocused();
});

test('F6 goes round all regions and comes back to where it began, both ways', async ({ page }) => {
  await open(page, '?seed=7');
  await find(page, 'node-1');
  const region = () => page.evaluate(() => document.activeElement?.closest('[data-region]')?.getAttribute('data-region'));
  await page.getByRole('application', { name: /Map/ }).focus();
  const seen: unknown[] = [];
  for (let i = 0; i < 5; i++) {
    seen.push(await region());
    await page.keyboard.press('F6');
  }
  expect(seen).toEqual(['map', 'inspector', 'dock', 'time', 'top']);
  expect(await region()).toBe('map');
  for (const wanted of ['top', 'time', 'dock', 'inspector', 'map']) {
    await page.keyboard.press('Shift+F6');
    expect(await region()).toBe(wanted);
  }
});
