/** A person at the laptop's terminal: keys in, a screen out. */
import { expect, test } from 'vitest';
import { nodeHost } from '../hosts/node.ts';
import type { Deployment, Pod } from '../kubernetes/api/types.gen.ts';
import { screenOf } from '../linux/shell/screen.test-support.ts';
import { seconds } from '../sim/clock.ts';
import { newSession } from './session.ts';
import { World } from './world.ts';

const PROMPT = 'you@laptop:~$';

/** A small cluster that is up, and somebody before its laptop. */
class Desk {
  private output = '';
  readonly world: World;
  constructor() {
    this.world = new World(newSession(1, 'single'), nodeHost, {
      response: () => {},
      ran: () => {},
      terminal: (_, text) => {
        this.output += text;
      },
    });
  }

  static async open(): Promise<Desk> {
    const desk = new Desk();
    while (!desk.world.cluster.ready()) await desk.wait(1);
    await desk.type('');
    return desk;
  }

  wait(duration: number): Promise<void> {
    return this.world.run(this.world.now + seconds(duration));
  }
  /** Types, and gives the world a moment after each. */
  async type(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.world.input({ type: 'keys', terminal: 'main', text });
      await this.wait(0.5);
    }
  }
  get rows(): readonly string[] {
    return screenOf(this.output).rows;
  }
  /** The last row with something on it. */
  get last(): string {
    return this.rows.findLast((row) => row !== '') ?? '';
  }
  async until(holds: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < 120 && !holds(); i++) await this.wait(1);
    if (!holds()) throw new Error(`still not: ${what}\n${this.rows.join('\n')}`);
  }
  web(): Deployment | undefined {
    return (this.world.cluster.mirror.list('deployments') as readonly Deployment[]).find((deployment) => deployment.metadata?.name === 'web');
  }
  async createWeb(): Promise<void> {
    await this.type('kubectl create deployment web --image=nginx\r', 'kubectl rollout status deployment web\r');
    await this.until(() => this.rows.includes('deployment "web" successfully rolled out') && this.last === PROMPT, 'web is up');
  }
}

test('kubectl edit opens nano; what is saved there is what the cluster does', async () => {
  const desk = await Desk.open();
  await desk.createWeb();
  await desk.type('kubectl edit deployment web\r');
  const before = desk.rows;
  expect(before[0]).toMatch(/^ {2}GNU nano 7\.2 +\/tmp\/kubectl-edit-\d+\.yaml$/);
  expect(before[1]).toBe("# Please edit the object below. Lines beginning with a '#' will be ignored,");
  expect(before[21]).toMatch(/\[ Read \d+ lines \]/);
  await desk.type('\x17', 'replicas: 1\r', '\x05', '\x7f', '2', '\x18', 'y');
  expect(desk.rows[21]).toMatch(/^File Name to Write: \/tmp\/kubectl-edit-\d+\.yaml$/);
  await desk.type('\r');
  expect(desk.rows.slice(desk.rows.findLastIndex((row) => row.includes('kubectl edit')))).toEqual(
    expect.arrayContaining([`${PROMPT} kubectl edit deployment web`, 'deployment.apps/web edited', PROMPT]),
  );
  expect(desk.web()?.spec?.replicas).toBe(2);
  await desk.until(() => desk.web()?.status?.readyReplicas === 2, 'two replicas ready');

  await desk.type('kubectl edit deployment web\r', '\x18');
  expect(desk.rows).toContain('Edit cancelled, no changes made.');
  expect(desk.last).toBe(PROMPT);

  // Their own choice of editor wins.
  await desk.type('KUBE_EDITOR="sed -i s/replicas:.2/replicas:\\ 3/" kubectl edit deployment web\r');
  expect(desk.web()?.spec?.replicas).toBe(3);
  expect(desk.world.loop.lateTouches).toBe(0);
});

test('an edit the server refuses comes back with its reasons', async () => {
  const desk = await Desk.open();
  await desk.createWeb();
  await desk.type('kubectl edit deployment web\r', '\x17', 'replicas: 1\r', '\x05', '\x7f', '-1', '\x18', 'y', '\r');
  expect(desk.rows[0]).toContain('GNU nano 7.2');
  expect(desk.rows.join('\n')).toContain(
    '# deployments.apps "web" was not valid:\n# * spec.replicas: Invalid value: -1: must be greater than or equal to 0\n#\napiVersion: apps/v1',
  );
  await desk.type('\x18');
  expect(desk.rows).toContain('error: Edit cancelled, no valid changes were saved.');
  expect(desk.last).toBe(PROMPT);
});

test('Tab completes kinds and the names of pods, Up brings back what was typed', async () => {
  const desk = await Desk.open();
  await desk.createWeb();
  const name = (desk.world.cluster.mirror.list('pods') as readonly Pod[]).find((pod) => pod.metadata?.labels?.['app'] === 'web')!.metadata!.name!;
  await desk.type('kubectl get de\t');
  expect(desk.last).toBe(`${PROMPT} kubectl get deployments.apps`);
  await desk.type('w\t');
  expect(desk.last).toBe(`${PROMPT} kubectl get deployments.apps web`);
  await desk.type('\x15kubectl get pod we\t');
  expect(desk.last).toBe(`${PROMPT} kubectl get pod ${name}`);
  await desk.type('\r');
  expect(desk.rows.findLast((row) => row.startsWith('web-'))).toMatch(new RegExp(`^${name} +1/1 +Running +0 +`));
  await desk.type('echo one\r', '\x1b[A\x1b[A');
  expect(desk.last).toBe(`${PROMPT} kubectl get pod ${name}`);
  await desk.type('\x1b[B', '\r');
  expect(desk.rows.slice(desk.rows.findLastIndex((row) => row.endsWith('echo one'))).filter((row) => row !== '')).toEqual([
    `${PROMPT} echo one`,
    'one',
    PROMPT,
  ]);
});

test('Ctrl-C ends a watch, and the prompt is back', async () => {
  const desk = await Desk.open();
  await desk.createWeb();
  await desk.type('clear\r', 'kubectl get pods -w\r');
  await desk.wait(5);
  expect(desk.last).toMatch(/^web-\S+ +1\/1 +Running/);
  await desk.type('echo typed meanwhile', '\x03', 'echo $?\r');
  const rows = desk.rows.filter((row) => row !== '');
  expect(rows.slice(-4)).toEqual(['^C', `${PROMPT} echo $?`, '130', PROMPT]);
  await desk.type('kubectl scale deployment web --replicas=2\r');
  await desk.until(() => desk.web()?.status?.readyReplicas === 2, 'two replicas');
  // Nobody watches any more.
  expect(desk.last).toBe(PROMPT);
});

test('a line typed while time stands still, into a terminal that is only just opening, is the line that was typed', async () => {
  const desk = new Desk();
  const line = 'echo every letter in its place';
  const given: Promise<void>[] = [];
  // One key per turn of the host, as a browser hands them over; nobody waits for the world to take the last one.
  for (const text of [...line, '\r']) {
    given.push(desk.world.input({ type: 'keys', terminal: 'main', text }));
    await nodeHost.nextTask();
  }
  await Promise.all(given);
  await desk.wait(1);
  expect(desk.rows).toContain(line.slice('echo '.length));
});
