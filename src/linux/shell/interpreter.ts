/**
 * Runs a script's tree. Stages of a pipeline run at the same time, each in a copy of the shell, and hand
 * text on as it comes. Every command costs a little virtual time, so that no loop can stand still in it.
 */
import { us } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import { FileError, type Files } from '../files.ts';
import { elementAt, setElements } from './arrays.ts';
import { BUILTINS } from './builtins.ts';
import { ConditionError, evaluateConditional } from './condition.ts';
import { arithmetic, type Expander, expandPattern, expandText, expandWords } from './expand.ts';
import type { Machine, Running, StartIo, Terminal } from './machine.ts';
import { readLines } from './parser.ts';
import { patternToRegExp, resolvePath } from './pattern.ts';
import { Group, type Job, Leave, type Shell, ShellError, type Streams, type Write } from './state.ts';
import type { AndOr, Command, Pipeline, Redirect, Script } from './syntax.ts';
import { noInput, SharedInput, TextPipe, textInput } from './text-pipe.ts';

/** What a shell needs of the place it runs in. */
export interface ShellHost {
  readonly process: Process;
  readonly files: Files;
  readonly machine: Machine;
  readonly terminal?: Terminal | undefined;
  readonly root: Streams;
  start(argv: readonly string[], io: StartIo): Running | undefined;
  /** Programs beside the machine's own may be found by `start`: nothing is known not to exist. */
  readonly foreign: boolean;
}

export class Interpreter {
  /** Signals that came and whose traps have not run yet. */
  readonly pendingSignals: string[] = [];
  private trapping = false;
  /** Told of a trapped signal at once; `wait` listens. */
  onPending: ((name: string) => void) | undefined;
  /** Told when a trap is set: the program asks for signals only then. */
  onTrap: (() => void) | undefined;
  constructor(readonly host: ShellHost) {}

  /** Runs all of it; gives the last status. Throws Leave. */
  async script(script: Script, shell: Shell, streams: Streams, group: Group): Promise<number> {
    for (const item of script) {
      if (group.stopped !== undefined) throw new Leave('stopped', group.stopped);
      shell.line = item.line;
      if (this.pendingSignals.length > 0) await this.runTraps(shell, streams, group);
      if (item.background) this.background(item, shell, streams);
      else await this.andOr(item, shell, shell.redirected ?? streams, group);
      if (group.stopped !== undefined) throw new Leave('stopped', group.stopped);
    }
    return shell.status;
  }

  /** Text read and run line by line, so that an alias holds from the next line on. */
  async text(source: string, shell: Shell, streams: Streams, group: Group): Promise<number> {
    const lines = readLines(source, shell.aliases);
    for (let line = lines(); line; line = lines()) await this.script(line, shell, streams, group);
    return shell.status;
  }

  async runTraps(shell: Shell, streams: Streams, group: Group): Promise<void> {
    if (this.trapping) return;
    this.trapping = true;
    try {
      for (let name = this.pendingSignals.shift(); name !== undefined; name = this.pendingSignals.shift()) {
        const action = shell.traps.get(name);
        if (!action) continue;
        const status = shell.status;
        await this.text(action, shell, streams, group);
        shell.status = status;
      }
    } finally {
      this.trapping = false;
    }
  }

  private async andOr(item: AndOr, shell: Shell, streams: Streams, group: Group): Promise<void> {
    let pipeline = item.first;
    for (let i = 0; ; i++) {
      const last = i === item.rest.length;
      if (!last || pipeline.negate) shell.tested++;
      try {
        await this.pipeline(pipeline, shell, streams, group);
      } finally {
        if (!last || pipeline.negate) shell.tested--;
      }
      if (last && !pipeline.negate && shell.status !== 0 && shell.options.has('errexit') && shell.tested === 0) throw new Leave('exit', shell.status);
      let next = i;
      while (next < item.rest.length && (item.rest[next]!.operator === '&&') !== (shell.status === 0)) next++;
      if (next >= item.rest.length) return;
      pipeline = item.rest[next]!.pipeline;
      i = next;
    }
  }

