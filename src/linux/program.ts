/**
 * What a program is: a function of its process, its arguments, its files and its sockets. A container's
 * nginx, the busybox shell, kubectl on the laptop and the kube-apiserver in its static pod are all one.
 */
import type { Process } from '../sim/process.ts';
import type { Files } from './files.ts';
import type { Sockets } from './sockets.ts';

export type Signal = 'TERM' | 'INT' | 'KILL' | 'HUP' | 'QUIT' | 'WINCH';

/** Text that arrives piece by piece. */
export interface Input {
  /** The next piece as it came; undefined at the end. */
  read(): Promise<string | undefined>;
}

export interface ProgramContext {
  /** argv[0] is the name it was called by. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly hostname: string;
  readonly files: Files;
  readonly sockets: Sockets;
  /** Clock, luck, trace, children. */
  readonly process: Process;
  readonly stdin: Input;
  stdout(text: string): void;
  stderr(text: string): void;
  /** Set when standard output is a terminal. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** Without a handler TERM and INT end the program, except that pid 1 of a container ignores them (as Linux does); KILL cannot be handled. */
  onSignal(handler: (signal: Signal) => void): void;
  /** Runs another program found on this machine; 127 with the shell's message when there is none. */
  run(argv: readonly string[], io?: Partial<Pick<ProgramContext, 'env' | 'cwd' | 'stdin' | 'stdout' | 'stderr'>>): Promise<number>;
}

/** Resolves with the exit code. A rejection is a crash: exit code 1 and the message on stderr. */
export type Program = (self: ProgramContext) => Promise<number>;
