import type { Page } from '@playwright/test';
import { expect, open, openTerminal, setSpeed, test, type } from './page.ts';

const lesson = (page: Page) => page.getByTestId('lesson');

async function begin(page: Page): Promise<void> {
  await open(page, '?seed=7');
  await page.getByRole('button', { name: 'Lessons' }).click();
  await lesson(page)
    .getByRole('button', { name: /Delete a pod\. Watch it come back\./ })
    .click();
  await lesson(page).getByRole('button', { name: 'Begin' }).click({ timeout: 30_000 });
  await setSpeed(page, 1);
  await openTerminal(page);
}

test('8 learn: “Delete a pod. Watch it come back.” is played to its end', async ({ page }) => {
  await begin(page);
  const panel = lesson(page);
  await expect(panel.getByRole('heading', { level: 3, name: 'Break something' })).toBeVisible();
  // Nothing is done yet, and the lesson knows.
  await expect(panel.getByRole('button', { name: 'Next step' })).toBeHidden();
  await panel.getByRole('radio', { name: /It is gone for good/ }).check();
  await panel.getByRole('button', { name: /hint/i }).click();
  await expect(panel).toContainText('The terminal can list what runs');

  await page.getByRole('textbox', { name: /^Terminal on laptop/ }).focus();
  await type(page, 'kubectl delete $(kubectl get pods -l app=web -o name | head -n 1)');
  await expect(panel.getByRole('button', { name: 'Next step' })).toBeVisible();
  await expect(panel).toContainText('You said so');
  await panel.getByRole('button', { name: 'Next step' }).click();

  await expect(panel.getByRole('heading', { level: 3, name: 'Break everything' })).toBeVisible();
  await page.getByRole('textbox', { name: /^Terminal on laptop/ }).focus();
  await type(page, 'kubectl delete pods -l app=web');
  await expect(panel.getByRole('button', { name: 'Next step' })).toBeVisible();
  await panel.getByRole('button', { name: 'Next step' }).click();

  await expect(panel.getByRole('heading', { level: 3, name: 'Take the promise away' })).toBeVisible();
  await panel.getByRole('radio', { name: /They keep running/ }).check();
  await page.getByRole('textbox', { name: /^Terminal on laptop/ }).focus();
  await type(page, 'kubectl delete deployment web');
  await panel.getByRole('button', { name: 'Finish' }).click();
  await expect(panel).toContainText('Lesson done');
  await expect(panel).toContainText('1 of 2 predictions came true.');
});

test('8 learn: a wrong turn is answered', async ({ page }) => {
  await begin(page);
  await type(page, 'kubectl delete deployment web');
  await expect(lesson(page).getByRole('alert')).toContainText('That removed the Deployment itself');
  await expect(lesson(page).getByRole('button', { name: 'Next step' })).toBeHidden();
});