  private async pipeline(pipeline: Pipeline, shell: Shell, streams: Streams, group: Group): Promise<void> {
    const began = this.host.process.clock.now();
    if (pipeline.commands.length === 1) shell.status = await this.command(pipeline.commands[0]!, shell, streams, group);
    else {
      let stdin = streams.stdin;
      let upstream: TextPipe | undefined;
      const stages: Promise<number>[] = [];
      pipeline.commands.forEach((command, i) => {
        const part = group.part();
        const input = upstream;
        const out = new Map(streams.out);
        let output: TextPipe | undefined;
        if (i < pipeline.commands.length - 1) {
          output = new TextPipe(this.host.process.clock);
          const pipe = output;
          out.set(1, (text) => pipe.write(text));
          if (pipeline.bothStreams[i]) out.set(2, (text) => pipe.write(text));
          // SIGPIPE: the next write after the reader has gone ends the writer.
          pipe.onBreak(() => {
            part.stop(141);
            part.kill(141);
          });
        }
        const own = { stdin, out };
        stages.push(
          this.subshell((copy) => this.command(command, copy, own, part), shell, own, part).then((code) => {
            this.host.process.clock.wake();
            group.leave(part);
            output?.close();
            input?.abandon();
            return code;
          }),
        );
        if (output) {
          upstream = output;
          stdin = new SharedInput(output);
        }
      });
      const codes = await Promise.all(stages);
      shell.status = shell.options.has('pipefail') ? (codes.filter((code) => code !== 0).at(-1) ?? 0) : codes.at(-1)!;
    }
    if (pipeline.negate) shell.status = shell.status === 0 ? 1 : 0;
    if (pipeline.timed) {
      const took = this.host.process.clock.now() - began;
      const real = `${Math.floor(took / 60_000_000)}m${((took % 60_000_000) / 1_000_000).toFixed(3)}s`;
      // Here simplified: programs take no processor time of their own.
      streams.out.get(2)?.(
        shell.bash ? `\nreal\t${real}\nuser\t0m0.000s\nsys\t0m0.000s\n` : `real\t${real.replace('m', 'm ')}\nuser\t0m 0.00s\nsys\t0m 0.00s\n`,
      );
    }
  }

  /** Runs in a copy of the shell; what leaves it, leaves only it. */
  async subshell(body: (copy: Shell) => Promise<number>, shell: Shell, streams: Streams, group: Group): Promise<number> {
    const copy = shell.fork();
    let code: number;
    try {
      code = await body(copy);
    } catch (error) {
      code = this.codeOf(error, copy, streams);
    }
    return this.exitTrap(code, copy, streams, group);
  }

  /** `trap … EXIT`. */
  async exitTrap(code: number, shell: Shell, streams: Streams, group: Group): Promise<number> {
    const action = shell.traps.get('EXIT');
    if (!action) return code;
    shell.traps.delete('EXIT');
    shell.status = code;
    try {
      await this.text(action, shell, streams, group);
    } catch (error) {
      if (error instanceof Leave && error.how === 'exit') return error.code;
      return this.codeOf(error, shell, streams);
    }
    return code;
  }

  /** The exit code an exception stands for; errors are reported. */
  codeOf(error: unknown, shell: Shell, streams: Streams): number {
    if (error instanceof Leave) return error.code;
    const write = streams.out.get(2) ?? (() => {});
    if (error instanceof ShellError) {
      write(`${shell.prefix}${error.message}\n`);
      return error.code;
    }
    if (error instanceof Error && error.name === 'ShellSyntaxError') {
      write(`${shell.prefix}${error.message}\n`);
      return 2;
    }
    throw error;
  }

  private background(item: AndOr, shell: Shell, streams: Streams): void {
    const group = new Group();
    const own: Streams = { stdin: new SharedInput(noInput), out: (shell.redirected ?? streams).out };
    const done = defer<number>(this.host.process.clock);
    const pid = this.host.machine.nextPid();
    const job: Job = { id: shell.nextJob++, pid, source: item.source, group, done: done.promise };
    shell.jobs.push(job);
    shell.lastBackground = pid;
    this.subshell(
      async (copy) => {
        copy.interactive = false;
        await this.andOr({ ...item, background: false }, copy, own, group);
        return copy.status;
      },
      shell,
      own,
      group,
    ).then(
      (code) => {
        job.code = code;
        done.resolve(code);
      },
      (error: Error) => done.reject(error),
    );
    if (shell.interactive) streams.out.get(2)?.(`[${job.id}] ${pid}\n`);
    shell.status = 0;
  }

