/** Standard input, a line at a time: a person types it, and what is said must be answered before the next line comes. */
import type { ProgramContext } from '../../../linux/program.ts';

export class Lines {
  private rest = '';
  private over = false;

  constructor(private readonly self: Pick<ProgramContext, 'stdin'>) {}

  /** Without its newline; undefined when the input ends before one, as Go's `ReadString('\n')` fails then. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const at = this.rest.indexOf('\n');
      if (at >= 0) {
        const line = this.rest.slice(0, at);
        this.rest = this.rest.slice(at + 1);
        return line;
      }
      if (this.over) return undefined;
      const piece = await this.self.stdin.read();
      if (piece === undefined) this.over = true;
      else this.rest += piece;
    }
  }
}
