/// <reference lib="dom" />
/**
 * What every test here begins with: a page that may reach nobody but its own server and may not complain on the console,
 * and the few things a person does over and over. Pods are drawn on a canvas, so `window.__lab` says where they are;
 * everything else is found by its role and name.
 */
import { test as base, expect, type Locator, type Page } from '@playwright/test';

export interface PodSeen {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly slot: number;
  readonly status: number;
  readonly word: string;
}
type Box = [x: number, y: number, w: number, h: number];
interface Lab {
  readonly ready: boolean;
  seq(): number;
  time(): number;
  factor(): number;
  hash(): Promise<string>;
  session(): Promise<{ readonly seed: number; readonly topology: string; readonly inputs: readonly unknown[] }>;
  layout(): Record<string, Box>;
  camera(): { x: number; y: number; zoom: number };
  marks(): { id: string; moving: boolean }[];
  frameStats(): { frames: number; p50: number; p95: number; max: number };
  visible(): string[];
  podAt(x: number, y: number): string | undefined;
  getPod(uid: string): PodSeen | undefined;
}
declare global {
  interface Window {
    readonly __lab: Lab;
  }
}

interface Watched {
  /** Console errors and exceptions. */
  readonly complaints: string[];
  /** Addresses beyond the page's own server that were asked for. */
  readonly strangers: string[];
}

