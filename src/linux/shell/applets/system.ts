/** Programs about the machine, about time, and about running others. */
import { ms, seconds } from '../../../sim/clock.ts';
import type { Program, ProgramContext } from '../../program.ts';
import { ConditionError, evaluateTest } from '../condition.ts';
import { isMachineContext, type MachineUser } from '../machine.ts';
import { echoText, formatPrintf } from '../printf.ts';
import { noInput, readAll } from '../text-pipe.ts';
import { AppletError, applet, isBusybox, nameOf, parseFlags } from './applet.ts';
import { dateAt, strftime } from './calendar.ts';

const echo: Program = async (self) => {
  self.stdout(echoText(self.argv.slice(1)));
  return 0;
};
const printf = applet(async (self) => {
  const [format, ...rest] = self.argv.slice(1);
  if (format === undefined) throw new AppletError('missing operand');
  self.stdout(formatPrintf(format, rest).text);
  return 0;
});
const test = applet(async (self) => {
  const args = self.argv.slice(1);
  if (nameOf(self) === '[' && args.pop() !== ']') throw new AppletError("missing ']'", 2);
  try {
    return evaluateTest(args, self.files, self.cwd) ? 0 : 1;
  } catch (error) {
    if (error instanceof ConditionError) throw new AppletError(error.message, 2);
    throw error;
  }
});

/** `1`, `0.5`, `2m`, `1h`, `1d`; several add up. */
const sleep = applet(async (self) => {
  const args = self.argv.slice(1);
  if (args.length === 0) throw new AppletError(`missing operand${isBusybox(self) ? '' : "\nTry 'sleep --help' for more information."}`);
  let total = 0;
  for (const arg of args) {
    if (arg === 'infinity') for (;;) await self.process.clock.sleep(seconds(86_400));
    const m = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(arg);
    if (!m) throw new AppletError(isBusybox(self) ? `invalid number '${arg}'` : `invalid time interval ‘${arg}’\nTry 'sleep --help' for more information.`);
    total += Number(m[1]) * { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 }[m[2]!]!;
  }
  await self.process.clock.sleep(seconds(total));
  return 0;
});

const date = applet(async (self) => {
  const flags = parseFlags(self, 'uIRd:', { utc: 'u', 'iso-8601': 'I' });
  const format = flags.operands.find((arg) => arg.startsWith('+'));
  const at = dateAt(self.process.clock.now());
  self.stdout(`${strftime(format?.slice(1) ?? (flags.has('I') ? '%F' : flags.has('R') ? '%a, %d %b %Y %T +0000' : '%a %b %e %H:%M:%S UTC %Y'), at)}\n`);
  return 0;
});

const seq = applet(async (self) => {
  const args = self.argv.slice(1);
  let separator = '\n';
  let pad = false;
  while (args[0] !== undefined && /^-[^\d.]/.test(args[0])) {
    const flag = args.shift()!;
    if (flag === '-s') separator = args.shift() ?? '\n';
    else if (flag === '-w') pad = true;
    else throw new AppletError(`invalid option -- '${flag.slice(1)}'`);
  }
  if (args.length === 0) throw new AppletError('missing operand');
  for (const arg of args)
    if (Number.isNaN(Number(arg))) throw new AppletError(isBusybox(self) ? `invalid number '${arg}'` : `invalid floating point argument: ‘${arg}’`);
  const first = args.length > 1 ? Number(args[0]) : 1;
  const step = args.length > 2 ? Number(args[1]) : 1;
  const last = Number(args.at(-1));
  const decimals = Math.max(...args.map((arg) => arg.split('.')[1]?.length ?? 0));
  if (step === 0) throw new AppletError(`invalid Zero increment value: ‘0’`);
  const numbers: string[] = [];
  for (let i = 0; ; i++) {
    const value = first + i * step;
    if (step > 0 ? value > last : value < last) break;
    numbers.push(value.toFixed(decimals));
    if (numbers.length > 1_000_000) break;
  }
  const width = pad ? Math.max(...numbers.map((text) => text.length)) : 0;
  if (numbers.length > 0) self.stdout(`${numbers.map((text) => text.padStart(width, '0')).join(separator)}\n`);
  return 0;
});

