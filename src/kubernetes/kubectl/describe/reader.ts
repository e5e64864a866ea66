/** How descriptions look at other objects: pods of a controller, endpoints of a service, events. */

import type { Instant } from '../../../sim/clock.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Kind, Kinds } from '../../api/types.gen.ts';
import type { Sheet } from './sheet.ts';

export interface Reader {
  /** Undefined when there is none. */
  get(kind: Kind, namespace: string, name: string): Promise<KubeObject | undefined>;
  /** An empty namespace lists all of them. */
  list(kind: Kind, namespace: string, query?: { labelSelector?: string; fieldSelector?: string }): Promise<readonly KubeObject[]>;
}

export interface Context {
  readonly read: Reader;
  readonly now: Instant;
  readonly showEvents: boolean;
}

/** Writes the description of one object of a kind. */
export type Describer<T> = (sheet: Sheet, object: T, context: Context) => Promise<void>;

/** list, typed. */
export const listOf = async <K extends Kind>(
  read: Reader,
  kind: K,
  namespace: string,
  query?: { labelSelector?: string; fieldSelector?: string },
): Promise<readonly Kinds[K][]> => (await read.list(kind, namespace, query)) as unknown as readonly Kinds[K][];

/** get, typed. */
export const getOf = async <K extends Kind>(read: Reader, kind: K, namespace: string, name: string): Promise<Kinds[K] | undefined> =>
  (await read.get(kind, namespace, name)) as unknown as Kinds[K] | undefined;