export const test = base.extend<{ watched: Watched }>({
  watched: [
    async ({ page, baseURL }, use) => {
      const watched: Watched = { complaints: [], strangers: [] };
      page.on('pageerror', (error) => watched.complaints.push(`${error.name}: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error') watched.complaints.push(message.text());
      });
      await page.context().route(
        (url) => !url.href.startsWith(baseURL!) && /^(https?|wss?):$/.test(url.protocol),
        (route) => {
          watched.strangers.push(route.request().url());
          return route.abort();
        },
      );
      await use(watched);
      expect(watched.complaints, 'nothing on the console').toEqual([]);
      expect(watched.strangers, 'nobody else was asked').toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };

/** Opens the page and waits until the cluster is up, when time falls back to 1× by itself. */
export async function open(page: Page, query = ''): Promise<void> {
  await page.goto(`/${query}`);
  await up(page);
}
export async function up(page: Page): Promise<void> {
  await expect(speed(page)).toHaveAttribute('aria-valuetext', '1×');
  await expect.poll(() => page.evaluate(() => window.__lab.factor())).toBe(1);
}

export const speed = (page: Page): Locator => page.getByRole('slider', { name: /^Speed/ });
/** Puts the speed at a power of ten: 0 is 1×, 3 is 1000×. */
export async function setSpeed(page: Page, exponent: number): Promise<void> {
  await speed(page).fill(String(exponent));
}
export const now = (page: Page): Promise<number> => page.evaluate(() => window.__lab.time() / 1_000_000);
/** Lets virtual time go on at full speed until something is so, then at 1× again. */
export async function until(page: Page, what: () => Promise<unknown>, exponent = 2): Promise<void> {
  await setSpeed(page, exponent);
  await what();
  await setSpeed(page, 0);
}
/** Stops the world and waits until it stands, so that two readings are of one moment. */
export async function pause(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await expect.poll(() => page.evaluate(() => window.__lab.factor())).toBe(0);
}

/** What the probe takes on the machine that the budgets are for, with nothing else running there. */
const PROBE_MS = 34;
/**
 * How many times slower this machine is, here and now, than the one the budgets are for: a bit of arithmetic, timed where the
 * page itself runs. A budget is held against it, so that a slow or busy machine neither fails it nor excuses more than its slowness.
 */
export const slowness = (page: Page): Promise<number> =>
  page.evaluate((usual) => {
    const times: number[] = [];
    for (let run = 0; run < 9; run++) {
      const from = performance.now();
      let x = 1;
      for (let i = 0; i < 20_000_000; i++) x = (Math.imul(x ^ (x >>> 13), 0x5bd1e995) + i) | 0;
      // Said to nobody, but it must be known.
      if (x === 0.5) return Number.NaN;
      times.push(performance.now() - from);
    }
    return Math.max(1, times.sort((a, b) => a - b)[4]! / usual);
  }, PROBE_MS);
/** The best of three: one bad moment of a busy machine says nothing about the page. `measure` gives how much of its budget it used, 1 being all. */
export async function bestOfThree(measure: () => Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3 && best > 1; run++) best = Math.min(best, await measure());
  return best;
}

/**
 * Virtual seconds per real second, measured from one report of the clock to another once the world has said that it goes at
 * the speed that was chosen, so that nothing of the speed before is in it.
 */
export async function pace(page: Page, exponent: number): Promise<number> {
  await setSpeed(page, exponent);
  return page.evaluate(async (wanted) => {
    const frame = () => new Promise(requestAnimationFrame);
    /** The next report: when it was seen, and the world's time in it. */
    const report = async (): Promise<{ wall: number; world: number }> => {
      const before = window.__lab.time();
      while (window.__lab.time() === before) await frame();
      return { wall: performance.now(), world: window.__lab.time() };
    };
    while (Math.abs(window.__lab.factor() / wanted - 1) > 0.05) await frame();
    await report();
    const from = await report();
    let to = await report();
    while (to.wall - from.wall < 1_000) to = await report();
    return (to.world - from.world) / 1_000 / (to.wall - from.wall);
  }, 10 ** exponent);
}

export const pods = (page: Page, prefix = ''): Promise<PodSeen[]> =>
  page.evaluate(
    (start) =>
      window.__lab
        .visible()
        .map((id) => window.__lab.getPod(id))
        .filter((pod) => pod !== undefined)
        .filter((pod) => pod.namespace === 'default' && pod.name.startsWith(start)),
    prefix,
  );
/** Waits until so many pods of a workload are Running and ready. */
export async function running(page: Page, prefix: string, count: number): Promise<PodSeen[]> {
  await expect.poll(async () => (await pods(page, prefix)).map((pod) => `${pod.word} ${pod.status}`)).toEqual(Array(count).fill('Running 0'));
  return pods(page, prefix);
}

/** The middle of a thing on the map, in pixels of the page. */
export async function pointOf(page: Page, id: string): Promise<{ x: number; y: number }> {
  const map = (await page.getByTestId('map').boundingBox())!;
  const at = await page.evaluate((wanted) => {
    const box = window.__lab.layout()[wanted];
    const camera = window.__lab.camera();
    // The upper part of a tile is its name; a pod is small enough for its middle.
    return box && { x: (box[0] + box[2] / 2) * camera.zoom + camera.x, y: (box[1] + Math.min(box[3] / 2, 12)) * camera.zoom + camera.y };
  }, id);
  if (!at) throw new Error(`${id} is not on the map`);
  return { x: map.x + at.x, y: map.y + at.y };
}
/** Goes to a thing by its name: palette, name, Enter. It is selected and the inspector is open. */
export async function find(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Command palette' }).click();
  const palette = page.getByRole('dialog', { name: 'Command palette' });
  await palette.getByRole('combobox').fill(name);
  await expect(palette.getByRole('option').first()).toContainText(name);
  await page.keyboard.press('Enter');
  await expect(inspector(page).getByRole('heading', { level: 2, name })).toBeVisible();
}
export const inspector = (page: Page): Locator => page.getByRole('complementary', { name: 'Inspector' });
export const dockTab = (page: Page, name: string): Locator => page.getByRole('tablist', { name: 'Dock' }).getByRole('tab', { name });
/** Opens the menu of the selected thing from the keyboard and chooses. */
export async function chooseByKeys(page: Page, action: string): Promise<void> {
  await page.locator('.react-flow').first().focus();
  await page.keyboard.press('Shift+F10');
  const menu = page.getByRole('menu');
  await expect(menu).toBeVisible();
  const item = menu.getByRole('menuitem', { name: action, exact: true });
  for (let steps = await menu.getByRole('menuitem').count(); steps > 0; steps--) {
    if (await item.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press('ArrowDown');
  }
  await expect(item).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(menu).toBeHidden();
}

/** The terminal, opened in the dock and ready for typing. */
export async function openTerminal(page: Page): Promise<void> {
  if ((await dockTab(page, 'Terminal').getAttribute('aria-selected')) !== 'true') await dockTab(page, 'Terminal').click();
  await page.getByRole('textbox', { name: /^Terminal on laptop/ }).focus();
  await expect(screen(page)).toContainText('$');
}
/** What the terminal shows, as a screen reader is given it. */
export const screen = (page: Page): Locator => page.getByTestId('terminal').locator('.xterm-accessibility-tree');
const lines = async (page: Page): Promise<string[]> =>
  (await screen(page).locator('> div').allInnerTexts()).map((line) => line.replaceAll('\u00a0', ' ').trimEnd());
/** Pastes into what has the focus, as from a clipboard a test has none of. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((pasted) => {
    const data = new DataTransfer();
    data.setData('text/plain', pasted);
    document.activeElement!.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}
/** Milliseconds between two looks at what answers within a frame or two. */
const SOON = [50, 50, 100];
/** Puts a command on a cleared screen, waits for the prompt, and returns what it printed. */
export async function type(page: Page, command: string): Promise<string> {
  await page.keyboard.press('Control+l');
  await expect.poll(async () => (await lines(page)).filter((line) => line !== '').length, { message: 'the screen is cleared', intervals: SOON }).toBe(1);
  await paste(page, command);
  await page.keyboard.press('Enter');
  let printed: string[] = [];
  await expect
    .poll(
      async () => {
        const shown = (await lines(page)).filter((line) => line !== '');
        const first = shown.findIndex((line) => line.includes(`$ ${command.slice(0, 40)}`));
        printed = shown.slice(first + 1, -1);
        return shown.length > 1 && /^\S+@laptop:\S*\$$/.test(shown.at(-1) ?? '');
      },
      { message: `${command} ends`, intervals: SOON },
    )
    .toBe(true);
  return printed.join('\n');
}
