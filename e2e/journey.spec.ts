/// <reference lib="dom" />
/** The Journey view: the way of a request from the client to etcd and on to everybody who watches (checks C1 to C5 of its design). */
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { expect, find, inspector, open, openTerminal, paste, pause, running, screen, setSpeed, test, type, until } from './page.ts';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const journey = (page: Page): Locator => page.getByRole('region', { name: 'Journey', exact: true });
const requests = (page: Page): Locator => page.getByRole('listbox', { name: 'Requests, newest first' });
const station = (page: Page, name: string): Locator => page.getByRole('tab', { name: new RegExp(`^${name}`) });
const panel = (page: Page): Locator => journey(page).getByRole('tabpanel');
const choose = (page: Page, what: string): Promise<void> => requests(page).getByRole('option').filter({ hasText: what }).first().click();

/** Waits until so many virtual seconds have passed. */
async function later(page: Page, seconds: number): Promise<void> {
  const from = await page.evaluate(() => window.__lab.time());
  await expect.poll(() => page.evaluate(() => window.__lab.time())).toBeGreaterThan(from + seconds * 1_000_000);
}

/** Key `3`, from wherever the page's keys are heard. */
async function openView(page: Page): Promise<void> {
  await page.locator('#stage').focus();
  await page.keyboard.press('3');
  await expect(page.getByTestId('journey')).toBeVisible();
}
async function clean(page: Page, state: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    // Colours on their way from one scheme to the other are neither.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    expect
      .soft(
        violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`),
        `${state}, ${colorScheme}`,
      )
      .toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
}

test('a Deployment of three: its stations, who acted, and the way back to the command', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/service.yaml -f examples/deployment.yaml');
  await setSpeed(page, 1);
  const [pod] = await running(page, 'web-', 3);
  await until(page, () => later(page, 5));
  await pause(page);
  await page.getByRole('button', { name: 'Fold the dock' }).click();
  await openView(page);
  await expect(journey(page)).toContainText('No request chosen');
  await clean(page, 'nothing chosen');

  // By keys alone: into the list, to the Deployment, along the rail.
  await requests(page).focus();
  await page.keyboard.press('ArrowDown');
  const wanted = requests(page).getByRole('option', { selected: true }).filter({ hasText: 'create deployments' });
  for (let steps = 0; steps < 12 && !(await wanted.isVisible()); steps++) await page.keyboard.press('ArrowDown');
  await expect(journey(page).getByRole('heading', { name: 'create deployments' })).toBeVisible();
  await expect(page).toHaveURL(/#view=journey&req=\d+/);
  expect(
    await journey(page)
      .getByRole('tab', { name: /passed$/ })
      .count(),
  ).toBeGreaterThanOrEqual(12);
  await clean(page, 'a journey');

  await station(page, 'Watchers').focus();
  await page.keyboard.press('Home');
  await expect(station(page, 'Client')).toHaveAttribute('aria-selected', 'true');
  await expect(panel(page)).toContainText('POST /apis/apps/v1/namespaces/default/deployments');
  for (let steps = 0; steps < 6; steps++) await page.keyboard.press('ArrowRight');
  await expect(station(page, 'Decode, Default')).toBeFocused();
  await expect(panel(page).locator('ins').filter({ hasText: 'revisionHistoryLimit: 10' })).toBeVisible();
  // Stamps yet to come are not on the ticket yet; their places are kept.
  await expect(journey(page).getByRole('button', { name: /Raft term/ })).toBeHidden();
  await page.keyboard.press('End');
  await expect(journey(page).getByRole('button', { name: /Raft term/ })).toBeVisible();

  // Everybody who acted, in one tree.
  const tree = journey(page).getByRole('tree');
  const twin = page.getByRole('button', { name: 'Table', exact: true });
  await twin.click();
  const told = journey(page).getByRole('table', { name: 'What followed' });
  for (const [who, did, count] of [
    ['deployment-controller', 'reconciled', 1],
    ['replicaset-controller', 'reconciled', 1],
    ['kube-scheduler', 'bound the pod', 3],
    ['kubelet@', 'start container', 3],
    [/endpoint-?slice-controller/, 'reconciled', 1],
    [/kube-proxy@(control-plane|node-1|node-2|node-3)/, 'rewrote its rules', 4],
  ] as const) {
    expect(
      await told
        .getByRole('row')
        .filter({ has: page.getByRole('rowheader').filter({ hasText: who }), hasText: did })
        .count(),
      String(who),
    ).toBeGreaterThanOrEqual(count);
  }
  await clean(page, 'tables');
  await page.locator('#stage').focus();
  await page.keyboard.press('Shift+T');
  await expect(tree).toBeVisible();

  // A child's journey, and back by its cause.
  await tree.getByRole('treeitem', { name: /create replicasets/ }).focus();
  await page.keyboard.press('Enter');
  await expect(journey(page).getByRole('heading', { name: 'create replicasets' })).toBeVisible();
  await expect(journey(page).getByRole('region', { name: 'Caused by' })).toContainText('kubectl apply -f examples/service.yaml -f examples/deployment.yaml');
  await journey(page).getByRole('button', { name: 'kubernetes-admin asked to create Deployment default/web.' }).click();
  await expect(journey(page).getByRole('heading', { name: 'create deployments' })).toBeVisible();

  // A stamp opens the binding that allowed it.
  await station(page, 'AuthZ').click();
  await panel(page).getByRole('button', { name: 'ClusterRoleBinding kubeadm:cluster-admins' }).click();
  await expect(inspector(page).getByRole('tabpanel')).toContainText('name: cluster-admin');
  await clean(page, 'a policy object');
  await inspector(page).getByRole('button', { name: 'Close the inspector' }).click();

  // From any pod: Why?, and from there the journey behind a step, back to the command.
  await find(page, pod!.name);
  await inspector(page).getByRole('tab', { name: 'Why?' }).click();
  const chain = inspector(page).getByRole('listitem');
  await expect(chain.first()).toContainText('kubectl apply');
  await chain
    .filter({ hasText: 'bound Pod' })
    .getByRole('button', { name: /journey/ })
    .click();
  await expect(journey(page).getByRole('heading', { name: 'create pods' })).toBeVisible();
  await expect(journey(page)).toContainText('Somebody typed kubectl apply');

  // The address says it all; a reload of another world has forgotten the request, and says so.
  expect(page.url()).toMatch(/view=journey/);
});

test('refused: the rail ends where it stopped, with code, reason and what was missing', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  const forbidden = await type(page, 'kubectl create configmap c --as=bob');
  expect(forbidden).toContain('cannot create resource "configmaps"');
  await type(page, 'kubectl create quota few --hard=configmaps=1');
  await setSpeed(page, 1);
  await later(page, 0.3);
  await openTerminal(page);
  const exceeded = await type(page, 'kubectl create configmap c');
  expect(exceeded).toContain('exceeded quota: few');
  await page.getByRole('button', { name: 'Fold the dock' }).click();
  await openView(page);

  await page.getByRole('combobox', { name: 'Outcome' }).selectOption('Refused');
  await page.getByRole('searchbox', { name: 'Words in a request' }).fill('configmaps bob');
  await choose(page, 'create configmaps');
  await expect(station(page, 'AuthZ')).toHaveAttribute('aria-selected', 'true');
  await expect(station(page, 'AuthZ')).toHaveAccessibleName(/refused here$/);
  await expect(station(page, 'Decode')).toHaveAccessibleName(/not reached$/);
  await expect(panel(page)).toContainText('403 Forbidden');
  await expect(panel(page)).toContainText('Missing verbcreate');
  expect(forbidden.replaceAll('\n', '')).toContain(((await panel(page).locator('dd').nth(1).textContent()) ?? '').slice(0, 60));
  await clean(page, 'refused at AuthZ');

  await page.getByRole('searchbox', { name: 'Words in a request' }).fill('configmaps kubernetes-admin');
  await choose(page, 'create configmaps');
  await expect(station(page, 'Validating')).toHaveAccessibleName(/refused here$/);
  await expect(station(page, 'etcd txn')).toHaveAccessibleName(/not reached$/);
  await expect(panel(page)).toContainText('Quotafew');
  await panel(page).getByRole('button', { name: 'ResourceQuota default/few' }).click();
  await expect(inspector(page).getByRole('heading', { name: 'few' })).toBeVisible();
  await expect(inspector(page).getByRole('tabpanel')).toContainText('kind: ResourceQuota');

  // No request matches: everything can be cleared at once.
  await page.getByRole('searchbox', { name: 'Words in a request' }).fill('nothing like this');
  await expect(page.getByText('No request matches.')).toBeVisible();
  await page.getByRole('button', { name: 'Show everybody’s' }).click();
  await expect(requests(page)).toBeVisible();
});

test('a refusal on the page leads to the station that refused', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(
    page,
    `kubectl create -f - <<< '{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"keep"},"spec":{"failurePolicy":"Fail","matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["DELETE"],"resources":["pods"]}]},"validations":[{"expression":"false","message":"pods are kept"}]}}'`,
  );
  await type(
    page,
    `kubectl create -f - <<< '{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding","metadata":{"name":"keep"},"spec":{"policyName":"keep","validationActions":["Deny"]}}'`,
  );
  await setSpeed(page, 1);
  await later(page, 0.3);
  await find(page, 'coredns');
  await inspector(page)
    .getByRole('button', { name: /^Actions on/ })
    .click();
  await page.getByRole('menuitem', { name: 'Delete pod' }).click();
  const notice = page.getByRole('log', { name: 'Notices' });
  await expect(notice).toContainText('pods are kept');
  await notice.getByRole('button', { name: 'Show where it stopped' }).click();
  await expect(journey(page).getByRole('heading', { name: 'delete pods' })).toBeVisible();
  await expect(station(page, 'Validating')).toHaveAccessibleName(/refused here$/);
  await expect(panel(page).getByRole('button', { name: 'ValidatingAdmissionPolicy keep' })).toBeVisible();
});

test('the etcd leader dies under a write: the ticket waits at Raft, and ends as the terminal says', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl get nodes');
  // The leader and another lose power: whoever is left takes the write and finds no majority.
  for (const member of ['etcd-2', 'etcd-3']) {
    await page.getByRole('button', { name: 'Command palette' }).click();
    await page.getByRole('dialog').getByRole('combobox').fill(`#fault {"kind":"node-power","node":"${member}","on":false}`);
    await page.keyboard.press('Enter');
  }
  await openTerminal(page);
  await paste(page, 'kubectl create configmap late');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Fold the dock' }).click();
  await openView(page);
  await page.getByRole('searchbox', { name: 'Words in a request' }).fill('create configmaps');
  await choose(page, 'create configmaps');
  await expect(journey(page).getByRole('tab', { selected: true })).toHaveAccessibleName(/^(Raft|etcd txn).*waits here$/);
  const said = journey(page).getByText('under way').first();
  await expect(said).toBeVisible();
  await setSpeed(page, 1);
  await expect(said).toBeHidden();
  const message = (await journey(page).locator('dd').nth(1).textContent()) ?? '';
  await setSpeed(page, 0);
  await openTerminal(page);
  await expect(screen(page)).toContainText(message.slice(0, 30));
});

test('with reduced motion the ticket does not travel, and on a phone the list comes first', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl create configmap hello --from-literal=a=b');
  await page.getByRole('button', { name: 'Fold the dock' }).click();
  await openView(page);
  await choose(page, 'create configmaps');
  await station(page, 'Watchers').focus();
  await page.keyboard.press('Home');
  for (let steps = 0; steps < 10; steps++) {
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate(() => window.__lab.marks().filter((mark) => mark.moving).length)).toBe(0);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out').toBe(true);
  await expect(requests(page)).toBeHidden();
  await clean(page, 'phone, a journey');
  await journey(page).getByRole('button', { name: 'Requests' }).click();
  await expect(requests(page)).toBeVisible();
  await clean(page, 'phone, requests');
});
