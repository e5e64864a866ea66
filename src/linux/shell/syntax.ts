/** The tree a script is read into: POSIX shell grammar (XCU 2.10) with the parts of bash people type every day. */

/** One piece of a word. `quoted` pieces are neither split nor globbed. */
export type WordPart =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  /** `index`: of an array, or all of it. */
  | { readonly kind: 'parameter'; readonly name: string; readonly index?: Word | '@' | '*'; readonly quoted: boolean; readonly operation?: ParameterOperation }
  | { readonly kind: 'command'; readonly body: Script; readonly quoted: boolean }
  | { readonly kind: 'arithmetic'; readonly expression: Word; readonly quoted: boolean };
export type Word = readonly WordPart[];

export type ParameterOperation =
  | { readonly kind: 'length' }
  | { readonly kind: 'indirect' }
  /** `:-`, `-`, `:=`, `=`, `:?`, `?`, `:+`, `+`. */
  | { readonly kind: 'default'; readonly operator: '-' | '=' | '?' | '+'; readonly colon: boolean; readonly word: Word }
  /** `#`, `##`, `%`, `%%`. */
  | { readonly kind: 'trim'; readonly side: 'prefix' | 'suffix'; readonly greedy: boolean; readonly pattern: Word }
  | { readonly kind: 'substring'; readonly offset: Word; readonly length?: Word }
  | { readonly kind: 'replace'; readonly all: boolean; readonly anchor: '' | '#' | '%'; readonly pattern: Word; readonly replacement: Word }
  | { readonly kind: 'case'; readonly to: 'upper' | 'lower'; readonly all: boolean };

export interface Redirect {
  readonly fd?: number;
  readonly operator: '<' | '>' | '>>' | '>|' | '<>' | '<&' | '>&' | '&>' | '&>>' | '<<' | '<<<';
  readonly target: Word;
}

export interface Assignment {
  readonly name: string;
  readonly append: boolean;
  readonly value: Word;
  /** `name=(a b c)`: a whole array, and no `value`. */
  readonly items?: readonly Word[];
  /** `name[i]=value` */
  readonly index?: Word;
}

export type Command =
  | { readonly kind: 'simple'; readonly assignments: readonly Assignment[]; readonly words: readonly Word[]; readonly redirects: readonly Redirect[] }
  | { readonly kind: 'subshell'; readonly body: Script; readonly redirects: readonly Redirect[] }
  | { readonly kind: 'group'; readonly body: Script; readonly redirects: readonly Redirect[] }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly condition: Script; readonly body: Script }[];
      readonly otherwise?: Script;
      readonly redirects: readonly Redirect[];
    }
  | { readonly kind: 'loop'; readonly until: boolean; readonly condition: Script; readonly body: Script; readonly redirects: readonly Redirect[] }
  | { readonly kind: 'for'; readonly name: string; readonly words?: readonly Word[]; readonly body: Script; readonly redirects: readonly Redirect[] }
  | {
      readonly kind: 'for-arithmetic';
      readonly start: Word;
      readonly condition: Word;
      readonly step: Word;
      readonly body: Script;
      readonly redirects: readonly Redirect[];
    }
  | {
      readonly kind: 'case';
      readonly word: Word;
      readonly items: readonly { readonly patterns: readonly Word[]; readonly body: Script; readonly fallThrough: boolean }[];
      readonly redirects: readonly Redirect[];
    }
  | { readonly kind: 'function'; readonly name: string; readonly body: Command }
  | { readonly kind: 'conditional'; readonly words: readonly Word[]; readonly redirects: readonly Redirect[] }
  | { readonly kind: 'arithmetic'; readonly expression: Word; readonly redirects: readonly Redirect[] };

export interface Pipeline {
  readonly negate: boolean;
  /** `time` stood before it. */
  readonly timed: boolean;
  readonly commands: readonly Command[];
  /** For each `|`, whether it was `|&`. */
  readonly bothStreams: readonly boolean[];
}
export interface AndOr {
  readonly first: Pipeline;
  readonly rest: readonly { readonly operator: '&&' | '||'; readonly pipeline: Pipeline }[];
  readonly background: boolean;
  /** As it was typed; `jobs` shows it. */
  readonly source: string;
  readonly line: number;
}
export type Script = readonly AndOr[];

/** A script that is not one. `incomplete`: more lines could make it whole (an interactive shell then asks for them). */
export class ShellSyntaxError extends Error {
  constructor(
    readonly token: string,
    readonly line: number,
    readonly incomplete: boolean,
  ) {
    super(incomplete ? 'syntax error: unexpected end of file' : `syntax error near unexpected token \`${token === '\n' ? 'newline' : token}'`);
    this.name = 'ShellSyntaxError';
  }
}
