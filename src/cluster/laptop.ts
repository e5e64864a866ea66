/**
 * The laptop: a machine of the world with a shell in which kubectl is a program. Terminals and headless
 * commands run here, in virtual time, over the same wires as everything else.
 */

import type { ApiHandler } from '../kubernetes/api/request.ts';
import { SAMPLES } from '../kubernetes/api/samples.ts';
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

export interface LaptopOptions {
  readonly loop: Loop;
  readonly wires: Wires;
  readonly lan: Lan;
  apiServer(self: Process): ApiHandler;
  /** Where kubectl believes the API server to be: `https://10.0.0.10:6443`. */
  readonly server: string;
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
  private readonly user: Process;
  private commands = 0;
  /** The shell of headless commands: one, kept from line to line. */
  private session: InstanceType<Awaited<ReturnType<typeof bringShell>>['Shell']> | undefined;

  constructor(private readonly options: LaptopOptions) {
    const { loop, wires, lan } = options;
    this.machine = new Machine(loop, wires, 'laptop', '10.0.0.5');
    const kernel = new Kernel({ hostname: 'laptop', address: '10.0.0.5/24', loop, lan, rng: loop.rng.fork('kernel@laptop') });
    const { files } = this.machine;
    files.write('/etc/hostname', 'laptop\n');
    files.write('/etc/hosts', '127.0.0.1 localhost\n10.0.0.5 laptop\n10.0.0.10 control-plane\n10.0.0.11 node-1\n10.0.0.12 node-2\n10.0.0.13 node-3\n');
    files.write('/etc/resolv.conf', 'nameserver 10.0.0.1\n');
    files.write(`${HOME}/.kube/config`, kubeconfig(options.server));
    for (const [name, text] of Object.entries(SAMPLES)) files.write(`${HOME}/examples/${name}`, text);
    files.mkdir('/tmp');
    this.machine.powerOn();
    this.user = this.machine.root.spawn('you@laptop', forever);

    const kubectl: Program = async (self) => {
      // What a person typed is where chains of causes begin.
      self.process.trace.emit('user.command', '', { command: self.argv.join(' ') });
      const { createKubectl } = await self.process.outside(import('../kubernetes/kubectl/kubectl.ts'));
      return createKubectl({ handler: options.apiServer(self.process), certificate: ADMIN, ...(options.loadTexts ? { loadTexts: options.loadTexts } : {}) })(
        self,
      );
    };
    const complete: ArgumentCompleter = async (words, current, context) => {
      const { createKubectlCompletion } = await context.process.outside(import('../kubernetes/kubectl/completion.ts'));
      return createKubectlCompletion({ handler: options.apiServer, certificate: ADMIN })(words, current, context);
    };
    const programs: Readonly<Record<string, Program>> = { ...lazyApplets, sh: bringApplet('sh'), bash: bringApplet('sh'), kubectl, k: kubectl };
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
      const { runCommand, Shell } = await bringShell(self);
      this.session ??= new Shell();
      done(await runCommand({ self, machine: this.shellMachine, env: ENV, cwd: HOME, session: this.session }, command));
    });
  }

  /** Opens the terminal if it is not open; its shell is brought in while the clock stands still. */
  private withScreen(name: string, columns: number, rows: number, then: (screen: Screen) => void): void {
    const known = this.screens.get(name);
    if (known) {
      then(known);
      return;
    }
    bringShell(this.user).then(({ createTerminal }) => {
      // Two inputs may both have found it closed.
      let screen = this.screens.get(name);
      if (!screen) {
        screen = {
          terminal: createTerminal({
            self: this.user,
            machine: this.shellMachine,
            env: ENV,
            cwd: HOME,
            columns,
            rows,
            write: (text) => this.options.show(name, text),
          }),
        };
        this.screens.set(name, screen);
      }
      then(screen);
    });
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
  user:
    client-certificate-data: DATA+OMITTED
    client-key-data: DATA+OMITTED
`;
