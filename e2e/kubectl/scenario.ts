/** Scenarios as data: what is typed at a shell, and the files that lie beside it. */

export interface Scenario {
  readonly name: string;
  /** Lines for a shell, one after the other; `wait(30)` lets that much virtual time pass in between. */
  readonly steps: readonly (string | Wait)[];
  /** Written into the working directory before the first step. */
  readonly files?: Readonly<Record<string, string>>;
  /** Lines of output may come in another order: names that end in random letters, nodes chosen by luck. */
  readonly unordered?: boolean;
}

export interface Wait {
  readonly wait: number;
}

/** Virtual seconds. */
export const wait = (seconds: number): Wait => ({ wait: seconds });

/** Scenarios that share one world, each with names of its own. */
export interface Family {
  readonly name: string;
  readonly scenarios: readonly Scenario[];
}

/** What a line of a shell did. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}
