/** Commands the shell must do itself, because they change it. */

import { seconds } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import { FileError } from '../files.ts';
import type { Signal } from '../program.ts';
import { ArithmeticError, evaluateArithmetic } from './arithmetic.ts';
import { indexesOf, removeElements } from './arrays.ts';
import { ConditionError, evaluateTest } from './condition.ts';
import { parameterValue } from './expand.ts';
import type { Interpreter } from './interpreter.ts';
import { SIGNAL_NUMBERS } from './machine.ts';
import { resolvePath } from './pattern.ts';
import { echoText, formatPrintf } from './printf.ts';
import { type Group, type Job, Leave, type Shell, ShellError, type Streams } from './state.ts';

export interface Call {
  readonly name: string;
  readonly args: readonly string[];
  readonly shell: Shell;
  readonly streams: Streams;
  readonly group: Group;
  readonly interpreter: Interpreter;
  readonly redirected: boolean;
}
type Builtin = (call: Call) => number | Promise<number>;

const out = (call: Call, text: string): void => call.streams.out.get(1)?.(text);
const complain = (call: Call, text: string, code = 1): number => {
  call.streams.out.get(2)?.(`${call.shell.prefix}${call.name}: ${text}\n`);
  return code;
};
const single = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const isName = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text);

/** Waits, unless the group is stopped first (Ctrl-C) or a trapped signal comes. */
async function until<T>(promise: Promise<T>, call: Call): Promise<T | undefined> {
  const { clock } = call.interpreter.host.process;
  const first = defer<T | undefined>(clock);
  const forget = call.group.onStop(() => first.resolve(undefined));
  promise.then(
    (value) => first.resolve(value),
    (error: Error) => first.reject(error),
  );
  const value = await first.promise;
  forget();
  return value;
}

function setOptions(call: Call): number {
  const { shell, args } = call;
  const letters: Readonly<Record<string, string>> = { e: 'errexit', x: 'xtrace', u: 'nounset', f: 'noglob', a: 'allexport', C: 'noclobber' };
  if (args.length === 0) {
    for (const [name, variable] of [...shell.variables].sort(([a], [b]) => (a < b ? -1 : 1)))
      out(call, `${name}=${/^[\w@%+=:,./-]*$/.test(variable.value) ? variable.value : single(variable.value)}\n`);
    return 0;
  }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--' || !/^[-+]./.test(arg)) {
      shell.args = args.slice(arg === '--' ? i + 1 : i);
      return 0;
    }
    for (const letter of arg.slice(1)) {
      const name = letter === 'o' ? args[++i] : letters[letter];
      if (letter === 'o' && name === undefined) return 0;
      if (name === undefined) return complain(call, `${arg[0]}${letter}: invalid option`, 2);
      if (arg[0] === '-') shell.options.add(name);
      else shell.options.delete(name);
    }
  }
  return 0;
}

function declare(call: Call, options: { exported?: boolean; readonly?: boolean; local?: boolean }): number {
  const { shell } = call;
  let { args } = call;
  let unexport = false;
  while (args[0]?.startsWith('-')) {
    const flags = args[0];
    args = args.slice(1);
    if (flags === '--') break;
    if (flags.includes('p')) {
      for (const [name, variable] of [...shell.variables].sort(([a], [b]) => (a < b ? -1 : 1)))
        if ((!options.exported || variable.exported) && (!options.readonly || variable.readonly))
          out(call, `declare -${variable.exported ? 'x' : variable.readonly ? 'r' : '-'} ${name}="${variable.value.replace(/[\\"$`]/g, '\\$&')}"\n`);
      return 0;
    }
    if (flags.includes('n')) unexport = true;
    if (flags.includes('x')) options = { ...options, exported: true };
    if (flags.includes('r')) options = { ...options, readonly: true };
  }
  if (args.length === 0 && (options.exported || options.readonly)) return declare({ ...call, args: ['-p'] }, options);
  let code = 0;
  for (const arg of args) {
    const m = /^([^=]*?)(\+?)(?:=([\s\S]*))?$/.exec(arg)!;
    const name = m[1]!;
    if (!isName(name)) {
      code = complain(call, `\`${arg}': not a valid identifier`);
      continue;
    }
    if (options.local) {
      const level = shell.covered.at(-1);
      if (!level) return complain(call, 'can only be used in a function');
      if (!level.has(name)) level.set(name, shell.variables.get(name));
    }
    const old = shell.variables.get(name);
    if (m[3] === undefined && !old && !options.local) {
      if (options.exported) continue; // Exported when it is set; here simplified: forgotten.
    }
    const value = m[3] === undefined ? (options.local ? '' : (old?.value ?? '')) : (m[2] === '+' ? (old?.value ?? '') : '') + m[3];
    if (m[3] !== undefined && old?.readonly) throw new ShellError(`${name}: readonly variable`);
    shell.variables.set(name, {
      value,
      exported: unexport ? false : (options.exported ?? old?.exported ?? false),
      readonly: options.readonly ?? old?.readonly ?? false,
    });
  }
  return code;
}

