/**
 * ssh and scp on the laptop: a line in the shell of another machine, and files carried there. So a person can stop an etcd, put
 * another data directory in its place and start it again, as one does in life.
 *
 * Here simplified: keys are trusted, a command's output comes when it has ended, and there are no sessions without a command.
 */
import type { Program, ProgramContext } from '../linux/program.ts';
import { CommandSession } from '../linux/shell/bundle.ts';
import { bringApplet, lazyApplets } from '../linux/shell/lazy.ts';
import { Machine as ShellMachine } from '../linux/shell/machine.ts';
import type { Sockets } from '../linux/sockets.ts';
import type { Wires } from '../linux/wire.ts';
import { seconds } from '../sim/clock.ts';
import { defer } from '../sim/mailbox.ts';
import { forever, type Process } from '../sim/process.ts';
import type { Machine } from './machine.ts';

export interface SshOptions {
  /** By name or address; undefined: nobody knows such a machine. */
  machine(name: string): Machine | undefined;
  readonly wires: Wires;
  /** The network of a machine, for what is run there. */
  sockets(machine: Machine, process: Process): Sockets;
  /** A number nobody had, for the process that serves a session. */
  next(): number;
  /** Programs beside the usual ones. */
  readonly programs: Readonly<Record<string, Program>>;
}

class SshError extends Error {}
const ENV = {
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/bash',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
} as const;

/** Carries `work` to a machine and its outcome back. Rejects with SshError. */
async function there<T>(self: ProgramContext, options: SshOptions, target: string, work: (machine: Machine) => Promise<T>): Promise<T> {
  const name = target.slice(target.indexOf('@') + 1);
  const machine = options.machine(name);
  if (!machine) throw new SshError(`ssh: Could not resolve hostname ${name}: Name or service not known`);
  const { wires } = options;
  const { clock } = self.process;
  const outcome = defer<T>(clock);
  const broken = (): void => outcome.reject(new SshError(`client_loop: send disconnect: Broken pipe`));
  const stop = wires.onChange(() => {
    if (!wires.reachable(self.hostname, machine.name) || !wires.reachable(machine.name, self.hostname)) broken();
  });
  const reply = (settle: () => void): void => void wires.send(machine.name, self.hostname, settle);
  const sent = wires.send(self.hostname, machine.name, () => {
    clock.wake();
    work(machine).then(
      (value) => reply(() => outcome.resolve(value)),
      (error) => reply(() => outcome.reject(error as Error)),
    );
  });
  if (!sent) {
    await clock.sleep(seconds(3));
    throw new SshError(`ssh: connect to host ${name} port 22: ${machine.on ? 'Connection timed out' : 'No route to host'}`);
  }
  return outcome.promise.finally(stop);
}

const complaint = (self: ProgramContext, error: unknown): number => {
  if (!(error instanceof SshError)) throw error;
  self.stderr(`${error.message}\n`);
  return 255;
};

export const ssh =
  (options: SshOptions): Program =>
  async (self) => {
    const words = self.argv.slice(1);
    while (words[0]?.startsWith('-')) if (/^-[boilpFJ]$/.test(words.shift()!)) words.shift();
    const [target, ...command] = words;
    if (target === undefined || command.length === 0) {
      self.stderr('usage: ssh destination command [argument ...]\n');
      return 255;
    }
    try {
      const { stdout, stderr, exitCode } = await there(self, options, target, (machine) => {
        const sshd = machine.root.spawn(`sshd-${options.next()}@${machine.name}`, forever);
        const programs: Readonly<Record<string, Program>> = {
          ...lazyApplets,
          sh: bringApplet('sh'),
          bash: bringApplet('sh'),
          systemctl: systemctl(machine),
          journalctl,
          ...options.programs,
        };
        const shell = new ShellMachine({
          hostname: machine.name,
          files: machine.files,
          sockets: options.sockets(machine, sshd),
          programs: (name) => (Object.hasOwn(programs, name) ? programs[name] : undefined),
          programNames: Object.keys(programs),
        });
        machine.files.mkdir('/root');
        const session = new CommandSession({ self: sshd, machine: shell, env: { ...ENV, HOSTNAME: machine.name }, cwd: '/root' });
        return session.run(command.join(' ')).finally(() => sshd.kill());
      });
      self.stdout(stdout);
      self.stderr(stderr);
      return exitCode;
    } catch (error) {
      return complaint(self, error);
    }
  };