const env = applet(async (self) => {
  const args = self.argv.slice(1);
  let variables: Record<string, string> = { ...self.env };
  while (args[0] !== undefined) {
    const arg = args[0];
    if (arg === '-i' || arg === '-') variables = {};
    else if (arg === '-u') {
      args.shift();
      delete variables[args[0] ?? ''];
    } else if (/^[A-Za-z_]\w*=/.test(arg)) variables[arg.slice(0, arg.indexOf('='))] = arg.slice(arg.indexOf('=') + 1);
    else break;
    args.shift();
  }
  if (args.length > 0) return self.run(args, { env: variables });
  for (const [name, value] of Object.entries(variables)) self.stdout(`${name}=${value}\n`);
  return 0;
});
const printenv: Program = async (self) => {
  const names = self.argv.slice(1);
  if (names.length === 0) for (const [name, value] of Object.entries(self.env)) self.stdout(`${name}=${value}\n`);
  let code = 0;
  for (const name of names) {
    if (self.env[name] === undefined) code = 1;
    else self.stdout(`${self.env[name]}\n`);
  }
  return code;
};

const xargs = applet(async (self) => {
  const flags = parseFlags(self, '+n:I:i0trP:d:L:', { 'no-run-if-empty': 'r', null: '0', replace: 'i' });
  const command = flags.operands.length > 0 ? flags.operands : ['echo'];
  const input = await readAll(self.stdin);
  const replace = flags.value('I') ?? (flags.has('i') ? '{}' : undefined);
  const separator = flags.has('0') ? '\0' : flags.has('d') ? flags.value('d')!.replace('\\n', '\n') : undefined;
  const items =
    separator !== undefined
      ? input.split(separator).filter((item) => item !== '')
      : replace !== undefined || flags.has('L')
        ? input
            .split('\n')
            .map((line) => line.trim())
            .filter((line) => line !== '')
        : (input.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, a?: string, b?: string) => a ?? b ?? ''));
  const size = replace !== undefined || flags.has('L') ? 1 : flags.has('n') ? Number(flags.value('n')) : Math.max(1, items.length);
  let code = 0;
  if (items.length === 0 && (flags.has('r') || replace !== undefined)) return 0;
  for (let i = 0; i === 0 || i < items.length; i += size) {
    const chunk = items.slice(i, i + size);
    const argv = replace !== undefined ? command.map((word) => word.replaceAll(replace, chunk[0]!)) : [...command, ...chunk];
    if (flags.has('t')) self.stderr(`${argv.join(' ')}\n`);
    const result = await self.run(argv, { stdin: noInput });
    if (result === 127) return 127;
    if (result !== 0) code = 123;
  }
  return code;
});