  private expander(shell: Shell, streams: Streams, group: Group): Expander & { substituted: number } {
    const expander = {
      shell,
      /** Status of the latest command substitution: that of a command that is only assignments. */
      substituted: 0,
      files: this.host.files,
      substitute: async (body: Script) => {
        const pieces: string[] = [];
        const own: Streams = { stdin: streams.stdin, out: new Map(streams.out).set(1, (text) => pieces.push(text)) };
        expander.substituted = await this.subshell(
          async (copy) => {
            copy.interactive = false;
            copy.redirected = undefined;
            return this.script(body, copy, own, group);
          },
          shell,
          own,
          group,
        );
        return pieces.join('');
      },
    };
    return expander;
  }

  private async command(command: Command, shell: Shell, outer: Streams, group: Group): Promise<number> {
    switch (command.kind) {
      case 'simple':
        return this.simple(command, shell, outer, group);
      case 'function':
        shell.functions.set(command.name, command.body);
        return 0;
    }
    const expander = this.expander(shell, outer, group);
    const streams = command.redirects.length === 0 ? outer : await this.redirect(command.redirects, shell, outer, expander);
    if (typeof streams === 'number') return streams;
    switch (command.kind) {
      case 'subshell':
        return this.subshell((copy) => this.script(command.body, copy, streams, group), shell, streams, group);
      case 'group':
        return this.script(command.body, shell, streams, group);
      case 'if': {
        for (const branch of command.branches)
          if (await this.test(branch.condition, shell, streams, group)) return this.script(branch.body, shell, streams, group);
        shell.status = 0;
        return command.otherwise ? this.script(command.otherwise, shell, streams, group) : 0;
      }
      case 'loop':
        return this.loop(
          async () => (await this.test(command.condition, shell, streams, group)) !== command.until,
          () => this.script(command.body, shell, streams, group),
        );
      case 'for': {
        const words = command.words ? await expandWords(command.words, expander) : [...shell.args];
        return this.loop(
          async () => {
            const word = words.shift();
            if (word === undefined) return false;
            shell.set(command.name, word);
            return true;
          },
          () => this.script(command.body, shell, streams, group),
        );
      }
      case 'for-arithmetic': {
        await arithmetic(command.start, expander);
        let first = true;
        return this.loop(
          async () => {
            if (!first) await arithmetic(command.step, expander);
            first = false;
            return command.condition.length === 0 || (await arithmetic(command.condition, expander)) !== 0;
          },
          () => this.script(command.body, shell, streams, group),
        );
      }
      case 'case': {
        const text = await expandText(command.word, expander);
        let falling = false;
        let status = 0;
        for (const item of command.items) {
          let matches = falling;
          for (const pattern of item.patterns) matches ||= patternToRegExp(await expandPattern(pattern, expander)).test(text);
          if (!matches) continue;
          shell.status = 0;
          status = await this.script(item.body, shell, streams, group);
          falling = item.fallThrough;
          if (!falling) break;
        }
        return status;
      }
      case 'conditional': {
        await this.host.process.clock.sleep(us(10));
        const words = [];
        for (const word of command.words) {
          const literal = word.every((part) => part.kind === 'text' && !part.quoted);
          words.push({ text: await expandText(word, expander), pattern: await expandPattern(word, expander), literal });
        }
        try {
          return evaluateConditional(words, this.host.files, shell.cwd, (name) => shell.get(name) !== undefined) ? 0 : 1;
        } catch (error) {
          if (!(error instanceof ConditionError)) throw error;
          streams.out.get(2)?.(`${shell.prefix}[[: ${error.message}\n`);
          return 2;
        }
      }
      case 'arithmetic':
        await this.host.process.clock.sleep(us(10));
        return (await arithmetic(command.expression, expander)) === 0 ? 1 : 0;
    }
  }

  private async test(condition: Script, shell: Shell, streams: Streams, group: Group): Promise<boolean> {
    shell.tested++;
    try {
      return (await this.script(condition, shell, streams, group)) === 0;
    } finally {
      shell.tested--;
    }
  }

