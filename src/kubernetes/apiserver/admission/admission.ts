/**
 * Admission: what may be written, and what is added to it on the way (apiserver `pkg/admission`).
 * A plugin reads the watch cache; only where the cache may be a moment behind does it ask etcd.
 *
 * The plugins' order is upstream's (`index.ts`). Those a cluster does not need to boot live in a bundle of
 * their own (`lazy.ts`, `bundle.ts`): a request they do not concern costs one look into the watch cache.
 */
import type { Clock } from '../../../sim/clock.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ResourceRow } from '../../api/resources.ts';
import type { User } from '../authentication.ts';
import type { Call } from '../call.ts';
import type { Attributes as Access } from '../rbac.ts';
import type { Stored } from '../resource-cache.ts';
import type { WebhookSource } from '../webhook-client.ts';

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
  /** The request this is part of: where warnings and facts go. */
  readonly call: Call;
  /** CreateOptions, UpdateOptions or DeleteOptions, as webhooks are told. */
  readonly options?: object | undefined;
}
export type Writing = Attributes & { readonly object: KubeObject };

/** What plugins may look at. */
export interface World {
  readonly clock: Clock;
  /** From the cache. */
  get(key: string): KubeObject | undefined;
  /** From etcd, when the cache has not got it. */
  live(key: string): Promise<Stored | undefined>;
  under(prefix: string): Iterable<Stored>;
  /** Is there anything at all? Cheap enough for every request. */
  any(prefix: string): boolean;
  /** The resource of a kind, custom ones too. */
  rowOf(kind: { readonly apiVersion?: string; readonly kind?: string }): ResourceRow | undefined;
  /** The revision of the last change under a resource's prefix; what is derived from the resource is good until it moves. */
  version(prefix: string): number;
  /** Five random characters, as generated names have. */
  suffix(): string;
  uid(): string;
  timestamp(): string;
  defaults(row: ResourceRow, object: KubeObject): KubeObject;
  allowed(user: User, what: Access): boolean;
  /** Loads a part of the program while the clock stands still. */
  outside<T>(work: Promise<T>): Promise<T>;
  /** The way to webhooks. */
  readonly webhookSource: WebhookSource;
  /** Writes an object's status as the server itself. Rejects with 409 when `object` is no longer the newest. */
  writeStatus(row: ResourceRow, object: KubeObject, quiet: boolean): Promise<KubeObject>;
}

export interface Plugin {
  readonly name: string;
  /** The only resources (plurals) it ever has anything to do with; all when undefined. */
  readonly about?: ReadonlySet<string>;
  /** Returns the object to go on with. Throws Forbidden. */
  mutate?(attributes: Writing, world: World): KubeObject | Promise<KubeObject>;
  /** Throws Forbidden. */
  validate?(attributes: Attributes, world: World): void | Promise<void>;
}

export class Admission {
  private readonly mutating: readonly Plugin[];
  private readonly validating: readonly Plugin[];
  /** Those of them that need be asked about a resource: of two dozen, most writes concern a handful. */
  private readonly chains = new WeakMap<ResourceRow, { readonly mutating: readonly Plugin[]; readonly validating: readonly Plugin[] }>();
  constructor(
    plugins: readonly Plugin[],
    private readonly world: World,
  ) {
    this.mutating = plugins.filter((plugin) => plugin.mutate !== undefined);
    this.validating = plugins.filter((plugin) => plugin.validate !== undefined);
  }

  private chain(row: ResourceRow) {
    let chain = this.chains.get(row);
    if (!chain) {
      const asked = ({ about }: Plugin): boolean => !about || about.has(row.plural);
      chain = { mutating: this.mutating.filter(asked), validating: this.validating.filter(asked) };
      this.chains.set(row, chain);
    }
    return chain;
  }

  /** All mutating plugins in order. A promise only when one of them had to ask somebody. */
  mutate(attributes: Writing): KubeObject | Promise<KubeObject> {
    attributes.call.reinvocation = undefined;
    return this.mutateFrom(0, attributes);
  }