async function cd(call: Call): Promise<number> {
  const { shell } = call;
  const { files } = call.interpreter.host;
  const args = call.args.filter((arg) => arg !== '-P' && arg !== '-L' && arg !== '--');
  const previous = shell.get('OLDPWD');
  if (args.length > 1 && shell.bash) return complain(call, 'too many arguments');
  if (args[0] === '-' && previous === undefined) return complain(call, 'OLDPWD not set');
  const target = args[0] === undefined ? (shell.get('HOME') ?? '/root') : args[0] === '-' ? previous! : args[0];
  const path = resolvePath(shell.cwd, target);
  if (!files.isDirectory(path)) {
    const message = files.exists(path) ? 'Not a directory' : 'No such file or directory';
    return complain(call, shell.bash ? `${target}: ${message}` : `can't cd to ${target}: ${message}`);
  }
  shell.set('OLDPWD', shell.cwd);
  shell.cwd = path;
  shell.set('PWD', path);
  if (args[0] === '-') out(call, `${path}\n`);
  return 0;
}

async function read(call: Call): Promise<number> {
  const { shell } = call;
  const names: string[] = [];
  let raw = false;
  let prompt: string | undefined;
  let timeout: number | undefined;
  for (let i = 0; i < call.args.length; i++) {
    const arg = call.args[i]!;
    if (arg === '-p') prompt = call.args[++i] ?? '';
    else if (arg === '-t') timeout = Number(call.args[++i]);
    else if (/^-[rs]+$/.test(arg)) raw ||= arg.includes('r');
    else names.push(arg);
  }
  if (names.length === 0) names.push('REPLY');
  if (prompt !== undefined) call.streams.out.get(2)?.(prompt);
  const { clock } = call.interpreter.host.process;
  const line = defer<string | undefined>(clock);
  const cancel = timeout === undefined ? () => {} : clock.after(seconds(timeout), () => line.resolve(undefined));
  call.streams.stdin.line().then((text) => line.resolve(text));
  let text = await until(line.promise, call);
  cancel();
  const complete = text?.endsWith('\n') === true;
  text = (text ?? '').replace(/\n$/, '');
  while (!raw && complete && /(^|[^\\])(\\\\)*\\$/.test(text)) text = text.slice(0, -1) + ((await call.streams.stdin.line()) ?? '').replace(/\n$/, '');
  if (!raw) text = text.replace(/\\(.)/g, '$1');
  const ifs = shell.get('IFS') ?? ' \t\n';
  const blank = [...ifs].filter((c) => ' \t\n'.includes(c));
  const stripEnd = (value: string): string => {
    let end = value.length;
    while (end > 0 && blank.includes(value[end - 1]!)) end--;
    return value.slice(0, end);
  };
  let at = 0;
  const skip = () => {
    while (at < text!.length && blank.includes(text![at]!)) at++;
  };
  skip();
  names.forEach((name, i) => {
    if (i === names.length - 1) {
      shell.set(name, name === 'REPLY' && call.args.length === 0 ? text! : stripEnd(text!.slice(at)));
      return;
    }
    let end = at;
    while (end < text!.length && !ifs.includes(text![end]!)) end++;
    shell.set(name, text!.slice(at, end));
    at = end;
    skip();
    if (at < text!.length && ifs.includes(text![at]!) && !blank.includes(text![at]!)) {
      at++;
      skip();
    }
  });
  return complete ? 0 : 1;
}

const jobOf = (call: Call, spec: string | undefined): Job | undefined => {
  const { jobs } = call.shell;
  if (spec === undefined || spec === '%%' || spec === '%+') return jobs.filter((job) => job.code === undefined).at(-1);
  if (spec.startsWith('%')) return jobs.find((job) => job.id === Number(spec.slice(1)) || job.source.startsWith(spec.slice(1)));
  return jobs.find((job) => job.pid === Number(spec));
};

