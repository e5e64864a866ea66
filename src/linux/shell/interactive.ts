/** A shell at a terminal: prompt, read a line, run it, again. */
import type { Process } from '../../sim/process.ts';
import type { ProgramContext } from '../program.ts';
import { jobLine } from './builtins.ts';
import { completeLine } from './complete.ts';
import { Interpreter, type ShellHost } from './interpreter.ts';
import { LineEditor } from './line-editor.ts';
import type { Machine, Running } from './machine.ts';
import { parseScript } from './parser.ts';
import { sh } from './shell.ts';
import { Group, Leave, type Shell, type Streams } from './state.ts';
import { ShellSyntaxError } from './syntax.ts';
import { SharedInput, TextPipe } from './text-pipe.ts';
import { Tty } from './tty.ts';

export async function runInteractive(self: ProgramContext, shell: Shell, host: ShellHost): Promise<number> {
  const screen = self.terminal ?? { columns: 80, rows: 24 };
  const { clock } = self.process;
  // The terminal above gives every key to us; we are the line discipline for what we run.
  const above = screen as { setRaw?(raw: boolean): void };
  above.setRaw?.(true);
  const tty = new Tty(clock, screen, self.stdout);
  const stdin = new SharedInput(tty);
  const print = tty.print;
  const streams: Streams = {
    stdin,
    out: new Map([
      [1, print],
      [2, print],
    ]),
  };
  const interpreter = new Interpreter({
    ...host,
    terminal: tty,
    root: streams,
  });
  shell.interactive = true;
  shell.origin = 'prompt';
  const rc = `${shell.get('HOME') ?? '/root'}/${shell.bash ? '.bashrc' : '.profile'}`;
  let group = new Group();
  tty.onInterrupt = () => {
    print('\n');
    group.stop(130);
    group.signal('INT');
  };
  tty.onQuit = () => {
    print('\n');
    group.stop(131);
    group.signal('QUIT');
  };
  // INT and TERM do not end a shell at a prompt.
  self.onSignal((signal) => {
    if (signal === 'HUP') tty.close();
    else if (signal === 'WINCH') group.signal('WINCH');
    else if (signal === 'INT') {
      group.stop(130);
      group.signal('INT');
    }
  });
  (async () => {
    for (let keys = await self.stdin.read(); keys !== undefined; keys = await self.stdin.read()) {
      clock.wake();
      tty.keys(keys);
    }
    tty.close();
  })();

  const run = async (text: string): Promise<number | undefined> => {
    group = new Group();
    try {
      shell.status = await interpreter.script(parseScript(text, shell.aliases), shell, streams, group);
    } catch (error) {
      if (error instanceof Leave && error.how === 'exit' && group.stopped === undefined) return error.code;
      if (error instanceof Leave) shell.status = error.code;
      else shell.status = interpreter.codeOf(error, shell, streams);
    }
    return undefined;
  };

  const editor = new LineEditor(
    clock,
    screen,
    self.stdout,
    () => shell.history,
    (line, cursor) => completeLine(line, cursor, shell, host),
  );
  let left: number | undefined;
  if (host.files.exists(rc) && !host.files.isDirectory(rc)) left = await run(host.files.read(rc));
  while (left === undefined && !tty.closed) {
    for (const job of shell.jobs) if (job.code !== undefined && !job.reported) print(jobLine(job, shell.jobs));
    shell.jobs = shell.jobs.filter((job) => job.code === undefined);
    const text = await readCommand(tty, editor, shell);
    if (text === undefined) {
      if (!tty.closed && shell.bash) print('exit\n');
      left = shell.status;
      break;
    }
    if (text.trim() === '') continue;
    if (shell.history.at(-1) !== text) shell.history.push(text);
    left = await run(text);
  }
  above.setRaw?.(false);
  return interpreter.exitTrap(left ?? 129, shell, streams, new Group());
}

