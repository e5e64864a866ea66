import { expect, open, speed, test } from './page.ts';

test('1 start: the page boots a cluster by itself, fast, and asks nobody', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1, name: 'Orrery' })).toBeVisible();
  // While the cluster comes up, time goes faster, and says so.
  await expect(page.getByText('booting, 30×')).toBeVisible();
  await expect(speed(page)).toHaveAttribute('aria-valuetext', '30×');
  await expect(speed(page)).toHaveAttribute('aria-valuetext', '1×');
  await expect(page.getByText('booting')).toBeHidden();
  const wall = await page.evaluate(() => performance.getEntriesByName('cluster-up')[0]!.startTime);
  console.log(`      up ${Math.round(wall)} ms after navigation (budget 2000 ms on an idle machine)`);
  expect(wall).toBeLessThan(6_000);
});

test('1 start: a person who touches the speed during the boot has decided it', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByText('booting, 30×')).toBeVisible();
  await speed(page).fill('2');
  await expect(page.getByText('booting')).toBeHidden();
  await page.getByRole('button', { name: 'Table' }).click();
  await expect(page.getByRole('row', { name: /coredns.*Running/ })).toHaveCount(2);
  await expect(speed(page)).toHaveAttribute('aria-valuetext', '100×');
});

test('1 start: the address chooses the cluster and its luck', async ({ page }) => {
  await open(page, '?topology=single&seed=3');
  await page.keyboard.press('Shift+T');
  await expect(page.getByRole('row', { name: /^control-plane|Node.*Ready/ }).filter({ hasText: 'Node' })).toHaveCount(2);
  expect(await page.evaluate(async () => (await window.__lab.session()).seed)).toBe(3);
});

test('a world that cannot be started says so, and offers a way on', async ({ page }) => {
  await page.goto('/?topology=nonsense');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('there is no topology "nonsense"; there are three-nodes, single');
  await expect(alert.getByRole('button', { name: 'Copy report' })).toBeVisible();
  await alert.getByRole('button', { name: 'Open the default cluster' }).click();
  await expect(speed(page)).toHaveAttribute('aria-valuetext', '1×');
});