  private async loop(next: () => Promise<boolean>, body: () => Promise<number>): Promise<number> {
    let status = 0;
    for (;;) {
      this.host.process.clock.wake();
      try {
        if (!(await next())) return status;
        status = await body();
      } catch (error) {
        if (!(error instanceof Leave) || (error.how !== 'break' && error.how !== 'continue')) throw error;
        status = 0;
        if (error.levels > 1) {
          error.levels--;
          throw error;
        }
        if (error.how === 'break') return 0;
      }
    }
  }

  private async simple(command: Extract<Command, { kind: 'simple' }>, shell: Shell, outer: Streams, group: Group): Promise<number> {
    const expander = this.expander(shell, outer, group);
    await this.host.process.clock.sleep(us(10));
    const argv = await expandWords(command.words, expander);
    const streams = command.redirects.length === 0 ? outer : await this.redirect(command.redirects, shell, outer, expander);
    if (typeof streams === 'number') return streams;
    const assigned: [string, string][] = [];
    for (const assignment of command.assignments) {
      if (assignment.items) {
        if (!shell.bash) throw new ShellError('syntax error: unexpected "("', 2);
        setElements(shell, assignment.name, await expandWords(assignment.items, expander), assignment.append);
        continue;
      }
      const name = assignment.index ? elementAt(shell, assignment.name, await arithmetic(assignment.index, expander)) : assignment.name;
      const value = (assignment.append ? (shell.get(name) ?? '') : '') + (await expandText(assignment.value, expander));
      if (argv.length === 0) shell.set(name, value);
      else assigned.push([name, value]);
    }
    if (argv.length === 0) return expander.substituted;
    if (shell.options.has('xtrace'))
      streams.out.get(2)?.(`+ ${[...assigned.map(([name, value]) => `${name}=${value}`), ...argv.map(quoteForTrace)].join(' ')}\n`);
    return this.invoke(argv, assigned, shell, streams, group, command.redirects.length > 0);
  }

  /** A function, a builtin or a program, in that order. */
  async invoke(
    argv: readonly string[],
    assigned: readonly (readonly [string, string])[],
    shell: Shell,
    streams: Streams,
    group: Group,
    redirected = false,
    skipFunctions = false,
  ): Promise<number> {
    const name = argv[0]!;
    const body = skipFunctions ? undefined : shell.functions.get(name);
    const builtin = BUILTINS[name];
    if (body || builtin) {
      const covered = assigned.map(([key]) => [key, shell.variables.get(key)] as const);
      for (const [key, value] of assigned) shell.set(key, value, true);
      try {
        if (body) return await this.callFunction(body, argv, shell, streams, group);
        return await builtin!({ name, args: argv.slice(1), shell, streams, group, interpreter: this, redirected });
      } finally {
        for (const [key, variable] of covered) {
          if (variable) shell.variables.set(key, variable);
          else shell.variables.delete(key);
        }
      }
    }
    return this.program(argv, { ...shell.environment, ...Object.fromEntries(assigned) }, shell, streams, group);
  }

  private async callFunction(body: Command, argv: readonly string[], shell: Shell, streams: Streams, group: Group): Promise<number> {
    if (shell.covered.length > 200) throw new ShellError(`${argv[0]}: maximum function nesting level exceeded (200)`);
    const args = shell.args;
    shell.args = argv.slice(1);
    shell.covered.push(new Map());
    try {
      return await this.command(body, shell, streams, group);
    } catch (error) {
      if (error instanceof Leave && error.how === 'return') return error.code;
      throw error;
    } finally {
      shell.args = args;
      for (const [key, variable] of shell.covered.pop()!) {
        if (variable) shell.variables.set(key, variable);
        else shell.variables.delete(key);
      }
    }
  }

