import type { Ctl } from '../ctl.ts';
import type { FlagTable } from '../flags.ts';

/** A verb of etcdctl, or a group of them. */
export interface Command {
  /** The usage line after `etcdctl `. */
  readonly use: string;
  readonly short: string;
  /** What its help says beyond that. */
  readonly long?: string;
  readonly flags?: FlagTable;
  /** Flags of a group that all its commands take: on their pages they stand among the global ones. */
  readonly shared?: FlagTable;
  /** Throws CtlError; what the members refuse is EtcdError. */
  run?(ctl: Ctl, args: readonly string[]): Promise<void>;
  readonly commands?: Readonly<Record<string, Command>>;
}
