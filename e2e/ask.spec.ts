import { expect, find, inspector, open, openTerminal, running, setSpeed, test, type } from './page.ts';

test('9 ask: everything about a pod, down to the command that is the cause of it', async ({ page }) => {
  await open(page, '?seed=7');
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml -f examples/service.yaml');
  await setSpeed(page, 1);
  const [pod] = await running(page, 'web-', 3);
  await find(page, pod!.name);
  const panel = inspector(page);
  const tab = (name: string) => panel.getByRole('tab', { name, exact: true });
  const body = panel.getByRole('tabpanel');

  await expect(body).toContainText(`Node${pod!.node}`);
  await expect(body).toContainText('app=web');
  await expect(body).toContainText('nginx:1.27');

  await tab('YAML').click();
  await expect(body).toContainText('kind: Pod');
  await expect(body).toContainText(`nodeName: ${pod!.node}`);
  await tab('Events').click();
  await expect(body).toContainText(`Successfully assigned default/${pod!.name} to ${pod!.node}`);
  await tab('Logs').click();
  await expect(body).toContainText('start worker process');
  await tab('Relations').click();
  await expect(body.getByRole('button', { name: new RegExp(pod!.node) })).toBeVisible();
  await expect(body.getByRole('button', { name: /^\S*\s*web/ }).first()).toBeVisible();

  await tab('Why?').click();
  const chain = body.getByRole('listitem');
  await expect(chain.first()).toContainText('kubectl apply -f examples/deployment.yaml');
  await expect(chain.filter({ hasText: 'ReplicaSet' }).first()).toBeVisible();
  await expect(chain.last()).toContainText(pod!.name);

  // From the keyboard: W asks why about what is selected.
  await tab('Summary').click();
  await page.locator('.react-flow').first().focus();
  await page.keyboard.press('w');
  await expect(tab('Why?')).toHaveAttribute('aria-selected', 'true');
});