async function wait(call: Call): Promise<number> {
  const { shell, interpreter } = call;
  const waitOne = async (job: Job): Promise<number> => {
    // A trapped signal ends `wait` at once with a status above 128; then its trap runs (POSIX 2.11).
    const signalled = defer<number>(interpreter.host.process.clock);
    interpreter.onPending = (name) => signalled.resolve(128 + (SIGNAL_NUMBERS[name as Signal] ?? 0));
    job.done.then((code) => signalled.resolve(code));
    const code = await until(signalled.promise, call);
    interpreter.onPending = undefined;
    if (job.code !== undefined) shell.jobs = shell.jobs.filter((other) => other !== job);
    return code ?? 130;
  };
  const specs = call.args.filter((arg) => arg !== '-n');
  if (specs.length === 0) {
    for (const job of [...shell.jobs]) {
      const code = await waitOne(job);
      if (job.code === undefined) return code;
    }
    return 0;
  }
  let code = 0;
  for (const spec of specs) {
    const job = jobOf(call, spec);
    code = job ? await waitOne(job) : complain(call, spec.startsWith('%') ? `${spec}: no such job` : `pid ${spec} is not a child of this shell`, 127);
  }
  return code;
}

function kill(call: Call): number {
  let signal: Signal = 'TERM';
  const targets: string[] = [];
  for (let i = 0; i < call.args.length; i++) {
    const arg = call.args[i]!;
    if (arg === '-l') {
      out(call, `${Object.keys(SIGNAL_NUMBERS).join(' ')}\n`);
      return 0;
    }
    const text = arg === '-s' ? call.args[++i] : /^-\w/.test(arg) ? arg.slice(1) : undefined;
    if (text === undefined) {
      targets.push(arg);
      continue;
    }
    const name = Object.entries(SIGNAL_NUMBERS).find(([key, number]) => key === text.toUpperCase().replace(/^SIG/, '') || String(number) === text)?.[0];
    if (text === '0') continue;
    if (!name) return complain(call, `${text}: invalid signal specification`);
    signal = name as Signal;
  }
  if (targets.length === 0) return complain(call, 'usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]', 2);
  let code = 0;
  for (const target of targets) {
    const job = jobOf(call, target);
    if (job && job.code === undefined) {
      job.group.signal(signal);
      if (signal !== 'WINCH') job.group.stop(128 + SIGNAL_NUMBERS[signal]);
    } else if (target.startsWith('%')) code = complain(call, `${target}: no such job`);
    else if (!call.interpreter.host.machine.signal(Number(target), signal)) code = complain(call, `(${target}) - No such process`);
  }
  return code;
}

function trap(call: Call): number {
  const [action, ...names] = call.args.filter((arg) => arg !== '--');
  if (action === undefined) {
    for (const [name, text] of call.shell.traps) out(call, `trap -- ${single(text)} ${name === 'EXIT' ? name : `SIG${name}`}\n`);
    return 0;
  }
  for (const given of names.length > 0 ? names : [action]) {
    const upper = given.toUpperCase().replace(/^SIG/, '');
    const name = upper === '0' ? 'EXIT' : (Object.entries(SIGNAL_NUMBERS).find(([, number]) => String(number) === upper)?.[0] ?? upper);
    if (name !== 'EXIT' && !(name in SIGNAL_NUMBERS)) return complain(call, `${given}: invalid signal specification`);
    if (names.length === 0 || action === '-') call.shell.traps.delete(name);
    else call.shell.traps.set(name, action);
    if (name !== 'EXIT') call.interpreter.onTrap?.();
  }
  return 0;
}

function type(call: Call): number {
  let code = 0;
  for (const name of call.args) {
    const what = kindOf(call, name);
    if (what === undefined) code = complain(call, call.shell.bash ? `${name}: not found` : 'not found');
    else if (what.kind === 'alias') out(call, `${name} is aliased to \`${what.text}'\n`);
    else if (what.kind === 'function') out(call, `${name} is a function\n`);
    else if (what.kind === 'builtin') out(call, `${name} is a shell builtin\n`);
    else out(call, `${name} is ${what.text}\n`);
  }
  return code;
}

