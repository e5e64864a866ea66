import type { Page } from '@playwright/test';
import { EPOCH_SECONDS } from '../src/kubernetes/api/time.ts';
import { chooseByKeys, expect, find, inspector, now, open, openTerminal, pods, pointOf, running, setSpeed, test, type } from './page.ts';

async function deploy(page: Page): Promise<void> {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml');
  await setSpeed(page, 1);
  await running(page, 'web-', 3);
  await setSpeed(page, 0);
  await page.getByRole('button', { name: 'Fold the dock' }).click();
}

test('5 break: a pod deleted by mouse and another by keyboard come back as others', async ({ page }) => {
  await deploy(page);
  const before = await pods(page, 'web-');
  const [first, second] = before as [(typeof before)[0], (typeof before)[0]];

  const at = await pointOf(page, first.uid);
  await page.mouse.click(at.x, at.y, { button: 'right' });
  const menu = page.getByRole('menu', { name: `Pod ${first.name}` });
  await menu.getByRole('menuitem', { name: 'Delete pod' }).click();
  await expect.poll(async () => (await pods(page, 'web-')).find((pod) => pod.uid === first.uid)?.word ?? 'gone').toMatch(/Terminating|gone/);
  await setSpeed(page, 1);
  await expect.poll(async () => (await pods(page, 'web-')).some((pod) => pod.uid === first.uid)).toBe(false);
  const after = await running(page, 'web-', 3);
  // The place of the old one stays empty for a while: the new pod stands elsewhere.
  const fresh = after.filter((pod) => !before.some((old) => old.uid === pod.uid));
  expect(fresh).toHaveLength(1);
  expect(`${fresh[0]!.node}/${fresh[0]!.slot}`).not.toBe(`${first.node}/${first.slot}`);

  await find(page, second.name);
  await chooseByKeys(page, 'Delete pod');
  await expect.poll(async () => (await pods(page, 'web-')).some((pod) => pod.uid === second.uid)).toBe(false);
  await running(page, 'web-', 3);
  await expect(inspector(page)).toContainText('This object no longer exists');
});

test('5 break: a node without power is NotReady after 40 s and evicted after 300 s, and comes back', async ({ page }) => {
  await deploy(page);
  const node = (await pods(page, 'web-'))[0]!.node;
  await find(page, node);
  const panel = inspector(page);
  await expect(panel).toContainText('Ready');
  await chooseByKeys(page, 'Power off');
  await expect(panel).toContainText('Powered off');
  await expect(panel).toContainText('The machine is powered off. The API learns of it only when its lease expires.');

  // When it was switched off is in the session, when it was noticed is in the world: neither depends on when somebody looked.
  const off = await page.evaluate(async () => {
    const inputs = (await window.__lab.session()).inputs as readonly { readonly at: number; readonly fault?: { readonly kind: string } }[];
    return inputs.find((input) => input.fault?.kind === 'node-power')!.at / 1_000_000;
  });

  await setSpeed(page, 1);
  await expect(panel).toContainText('node.kubernetes.io/unreachable');
  const query = `kubectl get node ${node} -o jsonpath='{.status.conditions[?(@.type=="Ready")].lastTransitionTime}'; echo`;
  await openTerminal(page);
  // The command is longer than a line: what it printed is the last.
  const noticed = Date.parse((await type(page, query)).split('\n').at(-1)!) / 1_000 - EPOCH_SECONDS - off;
  // 40 s after the last sign of life, which was up to 10 s before; looked at every 5 s, written down in whole seconds.
  expect(noticed).toBeGreaterThan(29);
  expect(noticed).toBeLessThan(46);
  expect(await type(page, `kubectl get node ${node} --no-headers`)).toContain('NotReady');
  expect(await type(page, `kubectl describe node ${node} | grep unreachable`)).toContain('node.kubernetes.io/unreachable:NoExecute');
  const stuck = (await pods(page, 'web-')).filter((pod) => pod.node === node);
  expect(stuck.length).toBeGreaterThan(0);

  await setSpeed(page, 2);
  await expect
    .poll(async () => (await pods(page, 'web-')).filter((pod) => stuck.some((old) => old.uid === pod.uid)).map((pod) => pod.word))
    .toEqual(stuck.map(() => 'Terminating'));
  expect((await now(page)) - off).toBeGreaterThan(300);
  await expect.poll(async () => (await pods(page, 'web-')).filter((pod) => pod.node !== node && pod.word === 'Running' && pod.status === 0).length).toBe(3);

  await chooseByKeys(page, 'Power on');
  await setSpeed(page, 1);
  await expect(panel.getByText('Node · Ready')).toBeVisible();
  await expect(panel).not.toContainText('unreachable');
  await expect.poll(async () => (await pods(page, 'web-')).filter((pod) => stuck.some((old) => old.uid === pod.uid))).toEqual([]);
});

test('5 break: cordon, and a kubelet killed', async ({ page }) => {
  await open(page, '?seed=7');
  await find(page, 'node-1');
  const panel = inspector(page);
  await chooseByKeys(page, 'Cordon');
  await expect(panel).toContainText('Ready,SchedulingDisabled');
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml');
  await setSpeed(page, 1);
  const made = await running(page, 'web-', 3);
  expect(made.map((pod) => pod.node)).not.toContain('node-1');
  await chooseByKeys(page, 'Uncordon');
  await expect(panel).not.toContainText('SchedulingDisabled');

  await find(page, 'node-2');
  await chooseByKeys(page, 'Kill kubelet');
  await expect(panel).toContainText('stopped');
  await expect(panel.getByText('Node · NotReady')).toBeVisible();
  // Its containers run on: nobody told them to stop.
  await chooseByKeys(page, 'Start kubelet');
  await expect(panel.getByText('Node · Ready')).toBeVisible();
});
