/**
 * The laptop: a machine of the world with a shell in which kubectl is a program. Terminals and headless
 * commands run here, in virtual time, over the same wires as everything else.
 */

import type { ApiHandler } from '../kubernetes/api/request.ts';
import { SAMPLES } from '../kubernetes/api/samples.ts';
import type { EtcdEndpoint } from '../kubernetes/etcd/api.ts';
import { Kernel } from '../linux/kernel.ts';
import type { Lan } from '../linux/lan.ts';
import type { Program } from '../linux/program.ts';
import type { createTerminal } from '../linux/shell/interactive.ts';
import { bringApplet, bringShell, lazyApplets } from '../linux/shell/lazy.ts';
import { type ArgumentCompleter, Machine as ShellMachine } from '../linux/shell/machine.ts';
import type { Wires } from '../linux/wire.ts';
import type { Loop } from '../sim/loop.ts';
import { forever, type Process } from '../sim/process.ts';
import { ADMIN } from './cluster.ts';
import { Machine } from './machine.ts';
import type { ClusterSecrets } from './pki.ts';
import type { SshOptions } from './ssh.ts';

export interface LaptopOptions {
  readonly loop: Loop;
  readonly wires: Wires;
  readonly lan: Lan;
  apiServer(self: Process): ApiHandler;
  /** Where kubectl believes the API server to be: `https://10.0.0.10:6443`; absent where there is none. */
  readonly server?: string;
  readonly secrets: ClusterSecrets;
  /** What etcdctl finds at a URL. */
  etcd(self: Process, url: string): EtcdEndpoint;
  readonly etcdEndpoints: readonly string[];
  /** The other machines, for ssh. */
  readonly remote: Pick<SshOptions, 'machine' | 'sockets'>;
  show(terminal: string, text: string): void;
  readonly loadTexts?: () => Promise<unknown>;
}

const HOME = '/home/you';
const ENV = {
  HOME,
  USER: 'you',
  LOGNAME: 'you',
  HOSTNAME: 'laptop',
  SHELL: '/bin/bash',
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  PS1: '\\u@\\h:\\w\\$ ',
  EDITOR: 'nano',
} as const;

interface Screen {
  readonly terminal: ReturnType<typeof createTerminal>;
}

export class Laptop {
  readonly machine: Machine;
  private readonly shellMachine: ShellMachine;
  private readonly screens = new Map<string, Screen>();
  /** Terminals whose shell is being brought in, and what waits for them. */
  private readonly opening = new Map<string, ((screen: Screen) => void)[]>();
  private readonly user: Process;
  private readonly env: Readonly<Record<string, string>>;
  private commands = 0;
  private furnished = false;
  /** The shell of headless commands: one, kept from line to line. */
  private session: InstanceType<Awaited<ReturnType<typeof bringShell>>['CommandSession']> | undefined;

