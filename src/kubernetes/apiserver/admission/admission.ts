/**
 * Admission: what may be written, and what is added to it on the way (apiserver `pkg/admission`).
 * A plugin reads the watch cache; only where the cache may be a moment behind does it ask etcd.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { ResourceRow } from '../../api/resources.ts';
import type { User } from '../authentication.ts';
import type { Stored } from '../resource-cache.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface Attributes {
  readonly operation: Operation;
  readonly row: ResourceRow;
  readonly subresource: string;
  readonly namespace: string;
  readonly user: User;
  readonly dryRun: boolean;
  /** Undefined for DELETE. */
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
}
export type Writing = Attributes & { readonly object: KubeObject };

/** What plugins may look at. */
export interface World {
  /** From the cache. */
  get(key: string): KubeObject | undefined;
  /** From etcd, when the cache has not got it. */
  live(key: string): Promise<Stored | undefined>;
  under(prefix: string): Iterable<Stored>;
  /** Five random characters, as generated names have. */
  suffix(): string;
}

export interface Plugin {
  readonly name: string;
  /** Returns the object to go on with. Throws Forbidden. */
  mutate?(attributes: Writing, world: World): KubeObject | Promise<KubeObject>;
  /** Throws Forbidden. */
  validate?(attributes: Attributes, world: World): void | Promise<void>;
}

export class Admission {
  private readonly mutating: readonly Plugin[];
  private readonly validating: readonly Plugin[];
  constructor(
    plugins: readonly Plugin[],
    private readonly world: World,
  ) {
    this.mutating = plugins.filter((plugin) => plugin.mutate !== undefined);
    this.validating = plugins.filter((plugin) => plugin.validate !== undefined);
  }

  /** All mutating plugins in order. A promise only when one of them had to ask etcd. */
  mutate(attributes: Writing): KubeObject | Promise<KubeObject> {
    return this.mutateFrom(0, attributes);
  }

  private mutateFrom(start: number, attributes: Writing): KubeObject | Promise<KubeObject> {
    let now = attributes;
    for (let i = start; i < this.mutating.length; i++) {
      const next = this.mutating[i]!.mutate!(now, this.world);
      if (next instanceof Promise) return next.then((settled) => this.mutateFrom(i + 1, { ...attributes, object: settled }));
      if (next !== now.object) now = { ...attributes, object: next };
    }
    return now.object;
  }

  /** All validating plugins in order; undefined when none had to ask etcd. */
  validate(attributes: Attributes): Promise<void> | undefined {
    return this.validateFrom(0, attributes);
  }

  private validateFrom(start: number, attributes: Attributes): Promise<void> | undefined {
    for (let i = start; i < this.validating.length; i++) {
      const verdict = this.validating[i]!.validate!(attributes, this.world);
      if (verdict instanceof Promise) return verdict.then(() => this.validateFrom(i + 1, attributes));
    }
    return undefined;
  }
}