function kindOf(call: Call, name: string): { readonly kind: 'alias' | 'function' | 'builtin' | 'file'; readonly text: string } | undefined {
  const alias = call.shell.aliases.get(name);
  if (alias !== undefined) return { kind: 'alias', text: alias };
  if (call.shell.functions.has(name)) return { kind: 'function', text: name };
  if (name in BUILTINS) return { kind: 'builtin', text: name };
  const { files, machine } = call.interpreter.host;
  if (name.includes('/')) return files.exists(resolvePath(call.shell.cwd, name)) ? { kind: 'file', text: name } : undefined;
  for (const directory of ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'])
    if (files.exists(`${directory}/${name}`) && !files.isDirectory(`${directory}/${name}`)) return { kind: 'file', text: `${directory}/${name}` };
  return machine.has(name) ? { kind: 'file', text: `${name === 'kubectl' ? '/usr/local/bin' : call.shell.bash ? '/usr/bin' : '/bin'}/${name}` } : undefined;
}

async function command(call: Call): Promise<number> {
  const [first, ...rest] = call.args;
  if (first === undefined) return 0;
  if (first === '-v' || first === '-V') {
    if (first === '-V') return type({ ...call, args: rest });
    let code = 0;
    for (const name of rest) {
      const what = kindOf(call, name);
      if (!what) code = 1;
      else out(call, what.kind === 'alias' ? `alias ${name}=${single(what.text)}\n` : `${what.text}\n`);
    }
    return code;
  }
  return call.interpreter.invoke(first === '-p' ? rest : call.args, [], call.shell, call.streams, call.group, call.redirected, true);
}

async function source(call: Call): Promise<number> {
  const [path, ...args] = call.args;
  if (path === undefined) return complain(call, 'filename argument required', 2);
  const { shell, interpreter } = call;
  let text: string;
  try {
    text = interpreter.host.files.read(resolvePath(shell.cwd, path));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    call.streams.out.get(2)?.(`${shell.prefix}${shell.bash ? '' : `.: can't open '`}${path}${shell.bash ? '' : "'"}: ${error.message}\n`);
    return 1;
  }
  const before = shell.args;
  if (args.length > 0) shell.args = args;
  try {
    return await interpreter.text(text, shell, call.streams, call.group);
  } catch (error) {
    if (error instanceof Leave && error.how === 'return') return error.code;
    throw error;
  } finally {
    shell.args = before;
  }
}

async function exec(call: Call): Promise<number> {
  if (call.args.length === 0) {
    if (call.redirected) call.shell.redirected = call.streams;
    return 0;
  }
  throw new Leave('exit', await call.interpreter.invoke(call.args, [], call.shell, call.streams, call.group, true, true));
}

const leave =
  (how: 'exit' | 'return' | 'break' | 'continue'): Builtin =>
  (call) => {
    const [arg] = call.args;
    if (arg !== undefined && !/^-?\d+$/.test(arg)) {
      complain(call, call.shell.bash ? `${arg}: numeric argument required` : `Illegal number: ${arg}`);
      throw new Leave('exit', 2);
    }
    if (how === 'break' || how === 'continue') throw new Leave(how, 0, Math.max(1, Number(arg ?? 1)));
    throw new Leave(how, arg === undefined ? call.shell.status : Number(arg) & 255);
  };

const test: Builtin = (call) => {
  let { args } = call;
  if (call.name === '[') {
    if (args.at(-1) !== ']') return complain(call, "missing `]'", 2);
    args = args.slice(0, -1);
  }
  try {
    return evaluateTest(args, call.interpreter.host.files, call.shell.cwd) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return complain(call, error.message, 2);
  }
};

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  echo: (call) => {
    out(call, echoText(call.args));
    return 0;
  },
  printf: (call) => {
    const args = call.args[0] === '--' ? call.args.slice(1) : call.args;
    const variable = args[0] === '-v' ? args[1] : undefined;
    const [format, ...rest] = variable === undefined ? args : args.slice(2);
    if (format === undefined) return complain(call, 'usage: printf [-v var] format [arguments]', 2);
    const formatted = formatPrintf(format, rest);
    if (variable !== undefined) call.shell.set(variable, formatted.text);
    else out(call, formatted.text);
    for (const text of formatted.invalid) complain(call, `${text}: invalid number`);
    return formatted.invalid.length > 0 ? 1 : 0;
  },
  test,
  '[': test,
  pwd: (call) => {
    out(call, `${call.shell.cwd}\n`);
    return 0;
  },
  cd,
  read,
  wait,
  kill,
  trap,
  type,
  command,
  source,
  '.': source,
  exec,
  eval: (call) => call.interpreter.text(call.args.join(' '), call.shell, call.streams, call.group),
  set: setOptions,
  export: (call) => declare(call, { exported: true }),
  readonly: (call) => declare(call, { readonly: true }),
  local: (call) => declare(call, { local: true }),
  declare: (call) => declare(call, call.shell.covered.length > 0 && !call.args.includes('-g') ? { local: true } : {}),
  typeset: (call) => declare(call, call.shell.covered.length > 0 ? { local: true } : {}),
  unset: (call) => {
    for (const name of call.args.filter((arg) => !arg.startsWith('-'))) {
      if (call.shell.variables.get(name)?.readonly) throw new ShellError(`unset: ${name}: cannot unset: readonly variable`);
      if (!call.args.includes('-f') && indexesOf(call.shell, name).length > 0) removeElements(call.shell, name);
      else if (!call.args.includes('-f') && call.shell.variables.has(name)) call.shell.variables.delete(name);
      else if (!call.args.includes('-v')) call.shell.functions.delete(name);
    }
    return 0;
  },
  shift: (call) => {
    const by = Number(call.args[0] ?? 1);
    if (by > call.shell.args.length) return 1;
    call.shell.args = call.shell.args.slice(by);
    return 0;
  },
  exit: leave('exit'),
  logout: leave('exit'),
  return: leave('return'),
  break: leave('break'),
  continue: leave('continue'),
  let: (call) => {
    try {
      let value = 0;
      for (const arg of call.args)
        value = evaluateArithmetic(arg, { get: (name) => parameterValue(name, call.shell), set: (name, text) => call.shell.set(name, text) });
      return value === 0 ? 1 : 0;
    } catch (error) {
      if (!(error instanceof ArithmeticError)) throw error;
      return complain(call, error.message);
    }
  },
  alias: (call) => {
    if (call.args.length === 0)
      for (const [name, text] of [...call.shell.aliases].sort(([a], [b]) => (a < b ? -1 : 1))) out(call, `alias ${name}=${single(text)}\n`);
    let code = 0;
    for (const arg of call.args) {
      const at = arg.indexOf('=');
      if (at > 0) call.shell.aliases.set(arg.slice(0, at), arg.slice(at + 1));
      else if (call.shell.aliases.has(arg)) out(call, `alias ${arg}=${single(call.shell.aliases.get(arg)!)}\n`);
      else code = complain(call, `${arg}: not found`);
    }
    return code;
  },
  unalias: (call) => {
    if (call.args[0] === '-a') call.shell.aliases.clear();
    for (const name of call.args) if (name !== '-a' && !call.shell.aliases.delete(name)) return complain(call, `${name}: not found`);
    return 0;
  },
  history: (call) => {
    if (call.args[0] === '-c') call.shell.history.length = 0;
    const { history } = call.shell;
    const from = /^\d+$/.test(call.args[0] ?? '') ? Math.max(0, history.length - Number(call.args[0])) : 0;
    for (let i = from; i < history.length; i++) out(call, `${String(i + 1).padStart(5)}  ${history[i]}\n`);
    return 0;
  },
  jobs: (call) => {
    for (const job of call.shell.jobs) if (job.code === undefined) out(call, jobLine(job, call.shell.jobs));
    return 0;
  },
  fg: async (call) => {
    const job = jobOf(call, call.args[0]);
    if (!job) return complain(call, `${call.args[0] ?? 'current'}: no such job`);
    out(call, `${job.source}\n`);
    const forget = call.group.onStop((code) => {
      job.group.signal('INT');
      job.group.stop(code);
    });
    const code = await job.done;
    forget();
    call.shell.jobs = call.shell.jobs.filter((other) => other !== job);
    return code;
  },
  umask: (call) => {
    if (call.args.length === 0) out(call, '0022\n');
    return 0;
  },
  hash: () => 0,
  shopt: () => 0,
  ulimit: () => 0,
};

/** `[1]+  Running                 sleep 100 &`. */
export function jobLine(job: Job, jobs: readonly Job[]): string {
  const mark = job === jobs.at(-1) ? '+' : job === jobs.at(-2) ? '-' : ' ';
  const state =
    job.code === undefined
      ? 'Running'
      : job.code === 0
        ? 'Done'
        : job.code === 143
          ? 'Terminated'
          : job.code === 137
            ? 'Killed'
            : job.code === 130
              ? 'Interrupt'
              : `Exit ${job.code}`;
  return `[${job.id}]${mark}  ${state.padEnd(24)}${job.source}${job.code === undefined ? ' &' : ''}\n`;
}