  constructor(private readonly options: LaptopOptions) {
    const { loop, wires, lan } = options;
    this.machine = new Machine(loop, wires, 'laptop', '10.0.0.5');
    const kernel = new Kernel({ hostname: 'laptop', address: '10.0.0.5/24', loop, lan, rng: loop.rng.fork('kernel@laptop') });
    const { files } = this.machine;
    files.write('/etc/hostname', 'laptop\n');
    files.write('/etc/hosts', '127.0.0.1 localhost\n10.0.0.5 laptop\n10.0.0.10 control-plane\n10.0.0.11 node-1\n10.0.0.12 node-2\n10.0.0.13 node-3\n');
    files.write('/etc/resolv.conf', 'nameserver 10.0.0.1\n');
    if (options.server !== undefined) {
      options.secrets.writeKubeconfig(`${HOME}/.kube/config`, files);
      for (const [name, text] of Object.entries(SAMPLES)) files.write(`${HOME}/examples/${name}`, text);
    } else files.mkdir(HOME);
    this.env = { ...ENV, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: options.etcdEndpoints.join() };
    files.mkdir('/tmp');
    this.machine.powerOn();
    this.user = this.machine.root.spawn('you@laptop', forever);

    const kubectl: Program = async (self) => {
      // What a person typed is where chains of causes begin.
      const { trace } = self.process;
      const typed = trace.emit('user.command', '', { command: self.argv.join(' ') });
      const { createKubectl } = await self.process.outside(import('../kubernetes/kubectl/kubectl.ts'));
      const reach = options.apiServer(self.process);
      // Each of a command's requests is the command's doing, not that of the answer before it.
      const handler: ApiHandler = (request) => {
        trace.because(typed);
        return reach(request);
      };
      return createKubectl({ handler, certificate: ADMIN, ...(options.loadTexts ? { loadTexts: options.loadTexts } : {}) })(self);
    };
    const complete: ArgumentCompleter = async (words, current, context) => {
      const { createKubectlCompletion } = await context.process.outside(import('../kubernetes/kubectl/completion.ts'));
      return createKubectlCompletion({ handler: options.apiServer, certificate: ADMIN })(words, current, context);
    };
    const etcdctl: Program = async (self) => {
      const { trace } = self.process;
      const typed = trace.emit('user.command', '', { command: self.argv.join(' ') });
      const { createEtcdctl } = await self.process.outside(import('../kubernetes/etcdctl/etcdctl.ts'));
      trace.because(typed);
      return createEtcdctl({ dial: (url) => options.etcd(self.process, url) })(self);
    };
    const etcdutl: Program = async (self) => {
      const { createEtcdutl } = await self.process.outside(import('../kubernetes/etcdctl/etcdctl.ts'));
      return createEtcdutl()(self);
    };
    let sessions = 0;
    const remote: SshOptions = { ...options.remote, wires, next: () => ++sessions, programs: { etcdctl, etcdutl } };
    const secure =
      (name: 'ssh' | 'scp'): Program =>
      async (self) => {
        const { trace } = self.process;
        const typed = trace.emit('user.command', '', { command: self.argv.join(' ') });
        const programs = await self.process.outside(import('./ssh.ts'));
        trace.because(typed);
        return programs[name](remote)(self);
      };
    const programs: Readonly<Record<string, Program>> = {
      ...lazyApplets,
      sh: bringApplet('sh'),
      bash: bringApplet('sh'),
      ...(options.server === undefined ? {} : { kubectl, k: kubectl }),
      etcdctl,
      etcdutl,
      ssh: secure('ssh'),
      scp: secure('scp'),
    };
    this.shellMachine = new ShellMachine({
      hostname: 'laptop',
      files,
      sockets: kernel.sockets('root', this.user, files),
      programs: (name) => (Object.hasOwn(programs, name) ? programs[name] : undefined),
      programNames: Object.keys(programs),
      completers: { kubectl: complete, k: complete },
    });
  }

  /** Keys typed at a terminal; the first ones open it. */
  keys(name: string, text: string): void {
    this.withScreen(name, 80, 24, (screen) => screen.terminal.keys(text));
  }

  resize(name: string, columns: number, rows: number): void {
    this.withScreen(name, columns, rows, (screen) => screen.terminal.resize(columns, rows));
  }

  /** Runs a line without a terminal, in the one shell all such lines share. */
  run(command: string, done: (result: { stdout: string; stderr: string; exitCode: number }) => void): void {
    this.user.spawn(`run-${++this.commands}@laptop`, async (self) => {
      const { CommandSession } = await bringShell(self);
      await this.furnish(self);
      this.session ??= new CommandSession({ self: this.user, machine: this.shellMachine, env: this.env, cwd: HOME });
      done(await this.session.run(command));
    });
  }

  /** Puts the files there which nobody looks for before there is a shell. */
  private async furnish(self: Process): Promise<void> {
    if (this.furnished || this.options.server === undefined) return;
    this.furnished = true;
    const { LAPTOP_FILES } = await self.outside(import('./laptop-files.ts'));
    const { files } = this.machine;
    for (const [name, text] of Object.entries(LAPTOP_FILES)) if (!files.exists(`${HOME}/${name}`)) files.write(`${HOME}/${name}`, text);
  }

  /** Opens the terminal if it is not open; its shell is brought in while the clock stands still, and what comes meanwhile waits its turn. */
  private withScreen(name: string, columns: number, rows: number, then: (screen: Screen) => void): void {
    const known = this.screens.get(name);
    if (known) {
      then(known);
      return;
    }
    const waiting = this.opening.get(name);
    if (waiting) {
      waiting.push(then);
      return;
    }
    const first = [then];
    this.opening.set(name, first);
    bringShell(this.user).then(async ({ createTerminal }) => {
      await this.furnish(this.user);
      const screen = {
        terminal: createTerminal({
          self: this.user,
          machine: this.shellMachine,
          env: this.env,
          cwd: HOME,
          columns,
          rows,
          write: (text) => this.options.show(name, text),
        }),
      };
      this.screens.set(name, screen);
      this.opening.delete(name);
      for (const each of first) each(screen);
    });
  }
}