  private async program(argv: readonly string[], environment: Readonly<Record<string, string>>, shell: Shell, streams: Streams, group: Group): Promise<number> {
    const name = argv[0]!;
    const { files, root, machine } = this.host;
    const write = streams.out.get(2) ?? (() => {});
    let args = argv;
    if (name.includes('/')) {
      const path = resolvePath(shell.cwd, name);
      if (files.isDirectory(path)) {
        write(`${shell.prefix}${name}: ${shell.bash ? 'Is a directory' : 'Permission denied'}\n`);
        return 126;
      }
      const known = machine.has(path.split('/').at(-1)!) && (/^\/(usr\/(local\/)?)?s?bin\//.test(path) || files.exists(path));
      const text = files.exists(path) ? files.read(path) : undefined;
      if (!known && text === undefined && !this.host.foreign) {
        write(`${shell.prefix}${name}: ${shell.bash ? 'No such file or directory' : 'not found'}\n`);
        return 127;
      }
      // A script; its interpreter is always this shell. Here simplified: every file may be executed.
      if (!known && text !== undefined && (text.startsWith('#!') || !this.host.foreign)) args = ['sh', path, ...argv.slice(1)];
    }
    const terminal = streams.stdin === root.stdin && streams.out.get(1) === root.out.get(1) ? this.host.terminal : undefined;
    const running = this.host.start(args, {
      env: environment,
      cwd: shell.cwd,
      stdin: streams.stdin,
      stdout: streams.out.get(1) ?? (() => {}),
      stderr: write,
      terminal,
    });
    if (!running) {
      write(shell.bash ? `${shell.prefix}${name}: command not found\n` : `${shell.prefix}${name}: not found\n`);
      return 127;
    }
    group.children.add(running);
    const code = await running.exit;
    group.children.delete(running);
    return code;
  }

  /** Opens what the redirections name; a number is the exit code of one that failed. */
  async redirect(redirects: readonly Redirect[], shell: Shell, streams: Streams, expander: Expander): Promise<Streams | number> {
    let stdin = streams.stdin;
    const out = new Map(streams.out);
    const complain = (path: string, error: unknown, creating: boolean): number => {
      if (!(error instanceof FileError)) throw error;
      const message = error.code === 'ENOENT' && !shell.bash ? (creating ? 'nonexistent directory' : 'no such file') : error.message;
      streams.out.get(2)?.(shell.bash ? `${shell.prefix}${path}: ${message}\n` : `${shell.prefix}can't ${creating ? 'create' : 'open'} ${path}: ${message}\n`);
      return 1;
    };
    for (const redirect of redirects) {
      const { operator } = redirect;
      if (operator === '<<' || operator === '<<<') {
        stdin = new SharedInput(textInput((await expandText(redirect.target, expander)) + (operator === '<<<' ? '\n' : '')));
        continue;
      }
      const target = await expandText(redirect.target, expander);
      if ((operator === '>&' || operator === '<&') && /^\d+$|^-$/.test(target)) {
        const fd = redirect.fd ?? (operator === '>&' ? 1 : 0);
        if (target === '-') out.set(fd, () => {});
        else if (fd !== 0) {
          const source = out.get(Number(target));
          if (!source) {
            streams.out.get(2)?.(`${shell.prefix}${target}: Bad file descriptor\n`);
            return 1;
          }
          out.set(fd, source);
        }
        continue;
      }
      try {
        if (operator === '<' || operator === '<>') stdin = new SharedInput(this.openInput(target, shell, streams));
        else {
          const append = operator === '>>' || operator === '&>>';
          const write = this.openOutput(target, append, shell, streams);
          if (operator.startsWith('&') || (operator === '>&' && redirect.fd === undefined)) out.set(1, write).set(2, write);
          else out.set(redirect.fd ?? 1, write);
        }
      } catch (error) {
        return complain(target, error, operator !== '<');
      }
    }
    return { stdin, out };
  }

  private openInput(target: string, shell: Shell, streams: Streams) {
    if (target === '/dev/null') return noInput;
    if (target === '/dev/stdin' || target === '/dev/tty') return streams.stdin;
    return textInput(this.host.files.read(resolvePath(shell.cwd, target)));
  }

  private openOutput(target: string, append: boolean, shell: Shell, streams: Streams): Write {
    if (target === '/dev/null') return () => {};
    if (target === '/dev/stdout') return streams.out.get(1)!;
    if (target === '/dev/stderr') return streams.out.get(2)!;
    if (target === '/dev/tty') return this.host.root.out.get(1)!;
    const { files } = this.host;
    const path = resolvePath(shell.cwd, target);
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    if (!files.isDirectory(parent)) throw new FileError(files.exists(parent) ? 'ENOTDIR' : 'ENOENT', target);
    if (!append || !files.exists(path)) files.write(path, '');
    else if (files.isDirectory(path)) throw new FileError('EISDIR', target);
    return (text) => files.append(path, text);
  }
}

const quoteForTrace = (text: string): string => (text !== '' && /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