  private mutateFrom(start: number, attributes: Writing): KubeObject | Promise<KubeObject> {
    const { call, row } = attributes;
    const { mutating } = this.chain(row);
    let now = attributes;
    for (let i = start; i < mutating.length; i++) {
      const plugin = mutating[i]!;
      let next: KubeObject | Promise<KubeObject>;
      try {
        next = plugin.mutate!(now, this.world);
      } catch (error) {
        throw denied(now, plugin, error);
      }
      if (next instanceof Promise) {
        const before = now;
        return next.then(
          (settled) => {
            call.resume();
            if (settled !== before.object) call.mutated(plugin.name, before.object, settled);
            return this.mutateFrom(i + 1, { ...attributes, object: settled });
          },
          (error) => {
            call.resume();
            throw denied(before, plugin, error);
          },
        );
      }
      if (next !== now.object) {
        call.mutated(plugin.name, now.object, next);
        now = { ...attributes, object: next };
      }
    }
    const again = call.reinvocation;
    if (!again?.should || again.is) return now.object;
    // A webhook changed something: everybody before it has another look, once (pkg/admission/reinvocation.go).
    again.is = true;
    return this.mutateFrom(0, now);
  }

  /** All validating plugins in order; undefined when none had to ask anybody. */
  validate(attributes: Attributes): Promise<void> | undefined {
    return this.validateFrom(0, attributes);
  }

  /** A policy of the watch cache is new or has changed: its expressions are checked, and its status told. */
  policyChanged(policy: KubeObject): void {
    const { observedGeneration } = (policy as { status?: { observedGeneration?: number } }).status ?? {};
    if (observedGeneration === policy.metadata.generation) return;
    const { world } = this;
    world.outside(import('./policy/status.ts')).then(
      // When etcd is away the policy is checked with its next change.
      ({ writePolicyStatus }) => writePolicyStatus(policy, world).catch(() => {}),
    );
  }

  /**
   * Asks webhooks and policies about exec, binding and the like before they happen; undefined when there are none, or
   * when the call is nothing of that kind. Here simplified: what a mutating webhook makes of the options is not used.
   */
  connect(call: Call): Promise<void> | undefined {
    if (call.path.subresource === '' || !HOOKS.some((prefix) => this.world.any(prefix))) return undefined;
    return this.told(call);
  }

  private async told(call: Call): Promise<void> {
    const { throughSubresource } = await this.world.outside(import('./connect.ts'));
    const attributes = throughSubresource(call);
    if (!attributes) return;
    for (const plugin of [...this.mutating, ...this.validating]) {
      if (!ASKED.has(plugin.name)) continue;
      try {
        await plugin.mutate?.(attributes, this.world);
        await plugin.validate?.(attributes, this.world);
      } catch (error) {
        call.resume();
        throw denied(attributes, plugin, error);
      }
      call.resume();
    }
  }

  private validateFrom(start: number, attributes: Attributes): Promise<void> | undefined {
    const { validating } = this.chain(attributes.row);
    for (let i = start; i < validating.length; i++) {
      const plugin = validating[i]!;
      let verdict: void | Promise<void>;
      try {
        verdict = plugin.validate!(attributes, this.world);
      } catch (error) {
        throw denied(attributes, plugin, error);
      }
      if (verdict instanceof Promise) {
        return verdict.then(
          () => {
            attributes.call.resume();
            return this.validateFrom(i + 1, attributes);
          },
          (error) => {
            attributes.call.resume();
            throw denied(attributes, plugin, error);
          },
        );
      }
    }
    return undefined;
  }
}

const HOOKS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'validatingadmissionpolicybindings'].map((plural) => `/registry/${plural}/`);
const ASKED = new Set(['MutatingAdmissionWebhook', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionWebhook']);

/** Refusals by a plugin are facts; the error goes on as it came. */
const told = new WeakSet<object>();
function denied({ call, object, operation }: Attributes, plugin: Plugin, error: unknown): unknown {
  if (error instanceof Error && !told.has(error)) {
    told.add(error);
    call.stage('api.deny', { plugin: plugin.name, operation, message: error.message, ...(object ? { object } : {}) });
  }
  return error;
}

/** The name a refusal speaks of (admission.extractResourceName). */
export const nameOf = ({ object, old, call }: Attributes): string =>
  call.path.name || object?.metadata.name || object?.metadata.generateName || old?.metadata.name || 'Unknown';
