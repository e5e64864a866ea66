/** What a command of kubectl is. */
import type { FlagSpecs } from '../flags.ts';
import type { Session } from '../session.ts';

export interface Command {
  /** One line, as `kubectl --help` lists it. */
  readonly summary: string;
  /** `kubectl get [(-o|--output=)…] (TYPE…)`: printed by --help after `Usage:`. */
  readonly usage?: string;
  readonly flags?: FlagSpecs;
  /** Flags that must be given (`required flag(s) "image" not set`). */
  readonly required?: readonly string[];
  readonly run?: (session: Session, args: readonly string[]) => Promise<void>;
  readonly subcommands?: Readonly<Record<string, Command>>;
  readonly aliases?: readonly string[];
}
