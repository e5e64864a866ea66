import type { Locator, Page } from '@playwright/test';
import { dockTab, expect, open, paste, pods, running, setSpeed, test } from './page.ts';

const editor = (page: Page): Locator => page.getByRole('textbox', { name: /manifest|editor/i }).first();
const said = (page: Page): Locator => page.getByRole('region', { name: 'What the API server said' });

async function openEditor(page: Page): Promise<void> {
  await dockTab(page, 'YAML').click();
  await expect(page.getByTestId('yaml-editor').locator('.view-lines')).toBeVisible();
  await editor(page).focus();
}
/** Puts a text in as one paste would, replacing what was there. */
async function put(page: Page, text: string): Promise<void> {
  await editor(page).focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await paste(page, text);
  // What is drawn is what is in view: its beginning.
  await page.keyboard.press('Control+Home');
}
const apply = (page: Page): Promise<void> => page.keyboard.press('Control+Enter');

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: nginx
          image: nginx
`;

test('3 write: typing with completion and diagnostics, then Ctrl+Enter', async ({ page }) => {
  await open(page, '?seed=7');
  await openEditor(page);
  await page.keyboard.type('apiVersion: apps/v1\nkind: Deployment\nspec:\nreplicas: 3\nstrat', { delay: 25 });
  // The editor keeps the indentation, so this stands under spec. What is offered is chosen with an arrow.
  const offered = page.locator('.suggest-widget').getByRole('option', { name: /^strategy/ });
  await expect(offered.first()).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('yaml-editor').locator('.view-lines')).toContainText('strategy:');

  await put(page, DEPLOYMENT.replace('replicas: 3', 'replicas: three'));
  await expect(page.getByTestId('yaml-editor').locator('.squiggly-error, .squiggly-warning').first()).toBeVisible();

  await put(page, DEPLOYMENT);
  await expect(page.getByTestId('yaml-editor').locator('.squiggly-error, .squiggly-warning')).toHaveCount(0);
  await apply(page);
  await expect(said(page)).toContainText('Deployment/web created.');
  await setSpeed(page, 1);
  await running(page, 'web-', 3);
  await editor(page).focus();
  await apply(page);
  await expect(said(page)).toContainText('Deployment/web unchanged.');
});

test('3 write: what is wrong is said in the API server’s words at its line, and nothing is half applied', async ({ page }) => {
  await open(page, '?seed=7');
  await openEditor(page);
  await put(page, DEPLOYMENT);
  await apply(page);
  await expect(said(page)).toContainText('created.');
  await setSpeed(page, 1);

  const cases: readonly { readonly what: string; readonly text: string; readonly says: string; readonly line: number }[] = [
    { what: 'invalid YAML', text: DEPLOYMENT.replace('  replicas: 3', '   replicas: 3\n  a: b: c'), says: 'nothing was sent', line: 7 },
    {
      what: 'unknown kind',
      text: 'apiVersion: apps/v1\nkind: Deplyment\nmetadata:\n  name: x\n',
      says: 'no matches for kind "Deplyment" in version "apps/v1"',
      line: 2,
    },
    {
      what: 'unknown field',
      text: DEPLOYMENT.replaceAll('web', 'other').replace('replicas: 3', 'replicaz: 3'),
      says: 'unknown field "spec.replicaz"',
      line: 6,
    },
    {
      what: 'invalid name',
      text: DEPLOYMENT.replace('name: web', 'name: Web_1'),
      says: 'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters',
      line: 4,
    },
    { what: 'immutable selector', text: DEPLOYMENT.replaceAll('app: web', 'app: other'), says: 'field is immutable', line: 7 },
    {
      what: 'missing namespace',
      text: DEPLOYMENT.replace('  name: web', '  name: web\n  namespace: nowhere'),
      says: 'namespaces "nowhere" not found',
      line: 5,
    },
    { what: 'binary rubbish', text: '\u0000\u0001\u0002PNG\u001a\ufffd\ufffd{[<\u0003', says: 'nothing was sent', line: 1 },
  ];
  for (const { what, text, says, line } of cases) {
    await test.step(what, async () => {
      await put(page, text);
      await apply(page);
      await expect(said(page), what).toContainText(says);
      await expect(
        said(page)
          .getByRole('button', { name: /^Go to line/ })
          .first(),
        what,
      ).toHaveAccessibleName(`Go to line ${line}`);
      await said(page).getByRole('button', { name: 'Dismiss' }).click();
    });
  }
  // One good and one bad: neither is applied.
  await put(page, `${DEPLOYMENT.replaceAll('web', 'good')}---\n${DEPLOYMENT.replace('name: web', 'name: Bad_1')}`);
  await apply(page);
  await expect(said(page)).toContainText('1 of 2 documents would be refused; nothing was applied.');
  expect((await pods(page)).filter((pod) => pod.name.startsWith('good'))).toEqual([]);
});

test('3 write: five megabytes and two thousand documents leave the page alive', async ({ page }) => {
  await open(page, '?seed=7');
  await openEditor(page);
  await put(page, `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: huge\ndata:\n  a: ${'x'.repeat(5 * 1024 * 1024)}\n`);
  await apply(page);
  await expect(said(page)).toContainText(/Request entity too large|too large/i, { timeout: 90_000 });
  await said(page).getByRole('button', { name: 'Dismiss' }).click();

  const many = Array.from({ length: 2_000 }, (_, i) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: many-${i}\ndata:\n  n: "${i}"\n`).join('---\n');
  await put(page, many);
  await setSpeed(page, 3);
  await editor(page).focus();
  await apply(page);
  await expect(page.getByRole('progressbar', { name: /documents/ })).toBeVisible();
  await expect(said(page)).toContainText('2,000 created', { timeout: 150_000 });
  await page.getByRole('button', { name: 'Table' }).click();
  await expect(page.getByRole('row', { name: /node-1/ }).first()).toBeVisible();
});