/** `scp [-r] file… machine:directory`; only from here to there. */
export const scp =
  (options: SshOptions): Program =>
  async (self) => {
    const flags = self.argv.slice(1).filter((word) => word.startsWith('-'));
    const words = self.argv.slice(1).filter((word) => !word.startsWith('-'));
    const target = words.pop();
    const colon = target?.indexOf(':') ?? -1;
    if (target === undefined || words.length === 0 || colon < 0) {
      self.stderr('usage: scp [-r] source ... machine:target\n');
      return 1;
    }
    const recursive = flags.some((flag) => /^-[a-zA-Z]*r/.test(flag));
    const full = (path: string): string => (path.startsWith('/') ? path : `${self.cwd}/${path}`);
    const to = target.slice(colon + 1) || '/root';
    try {
      for (const word of words) {
        const from = full(word).replace(/\/+$/, '');
        if (!self.files.exists(from)) {
          self.stderr(`scp: stat local "${word}": No such file or directory\n`);
          return 255;
        }
        if (self.files.isDirectory(from) && !recursive) {
          self.stderr(`scp: local "${word}" is not a regular file\n`);
          return 1;
        }
        const contents: [string, string][] = [];
        gather(self, from, '', contents);
        await there(self, options, target.slice(0, colon), async ({ files }) => {
          const base = to.startsWith('/') ? to : `/root/${to}`;
          const into = files.isDirectory(base) ? `${base}/${from.slice(from.lastIndexOf('/') + 1)}` : base;
          for (const [path, text] of contents) files.write(into + path, text);
        });
      }
      return 0;
    } catch (error) {
      return complaint(self, error);
    }
  };

function gather({ files }: ProgramContext, at: string, path: string, into: [string, string][]): void {
  if (!files.isDirectory(at + path)) into.push([path, files.read(at + path)]);
  else for (const name of files.list(at + path)) gather({ files } as ProgramContext, at, `${path}/${name}`, into);
}

/** start, stop, restart, status, is-active of the machine's services. */
const systemctl =
  (machine: Machine): Program =>
  async (self) => {
    const [verb = '', ...units] = self.argv.slice(1).filter((word) => !word.startsWith('-'));
    let code = 0;
    for (const unit of units.map((each) => each.replace(/\.service$/, ''))) {
      if (!machine.services.includes(unit)) {
        self.stderr(verb === 'status' ? `Unit ${unit}.service could not be found.\n` : `Failed to ${verb} ${unit}.service: Unit ${unit}.service not found.\n`);
        return verb === 'status' ? 4 : 5;
      }
      const runs = machine.isRunning(unit);
      switch (verb) {
        case 'start':
          machine.start(unit);
          break;
        case 'stop':
          machine.kill(unit, true);
          break;
        case 'restart':
          machine.kill(unit, true);
          machine.start(unit);
          break;
        case 'is-active':
          self.stdout(runs ? 'active\n' : 'inactive\n');
          if (!runs) code = 3;
          break;
        case 'status':
          self.stdout(`${runs ? '●' : '○'} ${unit}.service - ${unit}\n     Active: ${runs ? 'active (running)' : 'inactive (dead)'}\n`);
          if (!runs) code = 3;
          break;
        default:
          self.stderr(`Unknown command verb ${verb}.\n`);
          return 1;
      }
    }
    return code;
  };

/** What a service has said of its end: `journalctl -u etcd`. */
const journalctl: Program = async (self) => {
  const at = self.argv.findIndex((word) => word === '-u' || word === '--unit');
  const unit = (at < 0 ? undefined : self.argv[at + 1])?.replace(/\.service$/, '');
  const path = `/var/log/${unit ?? 'etcd'}.log`;
  self.stdout(self.files.exists(path) ? self.files.read(path) : '-- No entries --\n');
  return 0;
};
