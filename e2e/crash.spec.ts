/** What the page does when the world itself fails, and when it is asked for what cannot be. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, find, inspector, now, open, openTerminal, running, setSpeed, speed, test, type, up } from './page.ts';

/** Types a fault into the command palette, whole, and injects it. No mouse. */
async function inject(page: Page, fault: string): Promise<void> {
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Command palette' });
  await expect(palette.getByRole('combobox')).toBeFocused();
  await page.keyboard.type(`#fault ${fault}`);
  await expect(palette.getByRole('option', { name: `Inject ${fault}` })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(palette).toBeHidden();
}
async function reach(page: Page, name: string): Promise<void> {
  // F6 goes from region to region, out of the terminal too, which keeps Tab for itself.
  const alert = page.getByRole('alert');
  for (let regions = 0; regions < 8; regions++) {
    if (await alert.evaluate((element) => element.contains(document.activeElement))) break;
    await page.keyboard.press('F6');
  }
  const button = page.getByRole('alert').getByRole('button', { name, exact: true });
  for (const key of ['Tab', 'Shift+Tab', 'Shift+Tab']) {
    if (await button.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press(key);
  }
  await expect(button).toBeFocused();
}
async function clean(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect
    .soft(
      violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`),
      state,
    )
    .toEqual([]);
}

for (const scheme of ['light', 'dark'] as const) {
  test(`a world that fails while it runs says so, keeps its session and can be begun again, ${scheme}`, async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, '?seed=7');
    await openTerminal(page);
    await type(page, 'kubectl apply -f examples/deployment.yaml');
    await setSpeed(page, 1);
    const [pod] = await running(page, 'web-', 3);
    await setSpeed(page, 0);
    await page.getByRole('application', { name: /Map/ }).focus();
    await inject(page, '{"kind":"crash-simulator"}');

    const alert = page.getByRole('alert');
    await expect(alert.getByRole('heading')).toHaveText(/^Stopped at event [\d,]+\.$/);
    await expect(alert).toContainText('the simulator was told to crash, by the fault crash-simulator');
    const stopped = await now(page);
    await clean(page, 'crash');

    // What was there can still be looked at.
    await find(page, pod!.name);
    await expect(inspector(page)).toContainText('nginx:1.27');
    await inspector(page).getByRole('tab', { name: 'YAML', exact: true }).click();
    await expect(inspector(page).getByRole('tabpanel')).not.toContainText(/Opening…|Reading…/);
    await clean(page, 'crash, and a pod inspected');
    expect(await now(page)).toBe(stopped);

    await reach(page, 'Copy report');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('log', { name: 'Notices' })).toContainText('The report is on the clipboard.');
    const report = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    expect(report.message).toContain('crash-simulator');
    expect(report.session).toMatchObject({ seed: 7, topology: 'three-nodes' });
    expect(report.stack).not.toBe('');
    expect(report.events).toBeGreaterThan(1_000);
    // Everything that was done is in it, the last thing last.
    const { inputs } = report.session as { readonly inputs: readonly { readonly type: string; readonly fault?: unknown }[] };
    expect(inputs.length).toBeGreaterThan(3);
    expect(inputs.at(-1)).toMatchObject({ type: 'fault', fault: { kind: 'crash-simulator' } });
    expect((await page.evaluate(() => window.__lab.session())).inputs).toEqual(inputs);

    await reach(page, 'Restart');
    await page.keyboard.press('Enter');
    await expect(alert).toBeHidden();
    await expect(speed(page)).toHaveAttribute('aria-valuetext', '30×');
    await up(page);
    expect(await now(page)).toBeLessThan(stopped);
    await openTerminal(page);
    expect(await type(page, 'kubectl get deployments')).toBe('No resources found in default namespace.');
  });
}

test('a fault that is none, or names nothing, is refused in words, and the world goes on', async ({ page }) => {
  await open(page, '?seed=7');
  const notices = page.getByRole('log', { name: 'Notices' });
  const cases: readonly (readonly [fault: string, says: string])[] = [
    ['{"kind":"node-power","node":"node-9","on":false}', 'there is no machine "node-9"; there are etcd-1, etcd-2, etcd-3, control-plane, node-1'],
    ['{"kind":"kill","process":"nginx@node-1"}', 'node-1 has neither a service nor a running container called nginx'],
    ['{"kind":"earthquake"}', 'there is no fault "earthquake"; there are node-power,'],
    ['{"kind":"kill"}', 'the fault kill needs "process", a text'],
    ['{"kind":', 'A fault is written as JSON.'],
  ];
  for (const [fault, says] of cases) {
    await test.step(fault, async () => {
      await page.keyboard.press('Control+k');
      await page.keyboard.type(`#fault ${fault}`);
      const palette = page.getByRole('dialog', { name: 'Command palette' });
      // Beginnings of faults there are come first; what is written is the last.
      const options = palette.getByRole('option');
      for (let steps = (await options.count()) - 1; steps > 0; steps--) await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await expect(notices).toContainText(says);
      const before = await now(page);
      await expect.poll(() => now(page)).toBeGreaterThan(before);
    });
  }
  await expect(page.getByRole('alert')).toHaveCount(0);
  await clean(page, 'refusals');
  // Put away by keyboard, the newest last.
  for (const button of await notices.getByRole('button', { name: 'Dismiss' }).all()) await expect(button).toBeVisible();
  await notices.getByRole('button', { name: 'Dismiss' }).first().focus();
  await page.keyboard.press('Enter');
  await expect(notices.getByRole('button', { name: 'Dismiss' })).toHaveCount(3);
});

test('the palette offers the faults there are, and finishes one that is begun', async ({ page }) => {
  await open(page, '?seed=7');
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Command palette' });
  await page.keyboard.type('fault');
  await page.keyboard.press('Enter');
  await expect(palette.getByRole('combobox')).toHaveValue('#fault ');
  await clean(page, 'faults offered');
  await palette.getByRole('option', { name: 'kubelet@node-1' }).first().click();
  await expect(palette.getByRole('combobox')).toHaveValue('#fault {"kind":"kill","process":"kubelet@node-1","hold":true}');
  await palette.getByRole('combobox').focus();
  await page.keyboard.press('Enter');
  await expect(palette).toBeHidden();
  await find(page, 'node-1');
  await expect(inspector(page)).toContainText('stopped');
});