/** Lines until they make a whole command; an empty text after Ctrl-C, undefined at the end of input. */
async function readCommand(tty: Tty, editor: LineEditor, shell: Shell): Promise<string | undefined> {
  let text = '';
  let prompt = expandPrompt(shell.get('PS1') ?? (shell.bash ? '\\u@\\h:\\w\\$ ' : '\\w \\$ '), shell);
  for (;;) {
    tty.setRaw(false);
    const line = editor.read(prompt);
    let ended = false;
    tty.onClose = () => {
      ended = true;
      editor.keys('\x15\x0b\x04');
    };
    tty.editor = (keys) => {
      const rest = editor.keys(keys);
      if (!editor.reading) tty.editor = undefined;
      return rest;
    };
    tty.pump();
    const result = await line;
    tty.editor = undefined;
    if (ended) return undefined;
    if (result.how === 'interrupt') {
      shell.status = 130;
      return '';
    }
    if (result.how === 'end') {
      if (text === '') return undefined;
      return text;
    }
    text += (text === '' ? '' : '\n') + expandHistory(result.text, shell);
    try {
      // A trailing newline lets a here-document end with its delimiter.
      parseScript(`${text}\n`, shell.aliases);
      return text.endsWith('\\') ? text : `${text}${text.includes('<<') ? '\n' : ''}`;
    } catch (error) {
      if (!(error instanceof ShellSyntaxError) || !error.incomplete) return text;
      prompt = shell.get('PS2') ?? '> ';
    }
  }
}

/** `!!` and `!prefix`. */
function expandHistory(line: string, shell: Shell): string {
  return line.replace(/^!(!|-?\d+|[a-z]\S*)/, (match, what: string) => {
    const { history } = shell;
    if (what === '!') return history.at(-1) ?? match;
    if (/^-?\d+$/.test(what)) return history.at(Number(what) > 0 ? Number(what) - 1 : Number(what)) ?? match;
    return [...history].reverse().find((old) => old.startsWith(what)) ?? match;
  });
}

function expandPrompt(ps1: string, shell: Shell): string {
  const home = shell.get('HOME') ?? '/root';
  const user = shell.get('USER') ?? 'root';
  const where = home !== '/' && (shell.cwd === home || shell.cwd.startsWith(`${home}/`)) ? `~${shell.cwd.slice(home.length)}` : shell.cwd;
  const expansions: Readonly<Record<string, string>> = {
    u: user,
    h: (shell.get('HOSTNAME') ?? 'localhost').split('.')[0]!,
    H: shell.get('HOSTNAME') ?? 'localhost',
    w: where,
    W: where.split('/').at(-1) || '/',
    $: user === 'root' ? '#' : '$',
    n: '\r\n',
    e: '\x1b',
    s: shell.bash ? 'bash' : 'sh',
    '[': '',
    ']': '',
    '\\': '\\',
  };
  return ps1.replace(/\\033/g, '\x1b').replace(/\\(.)/g, (match, letter: string) => expansions[letter] ?? match);
}

export interface TerminalOptions {
  readonly self: Process;
  readonly machine: Machine;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly columns: number;
  readonly rows: number;
  /** What the terminal shows: VT sequences, lines ended by CR LF. */
  write(text: string): void;
  /** `bash` by default. */
  readonly shell?: string;
  /** Told when the shell ends. Without it a new one is started. */
  onExit?(code: number): void;
}

/** A person's terminal on a machine: keys in, VT sequences out. */
export function createTerminal(options: TerminalOptions): { keys(text: string): void; resize(columns: number, rows: number): void; close(): void } {
  const { self, machine } = options;
  const size = { columns: options.columns, rows: options.rows };
  let keys: TextPipe;
  let running: Running;
  let closed = false;
  const start = () => {
    keys = new TextPipe(self.clock);
    running = machine.startProgram(sh, {
      parent: self,
      argv: [options.shell ?? 'bash'],
      env: { TERM: 'xterm-256color', HOSTNAME: machine.options.hostname, ...options.env },
      cwd: options.cwd,
      stdin: keys,
      stdout: options.write,
      stderr: options.write,
      terminal: {
        get columns() {
          return size.columns;
        },
        get rows() {
          return size.rows;
        },
      },
    });
    running.exit.then((code) => {
      if (closed) return;
      if (options.onExit) options.onExit(code);
      else start();
    });
  };
  start();
  return {
    keys: (text) => keys.write(text),
    resize: (columns, rows) => {
      size.columns = columns;
      size.rows = rows;
      running.signalGroup('WINCH');
    },
    close: () => {
      closed = true;
      running.kill(129);
    },
  };
}
