/**
 * The real kubectl, at a shell, talking over HTTP to a world in this process.
 *
 * Virtual time passes only while a command runs: as fast as it goes while the API server owes an answer,
 * otherwise PACE times as fast as real time. So both sides see about the same world at each line.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, createServer, type Server as SocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { newSession } from '../../src/cluster/session.ts';
import { serve } from '../../src/hosts/http.ts';
import { RELEASE } from '../../src/kubernetes/api/release.ts';
import { ms, seconds } from '../../src/sim/clock.ts';
import { Counting } from '../counting.ts';
import type { Outcome } from './scenario.ts';

/** Virtual seconds per real second while kubectl thinks or watches. */
const PACE = 25;
/** A command that hangs is told to end after so many real milliseconds. */
const PATIENCE_MS = 180_000;

/** The kubectl to hold ours against, or undefined: one of our release, for texts differ from one to the next. ORRERY_KUBECTL names one, of whatever release. */
export function findKubectl(): string | undefined {
  const chosen = process.env['ORRERY_KUBECTL'];
  if (chosen) return versionOf(chosen) !== undefined ? chosen : undefined;
  const release = minorOf(RELEASE.gitVersion);
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'kubectl'));
  // Some packages install a dispatcher that keeps one kubectl a release beside itself.
  const releases = onPath.filter((path) => existsSync(path)).map((path) => join(dirname(realpathSync(path)), `kubectl.${RELEASE.major}.${RELEASE.minor}`));
  const candidates = [...releases, ...onPath];
  return candidates.find((path) => existsSync(path) && versionOf(path) === release);
}

const minorOf = (version: string): string | undefined => /v\d+\.\d+/.exec(version)?.[0];

/** `v1.33`; undefined when it is no kubectl. */
function versionOf(path: string): string | undefined {
  try {
    return minorOf(execFileSync(path, ['version', '--client'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined;
  }
}

export class RealSide {
  private readonly alarms: SocketServer = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (text) => this.sleepers.push({ until: this.headless.world.now + seconds(Number(text)), wake: () => socket.end('\n') }));
  });
  private sleepers: { readonly until: number; wake(): void }[] = [];

  private constructor(
    private readonly headless: Counting,
    private readonly server: Server,
    private readonly folder: string,
    readonly url: string,
  ) {}

  static async start(kubectl: string, topology: string, seed: number): Promise<RealSide> {
    const headless = new Counting(newSession(seed, topology));
    await headless.untilReady();
    await headless.world.run(headless.world.now + seconds(30));
    const server = await serve(headless, 0);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const folder = mkdtempSync(join(tmpdir(), 'orrery-kubectl-'));
    const side = new RealSide(headless, server, folder, url);
    // sleep waits for virtual time: it says how long, and is answered when that has passed.
    const port = await side.listen();
    side.write('bin/sleep', `#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/${port}\necho "$1" >&3\nread -r _ <&3\n`, 0o755);
    symlinkSync(kubectl, join(folder, 'bin', 'kubectl'));
    side.write('home/.kube/config', kubeconfig(url));
    return side;
  }

  write(name: string, text: string, mode = 0o644): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
  }

  file(name: string, text: string): void {
    this.write(join('home', name), text);
  }

  async wait(virtual: number): Promise<void> {
    await this.headless.world.run(this.headless.world.now + seconds(virtual));
  }

  /** Runs a line in bash, with virtual time passing meanwhile. */
  async run(line: string): Promise<Outcome> {
    const home = join(this.folder, 'home');
    const child = spawn('bash', ['-c', line], {
      cwd: home,
      env: { HOME: home, USER: 'you', PATH: `${join(this.folder, 'bin')}:/usr/bin:/bin`, LANG: 'C.UTF-8', TERM: 'dumb' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    let ended: number | undefined;
    child.once('close', (code, signal) => (ended = code ?? (signal === 'SIGINT' ? 130 : 143)));
    const { world } = this.headless;
    const begun = performance.now();
    let late = false;
    let paced = begun;
    while (ended === undefined) {
      if (this.headless.owed > 0) {
        await world.run(world.now + ms(2));
        paced = performance.now();
      } else {
        const now = performance.now();
        const due = Math.floor((now - paced) * 1_000 * PACE);
        paced = now;
        await world.run(world.now + due, { budgetMs: 20 });
      }
      this.wakeSleepers();
      if (performance.now() - begun > PATIENCE_MS && !late && child.pid) {
        late = true;
        stderr += `killed after ${PATIENCE_MS / 1_000} s\n`;
        killGroup(child.pid);
      }
      await new Promise<void>((resolve) => (this.headless.owed > 0 ? setImmediate(resolve) : setTimeout(resolve, 1)));
    }
    return { stdout, stderr, exitCode: ended };
  }

  private listen(): Promise<number> {
    return new Promise((resolve) => this.alarms.listen(0, '127.0.0.1', () => resolve((this.alarms.address() as AddressInfo).port)));
  }

  private wakeSleepers(): void {
    const { now } = this.headless.world;
    for (const sleeper of this.sleepers) if (sleeper.until <= now) sleeper.wake();
    this.sleepers = this.sleepers.filter(({ until }) => until > now);
  }

  stop(): void {
    this.alarms.close();
    this.server.close();
    this.server.closeAllConnections();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

const kubeconfig = (server: string): string => `apiVersion: v1
kind: Config
clusters:
- cluster:
    server: ${server}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
preferences: {}
users:
- name: kubernetes-admin
  user: {}
`;