const hostname = applet(async (self) => {
  const flags = parseFlags(self, 'sfid');
  if (flags.has('i')) {
    const addresses = await self.sockets.resolve(self.hostname).catch(() => ['127.0.0.1']);
    self.stdout(`${addresses.join(' ')}\n`);
  } else if (flags.has('f')) {
    // The first name of the line that names this host.
    const lines = self.files.exists('/etc/hosts') ? self.files.read('/etc/hosts').split('\n') : [];
    const names = lines.map((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1)).find((each) => each.includes(self.hostname));
    self.stdout(`${names?.[0] ?? self.hostname}\n`);
  } else self.stdout(`${self.hostname}\n`);
  return 0;
});
const uname = applet(async (self) => {
  const flags = parseFlags(self, 'asnrvmpio');
  const fields: [string, string][] = [
    ['s', 'Linux'],
    ['n', self.hostname],
    ['r', '6.1.0'],
    ['v', '#1 SMP PREEMPT_DYNAMIC Debian 6.1.0'],
    ['m', 'x86_64'],
    ['o', isBusybox(self) ? 'Linux' : 'GNU/Linux'],
  ];
  const chosen = fields.filter(([flag]) => flags.has(flag) || flags.has('a'));
  self.stdout(`${(chosen.length > 0 ? chosen : [fields[0]!]).map(([, text]) => text).join(' ')}\n`);
  return 0;
});
/** Of a container: the numbers it runs as, and the names its /etc/passwd has for them. */
const machineUser = (self: ProgramContext): MachineUser | undefined => (isMachineContext(self) ? self.machine.options.user : undefined);
function passwdName(self: ProgramContext, uid: number): string | undefined {
  if (uid === 0) return 'root';
  const text = self.files.exists('/etc/passwd') ? self.files.read('/etc/passwd') : '';
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[2] === String(uid))?.[0];
}
const userOf = (self: ProgramContext): string => {
  const user = machineUser(self);
  return user ? (passwdName(self, user.uid) ?? '') : (self.env['USER'] ?? 'root');
};
const whoami = applet(async (self) => {
  const name = userOf(self);
  if (name === '') throw new AppletError(`unknown uid ${machineUser(self)?.uid}`);
  self.stdout(`${name}\n`);
  return 0;
});
const id = applet(async (self) => {
  const flags = parseFlags(self, 'ugGn');
  const container = machineUser(self);
  if (container) {
    const { uid, gid } = container;
    const groups = [gid, ...container.groups.filter((group) => group !== gid)];
    const called = (number: number, name = passwdName(self, number)): string => (name === undefined ? String(number) : `${number}(${name})`);
    const group = (number: number): string => (number === gid && gid === uid ? called(number) : called(number, number === 0 ? 'root' : undefined));
    const [number] = flags.has('u') ? [uid] : [gid];
    if (flags.has('G')) self.stdout(`${groups.join(' ')}\n`);
    else if (flags.has('u') || flags.has('g')) self.stdout(`${flags.has('n') ? (passwdName(self, number) ?? number) : number}\n`);
    else self.stdout(`uid=${called(uid)} gid=${group(gid)} groups=${groups.map(group).join(',')}\n`);
    return 0;
  }
  const user = userOf(self);
  const number = self.env['UID'] ?? (user === 'root' ? '0' : '1000');
  const name = flags.has('n') ? user : number;
  self.stdout(flags.has('u') || flags.has('g') || flags.has('G') ? `${name}\n` : `uid=${number}(${user}) gid=${number}(${user}) groups=${number}(${user})\n`);
  return 0;
});
const yes: Program = async (self) => {
  const line = `${self.argv.slice(1).join(' ') || 'y'}\n`;
  for (;;) {
    self.stdout(line.repeat(64));
    await self.process.clock.sleep(ms(1));
  }
};
const clear: Program = async (self) => {
  self.stdout('\x1b[H\x1b[2J\x1b[3J');
  return 0;
};
const which = applet(async (self) => {
  let code = 0;
  for (const name of parseFlags(self, 'as').operands) {
    const found = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']
      .map((directory) => `${directory}/${name}`)
      .find((path) => self.files.exists(path));
    if (found) self.stdout(`${found}\n`);
    else if (isMachineContext(self) && self.machine.has(name))
      self.stdout(`${name === 'kubectl' ? '/usr/local/bin' : isBusybox(self) ? '/bin' : '/usr/bin'}/${name}\n`);
    else code = 1;
  }
  return code;
});

