/** The Scheduler view, as somebody uses it who asks why a pod is here, or nowhere. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, find, open, openTerminal, screen, test, type } from './page.ts';

const view = (page: Page) => page.getByTestId('scheduler');
const list = (page: Page) => page.getByRole('listbox', { name: 'Pods, newest first' });
const attempts = (page: Page) => page.getByRole('list', { name: 'Attempts' }).getByRole('button');
const choose = (page: Page, name: RegExp) => list(page).getByRole('option', { name }).first().click();

/** A Deployment whose pod fits nowhere: no node has its label, and none has so much CPU. */
async function pending(page: Page): Promise<void> {
  await openTerminal(page);
  await type(page, 'kubectl create deployment lost --image=nginx --replicas=0');
  await type(page, `kubectl patch deployment lost -p '{"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd"}}}}}'`);
  await type(page, 'kubectl scale deployment lost --replicas=1');
  await page.getByRole('button', { name: 'Scheduler', exact: true }).click();
  await choose(page, /lost-/);
}

test('C1, C3: every attempt of a pending pod can be read, and its sum is the event’s text', async ({ page }) => {
  await open(page, '?seed=7');
  await pending(page);
  await expect(attempts(page)).toHaveCount(1);
  const message = page.getByTestId('scheduling-message');
  await expect(message).toContainText('0/4 nodes are available: ');
  // Word for word what the event says, and the sum of the groups.
  const said = (await message.textContent())!;
  const [sum] = said.replace('0/4 nodes are available: ', '').split('. preemption:');
  const groups = await page.getByTestId('scheduling-reasons').getByRole('listitem').allTextContents();
  expect([...groups].sort().join(', ')).toBe(sum!.replace(/\.$/, '').split(', ').sort().join(', '));
  await openTerminal(page);
  // The terminal breaks the line where its edge is.
  const event = await type(page, 'kubectl get events --field-selector reason=FailedScheduling -o custom-columns=M:.message --no-headers');
  expect(event.replaceAll(/\s/g, '')).toBe(said.replaceAll(/\s/g, ''));
  // The one node with a taint was stopped there, the others at their labels.
  const rows = page.getByRole('region', { name: 'Verdicts of the filters' }).getByRole('row');
  await expect(rows.filter({ hasText: 'control-plane' })).toContainText('untolerated taint');
  await expect(rows.filter({ hasText: 'node-2' })).toContainText("didn't match Pod's node affinity/selector");

  // Labels that do not help enough bring it back to the queue; the first attempt stays readable.
  await type(page, 'kubectl cordon node-1 && kubectl label node node-1 disk=ssd');
  await expect(attempts(page)).toHaveCount(2);
  await expect(attempts(page).nth(1)).toContainText('labels changed');
  await expect(page.getByTestId('scheduling-message')).toContainText('1 node(s) were unschedulable');
  await attempts(page).first().click();
  await expect(page.getByTestId('scheduling-message')).toHaveText(said);

  // Filter by filter: what comes later is not there yet.
  const step = page.getByRole('button', { name: 'Step by step' });
  await step.click();
  await expect(page.getByText(/^1 of \d+: NodeUnschedulable$/)).toBeVisible();
  await expect(rows.filter({ hasText: 'node-2' })).not.toContainText("didn't match");
});

test('C4: what is offered helps: run from the view, the pod is bound', async ({ page }) => {
  await open(page, '?seed=7');
  await pending(page);
  const fixes = page.getByRole('region', { name: 'What would help' });
  await expect(fixes.getByText('label node-1 with disk=ssd')).toBeVisible();
  await fixes.getByRole('button', { name: 'Do it: label node-1 with disk=ssd' }).focus();
  await page.keyboard.press('Enter');
  await expect(screen(page)).toContainText('node/node-1 labeled');
  await expect(view(page).getByText('bound to node-1')).toBeVisible();
  await expect(fixes).toHaveCount(0);
});

test('why here: every node’s points, and what other weights would have chosen', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl create deployment web --image=nginx --replicas=3');
  // From the pod itself, by keyboard.
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  const name = (await page.evaluate(() => window.__lab.visible().map((id) => window.__lab.getPod(id)?.name))).find((each) => each?.startsWith('web-'))!;
  await find(page, name);
  await page.keyboard.press('4');
  await choose(page, new RegExp(name));
  await expect(view(page).getByText(/bound to node-\d/)).toBeVisible();
  const table = page.getByRole('region', { name: 'Points of the scores' });
  await expect(table.getByRole('row')).toHaveCount(4);
  const weight = table.getByRole('spinbutton', { name: 'Weight of PodTopologySpread' });
  const before = await table.getByRole('row').nth(1).textContent();
  await weight.fill('50');
  await expect(page.getByText(/With these weights node-\d would have won/)).toBeVisible();
  await page.getByRole('button', { name: 'As it was' }).click();
  await expect(table.getByRole('row').nth(1)).toHaveText(before!);
});

test('C5: where only one node is left the tables stand all the same', async ({ page }) => {
  await open(page, '?topology=single&seed=3');
  await openTerminal(page);
  await type(page, 'kubectl run only --image=nginx');
  await page.getByRole('button', { name: 'Scheduler', exact: true }).click();
  await choose(page, /only/);
  await expect(page.getByRole('region', { name: 'Verdicts of the filters' }).getByRole('row').first()).toBeVisible();
  await expect(view(page).getByText(/Not scored: only .* was left|has the highest total|chance chose/)).toBeVisible();
});

for (const scheme of ['light', 'dark'] as const)
  test(`axe finds nothing, ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, '?seed=7');
    await page.keyboard.press('4');
    await expect(page.getByRole('heading', { name: 'No pod chosen' })).toBeVisible();
    await openTerminal(page);
    await type(page, 'kubectl run web --image=nginx');
    await choose(page, /web/);
    await expect(page.getByRole('region', { name: 'Points of the scores' })).toBeVisible();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  });
