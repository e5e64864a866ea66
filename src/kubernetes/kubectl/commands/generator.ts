/** What a generator of `kubectl create` is, and what all of them use. */
import type { Json } from '../../api/json.ts';
import type { FlagSpecs } from '../flags.ts';
import type { ObjectLike, Session } from '../session.ts';

export interface Generator {
  readonly summary: string;
  readonly usage: string;
  readonly flags: FlagSpecs;
  readonly required?: readonly string[];
  readonly aliases?: readonly string[];
  /** Words after `--` are the container's command. */
  readonly command?: boolean;
  readonly manyNames?: boolean;
  /** The object. Throws KubectlError for flags that do not go together. */
  make(session: Session, name: string, rest: readonly string[]): ObjectLike | Promise<ObjectLike>;
}

export const newObject = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string | undefined,
  rest: { readonly [key: string]: Json | undefined },
  labels?: Json,
): ObjectLike =>
  ({ apiVersion, kind, metadata: { ...(labels ? { labels } : {}), name, ...(namespace ? { namespace } : {}) }, ...rest }) as unknown as ObjectLike;

/** An object says its namespace only when -n was given. */
export const ownNamespace = (session: Session): string | undefined => (session.namespaceGiven ? session.namespace : undefined);
