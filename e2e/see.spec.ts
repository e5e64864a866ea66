import type { Page } from '@playwright/test';
import { expect, open, openTerminal, setSpeed, test, type } from './page.ts';

const colours = (page: Page): Promise<number> =>
  page.getByTestId('map').evaluate((map) => {
    const canvas = map.querySelector('canvas')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set<number>();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
    return seen.size;
  });

test('2 see: four nodes and three etcd members, Ready, drawn at every zoom', async ({ page }) => {
  await open(page, '?seed=7');
  const layout = await page.evaluate(() => Object.keys(window.__lab.layout()));
  expect(layout.filter((id) => id.startsWith('Member/'))).toEqual(['Member/etcd-1', 'Member/etcd-2', 'Member/etcd-3']);

  const map = page.getByRole('application', { name: /Map of the cluster/ });
  await map.focus();
  await page.keyboard.press('ArrowRight');
  const names = new Set<string>();
  for (let i = 0; i < 8; i++) {
    names.add((await page.locator('#map-active').getAttribute('aria-label'))!);
    await page.keyboard.press('ArrowRight');
  }
  expect([...names].filter((name) => name.startsWith('Node')).sort()).toEqual([
    expect.stringMatching(/^Node control-plane, Ready/),
    expect.stringMatching(/^Node node-1, Ready/),
    expect.stringMatching(/^Node node-2, Ready/),
    expect.stringMatching(/^Node node-3, Ready/),
  ]);
  await page.keyboard.press('Escape');

  // Z0 to Z3 by the keys: fleet under 24 px a tile, pool to 120, node to 480, pod beyond.
  const seen = new Set<number>();
  for (let i = 0; i < 5; i++) await page.keyboard.press('-');
  for (const zoom of [0.05, 0.1, 0.25, 0.5, 1, 2, 4]) {
    await expect.poll(() => page.evaluate(() => window.__lab.camera().zoom)).toBeCloseTo(zoom);
    await expect.poll(() => colours(page)).toBeGreaterThan(3);
    seen.add([24, 120, 480].filter((threshold) => zoom * 240 >= threshold).length);
    await page.keyboard.press('=');
  }
  expect([...seen].sort()).toEqual([0, 1, 2, 3]);
  await page.keyboard.press('0');
});

test('2 see: nothing moves but what changed, and the camera never by itself', async ({ page }) => {
  await open(page, '?seed=7');
  const before = await page.evaluate(() => ({ layout: window.__lab.layout(), camera: window.__lab.camera() }));
  await setSpeed(page, 1);
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml');
  await type(page, 'kubectl rollout status deployment/web');
  await type(page, 'kubectl scale deployment web --replicas=12');
  await type(page, 'kubectl rollout status deployment/web');
  await type(page, 'kubectl delete deployment web --wait=false');
  const after = await page.evaluate(() => ({ layout: window.__lab.layout(), camera: window.__lab.camera() }));
  expect(after.camera).toEqual(before.camera);
  for (const [id, box] of Object.entries(before.layout)) expect(after.layout[id], id).toEqual(box);
});

test('2 see: light and dark', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open(page);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await expect.poll(paper).not.toBe(light);
  await expect.poll(() => colours(page)).toBeGreaterThan(3);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Light theme' })).toBeVisible();
});