/** `watch -n 2 cmd`: here simplified: the screen is cleared and written whole; nothing is highlighted. */
const watch = applet(async (self) => {
  const flags = parseFlags(self, '+n:tdcex', { interval: 'n:', 'no-title': 't', differences: 'd' });
  if (flags.operands.length === 0) throw new AppletError('missing operand');
  const interval = Number(flags.value('n') ?? 2);
  const command = flags.operands.join(' ');
  for (;;) {
    let output = '';
    const take = (text: string) => {
      output += text;
    };
    await self.run(['sh', '-c', command], { stdin: noInput, stdout: take, stderr: take });
    const columns = self.terminal?.columns ?? 80;
    const rows = self.terminal?.rows ?? 24;
    const left = `Every ${interval.toFixed(1)}s: ${command}`;
    const right = `${self.hostname}: ${strftime('%a %b %e %H:%M:%S %Y', dateAt(self.process.clock.now()))}`;
    const title = flags.has('t')
      ? ''
      : `${left.length + right.length + 1 > columns ? left.slice(0, columns) : left + right.padStart(columns - left.length)}\n\n`;
    const lines = output.split('\n').slice(0, rows - (title === '' ? 0 : 2));
    self.stdout(`\x1b[H\x1b[2J${title}${lines.map((line) => line.slice(0, columns)).join('\n')}`);
    await self.process.clock.sleep(seconds(interval));
  }
});

const timeout = applet(async (self) => {
  const flags = parseFlags(self, '+s:k:t:');
  const [limit, ...command] = flags.operands;
  const m = /^(\d+\.?\d*)([smhd]?)$/.exec(limit ?? '');
  if (!m || command.length === 0) throw new AppletError(limit === undefined ? 'missing operand' : `invalid time interval ‘${limit}’`, 125);
  if (!isMachineContext(self)) return self.run(command);
  const running = self.start(command);
  if (!running) {
    self.stderr(`timeout: failed to run command ‘${command[0]}’: No such file or directory\n`);
    return 127;
  }
  let late = false;
  const cancel = self.process.clock.after(seconds(Number(m[1]) * { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 }[m[2]!]!), () => {
    late = true;
    running.signalGroup('TERM');
  });
  const code = await running.exit;
  cancel();
  return late ? (isBusybox(self) ? 143 : 124) : code;
});

const ps = applet(async (self) => {
  if (!isMachineContext(self)) return 0;
  const processes = [...self.machine.processes].sort((a, b) => a.pid - b.pid);
  if (isBusybox(self)) {
    self.stdout('PID   USER     TIME  COMMAND\n');
    for (const entry of processes) self.stdout(`${String(entry.pid).padStart(5)} ${'root'.padEnd(8)}  0:00 ${entry.argv.join(' ')}\n`);
  } else {
    self.stdout('    PID TTY          TIME CMD\n');
    for (const entry of processes) self.stdout(`${String(entry.pid).padStart(7)} pts/0    00:00:00 ${(entry.argv[0] ?? '').split('/').at(-1)}\n`);
  }
  return 0;
});
const uptime: Program = async (self) => {
  const now = self.process.clock.now();
  const total = Math.floor(now / 60_000_000);
  const text =
    total >= 1440
      ? `${Math.floor(total / 1440)} days, ${Math.floor((total % 1440) / 60)}:${String(total % 60).padStart(2, '0')}`
      : total >= 60
        ? `${Math.floor(total / 60)}:${String(total % 60).padStart(2, '0')}`
        : `${total} min`;
  self.stdout(` ${strftime('%H:%M:%S', dateAt(now))} up ${text},  1 user,  load average: 0.00, 0.00, 0.00\n`);
  return 0;
};
const constant =
  (code: number): Program =>
  async () =>
    code;
const pwd: Program = async (self) => {
  self.stdout(`${self.cwd}\n`);
  return 0;
};

export const systemApplets: Readonly<Record<string, Program>> = {
  echo, printf, test, '[': test, sleep, date, seq, env, printenv, xargs, hostname, uname, whoami, id, yes, clear, which, watch, timeout, ps, uptime, pwd, true: constant(0), false: constant(1), sync: constant(0), reset: clear,
}; // biome-ignore format: a table
