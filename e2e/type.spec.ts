import { expect, open, openTerminal, pods, running, screen, setSpeed, test, type } from './page.ts';

test('7 type: a shell with kubectl, pipes, files, variables, history and completion', async ({ page }) => {
  await open(page, '?seed=7');
  await setSpeed(page, 1);
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml -f examples/service.yaml');
  const [first] = await running(page, 'web-', 3);

  // Tab completes verbs, kinds and names.
  await page.keyboard.press('Control+l');
  await page.keyboard.type('kubectl rollo');
  await page.keyboard.press('Tab');
  await expect(screen(page)).toContainText('kubectl rollout');
  await page.keyboard.press('Control+u');
  await page.keyboard.type(`kubectl get pods ${first!.name.slice(0, -1)}`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(screen(page)).toContainText(/READY\s+STATUS/);
  await expect(screen(page)).toContainText(new RegExp(`${first!.name}\\s+1/1\\s+Running`));

  expect(await type(page, 'kubectl get pods | grep -c Running')).toBe('3');
  await type(page, 'kubectl get pods -o name > names.txt');
  expect(await type(page, 'wc -l < names.txt')).toMatch(/^\s*3$/);
  await type(page, 'NODE=$(kubectl get pods -o jsonpath={.items[0].spec.nodeName}); echo "on $NODE"');
  expect(await type(page, 'echo "on $NODE"')).toMatch(/^on node-\d$/);
  // History: the last command again.
  await page.keyboard.press('Control+l');
  await page.keyboard.press('ArrowUp');
  await expect(screen(page)).toContainText('echo "on $NODE"');
  await page.keyboard.press('Control+u');

  expect(await type(page, 'kubectl get pods nothing')).toBe('Error from server (NotFound): pods "nothing" not found');
  expect(await type(page, 'kubectl frobnicate')).toContain('unknown command "frobnicate" for "kubectl"');
});

test('7 type: Ctrl+C ends a watch, and a pod reaches the Service by its name', async ({ page }) => {
  await open(page, '?seed=7');
  await setSpeed(page, 1);
  await openTerminal(page);
  await type(page, 'kubectl apply -f examples/deployment.yaml -f examples/service.yaml');
  await type(page, 'kubectl rollout status deployment/web');

  await page.keyboard.press('Control+l');
  await page.keyboard.type('kubectl get pods -w\n');
  await expect(screen(page)).toContainText(/web-\w+-\w+\s+1\/1\s+Running/);
  await page.keyboard.press('Control+c');
  await expect(screen(page)).toContainText('^C');
  expect(await type(page, 'echo still here')).toBe('still here');

  await type(page, 'kubectl run client --image=busybox:1.36 -- sleep 3600');
  await expect.poll(async () => (await pods(page, 'client')).map((pod) => pod.word)).toEqual(['Running']);
  await page.keyboard.press('Control+l');
  await page.keyboard.type('kubectl exec -it client -- sh\n');
  await expect(screen(page)).toContainText('/ #');
  await page.keyboard.type('wget -qO- http://web | head -n 4\n');
  await expect(screen(page)).toContainText('Welcome to nginx!');
  await page.keyboard.type('exit\n');
  // Back on the laptop: what is pressed before goes to the shell that is ending.
  await expect(screen(page)).toContainText(/you@laptop:~\$\s*$/);
  expect(await type(page, 'kubectl exec client -- wget -qO- http://web.default.svc.cluster.local | grep -c "Welcome to nginx"')).toMatch(/^\d+$/);
});
