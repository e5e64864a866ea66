/**
 * The generic registry: create, update, delete of any kind, as upstream's genericregistry.Store does
 * (apiserver `pkg/registry/generic/registry/store.go`, `pkg/registry/rest`). Kinds differ by their
 * Strategy; reads are in `read.ts`.
 */
import type { Process } from '../../../sim/process.ts';
import type { Rng } from '../../../sim/rng.ts';
import type { KubeObject } from '../../api/meta.ts';
import { type ResourceRow, storageKey } from '../../api/resources.ts';
import { timestamp } from '../../api/time.ts';
import type { Admission, Operation } from '../admission/admission.ts';
import { customOf } from '../apiextensions/custom-kind.ts';
import { inVersion, stored } from '../apiextensions/versions.ts';
import { border } from '../border.ts';
import type { Call } from '../call.ts';
import { alreadyExists, conflict, failure, generateNameConflict, modified, notFound, quote } from '../errors.ts';
import { afterCreate, afterUpdate, beforeCreate, beforeUpdate } from '../managed-fields/ownership.ts';
import type { Stored } from '../resource-cache.ts';
import type { Outcome, Storage } from '../storage.ts';
import { finalizersAfterDelete, gracefulDelete } from './delete.ts';
import { equalJson } from './equal.ts';
import { specFinalizers, terminating } from './namespace.ts';
import { contentChanged, invalidField, isReadyToGo, keep, sameBut } from './objects.ts';
import { type DeleteOptions, hasStatus, type Strategy } from './strategy.ts';

/** Upstream's alphabet without vowels, so that no words appear (apimachinery `util/rand`). */
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
/** maxGeneratedNameLength: 63 less the five random characters. */
const LONGEST_BASE = 58;

/** What the kinds' own rules say; written apart from the machinery. */
export interface Rules {
  defaults(row: ResourceRow, object: KubeObject): KubeObject;
  /** Of a new object, or of an update of the main resource (then with `old`). Throws Invalid (422). */
  validate(row: ResourceRow, object: KubeObject, old: KubeObject | undefined, warn?: (text: string) => void, subresource?: string): void;
}

/** Computes the next state; throws what the caller should be told. */
export type Transform = (current: Stored) => KubeObject;

/** `raw`: a subresource of our own making (binding, scale, finalize) has set exactly what it may. */
type Mode = 'main' | 'status' | 'raw';

export interface Written {
  readonly object: KubeObject;
  /** PUT may create: 201. */
  readonly created?: boolean;
}

export class Registry {
  private readonly uids: Rng;
  private readonly names: Rng;

  constructor(
    readonly self: Process,
    readonly storage: Storage,
    readonly rules: Rules,
    readonly admission: Admission,
    private readonly strategies: Readonly<Record<string, Strategy>>,
  ) {
    this.uids = self.rng.fork('uids');
    this.names = self.rng.fork('names');
  }

  strategy(row: ResourceRow): Strategy {
    return customOf(row)?.strategy ?? this.strategies[row.plural] ?? NONE;
  }

  timestamp(): string {
    return timestamp(this.self.clock.now());
  }

  /** `web-7d4b9-` → `web-7d4b9-x2k4p`. */
  generateName(base: string): string {
    return base.slice(0, LONGEST_BASE) + this.names.text(5, NAME_ALPHABET);
  }

  /** A version 4 UUID (RFC 4122) from the server's own luck. */
  uid(): string {
    const hex = this.uids.text(30, '0123456789abcdef');
    const variant = '89ab'[this.uids.between(0, 4)]!;
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-${variant}${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
  }

  /** Creates `body`, which has kind, apiVersion and the request's namespace already. Rejects with ApiError. */
  async create(call: Call, body: KubeObject): Promise<KubeObject> {
    const { row } = call;
    const strategy = this.strategy(row);
    const refused = customOf(row)?.refusesCreate?.();
    if (refused) throw refused;
    if (body.metadata.resourceVersion) throw failure(500, '', 'resourceVersion should not be set on objects to be created');
    const generated = !body.metadata.name && body.metadata.generateName ? body.metadata.generateName : undefined;
    for (let attempt = 1; ; attempt++) {
      const named = generated ? { ...body, metadata: { ...body.metadata, name: this.generateName(generated) } } : body;
      const object = await this.prepareNew(call, named, strategy);
      const key = storageKey(row, call.namespace, object.metadata.name ?? '');
      if (call.dryRun) {
        if (await this.storage.get(key)) throw alreadyExists(row.group, row.plural, object.metadata.name ?? '');
        return object;
      }
      const claim = await strategy.claim?.(object, undefined);
      if (claim === 'taken') continue;
      let outcome: Outcome | undefined;
      try {
        outcome = await this.storage.create(key, customOf(row) ? await stored(row, object) : object, strategy.ttl);
      } finally {
        if (claim) await (outcome && 'written' in outcome ? claim.done() : claim.undo());
      }
      call.resume();
      if ('written' in outcome) {
        call.stage('api.storage', { key, revision: outcome.written.modRevision, operation: 'create', after: outcome.written.object });
        return inVersion(row, outcome.written.object);
      }
      const name = object.metadata.name ?? '';
      if (!generated) throw alreadyExists(row.group, row.plural, name);
      if (attempt >= 8) throw generateNameConflict(row.group, row.plural, name);
    }
  }

  private async prepareNew(call: Call, body: KubeObject, strategy: Strategy): Promise<KubeObject> {
    const { row } = call;
    call.named(body);
    const attributes = { operation: 'CREATE' as Operation, row, subresource: '', namespace: call.namespace, user: call.user, dryRun: call.dryRun, call };
    const defaulted = this.rules.defaults(row, body);
    call.decoded(body, defaulted);
    const wanted = beforeCreate(call, defaulted, this.timestamp());
    const mutated = this.admission.mutate({ ...attributes, object: wanted, old: undefined });
    let object = mutated instanceof Promise ? await mutated : mutated;
    if (mutated instanceof Promise) call.resume();
    call.stage('api.mutate', call.takeMutations());
    object = this.fillNew(row, object, strategy);
    if (strategy.prepareCreate) object = strategy.prepareCreate(object, this);
    object = afterCreate(call, wanted, object, this.timestamp());
    if (!call.request.typed || call.reinvocation?.should) this.rules.validate(row, object, undefined, (text) => call.warn(text));
    call.stage('api.validate');
    const admitted = this.admission.validate({ ...attributes, object, old: undefined });
    if (admitted) {
      await admitted;
      call.resume();
    }
    call.stage('api.admit', { operation: 'CREATE' });
    return object;
  }

  /** System metadata, and no status: what a new object has whatever its maker said (rest.BeforeCreate). */
  private fillNew(row: ResourceRow, object: KubeObject, strategy: Strategy): KubeObject {
    const { resourceVersion: _r, deletionTimestamp: _d, deletionGracePeriodSeconds: _g, generation: _n, namespace, ...meta } = object.metadata;
    const metadata = {
      ...meta,
      ...(row.namespaced && namespace !== undefined ? { namespace } : {}),
      uid: this.uid(),
      ...(strategy.counted ? { generation: 1 } : {}),
      creationTimestamp: this.timestamp(),
    };
    if (!hasStatus(row) || strategy.keepsStatus) return { ...object, metadata };
    const { status: _s, ...rest } = object as KubeObject & { status?: unknown };
    return { ...rest, metadata, status: {} } as KubeObject;
  }

  /** PUT and PATCH of an object or its status. `transform` gives what the caller wants, from what is. */
  async update(
    call: Call,
    transform: Transform,
    options: { status?: boolean; raw?: boolean; whenMissing?: () => KubeObject | undefined } = {},
  ): Promise<Written> {
    const { row, path } = call;
    const strategy = this.strategy(row);
    const key = storageKey(row, call.namespace, path.name);
    for (let attempt = 0; ; attempt++) {
      let current = attempt === 0 ? this.storage.cache.get(key) : undefined;
      const fromCache = current !== undefined;
      if (!current) {
        current = await this.storage.get(key);
        call.resume();
      }
      if (!current) {
        const fresh = options.whenMissing?.();
        if (fresh) return { object: await this.create(call, fresh), created: true };
        throw notFound(row.group, row.plural, path.name);
      }
      if (customOf(row)) current = { ...current, object: await inVersion(row, current.object) };
      let next: KubeObject;
      try {
        next = await this.prepareUpdate(call, current, transform(current), strategy, options.raw ? 'raw' : options.status ? 'status' : 'main');
        call.resume();
      } catch (error) {
        // The cache may be behind: what looked wrong from there is judged again from the truth.
        if (!fromCache) throw error;
        const truth = await this.storage.get(key);
        call.resume();
        if (truth && truth.modRevision === current.modRevision) throw error;
        continue;
      }
      if (call.dryRun) return { object: next };
      const claim = await strategy.claim?.(next, current.object);
      if (claim === 'taken') continue;
      let written: KubeObject | undefined;
      try {
        written = await this.commit(call, key, current, next, fromCache);
      } finally {
        if (claim) await (written ? claim.done() : claim.undo());
      }
      if (written) return { object: written };
    }
  }

  /** Writes `next` over `current`; undefined when somebody else wrote in between and the caller should look again. */
  private async commit(call: Call, key: string, current: Stored, next: KubeObject, fromCache: boolean): Promise<KubeObject | undefined> {
    if (isReadyToGo(next, current.object)) {
      const outcome = await this.storage.remove(key, current);
      call.resume();
      if (!('written' in outcome)) return undefined;
      call.stage('api.storage', { key, revision: outcome.written.modRevision, operation: 'delete', before: current.object });
      await this.strategy(call.row).release?.(current.object);
      return next;
    }
    if (sameBut(call.request.typed ? next : border().ignoringTimes(next, current.object), current.object)) {
      // Nothing changes, so nothing is written, provided the cache was not behind.
      if (!fromCache) return current.object;
      const truth = await this.storage.get(key);
      call.resume();
      return truth?.modRevision === current.modRevision ? current.object : undefined;
    }
    const outcome = await this.storage.replace(key, current, customOf(call.row) ? await stored(call.row, next) : next);
    call.resume();
    if (!('written' in outcome)) return undefined;
    call.stage('api.storage', { key, revision: outcome.written.modRevision, operation: 'update', before: current.object, after: outcome.written.object });
    return inVersion(call.row, outcome.written.object);
  }

  private prepareUpdate(call: Call, current: Stored, wanted: KubeObject, strategy: Strategy, mode: Mode): Promise<KubeObject> | KubeObject {
    const { row, path } = call;
    const old = current.object;
    this.checkUpdate(row, path.name, wanted, old);
    const time = this.timestamp();
    const raw = mode === 'raw';
    const defaulted = raw ? wanted : this.rules.defaults(row, wanted);
    call.decoded(wanted, defaulted);
    const withDefaults = beforeUpdate(call, old, defaulted, time, raw);
    const attributes = {
      operation: 'UPDATE' as Operation,
      row,
      subresource: path.subresource,
      namespace: call.namespace,
      user: call.user,
      dryRun: call.dryRun,
      call,
      old,
    };
    const finish = (object: KubeObject): KubeObject | Promise<KubeObject> => {
      this.checkVersion(row, path.name, wanted, old, strategy);
      call.stage('api.mutate', call.takeMutations());
      const filled = raw ? object : this.fillUpdate(row, object, old, strategy, mode === 'status');
      const next = afterUpdate(call, old, filled, time, raw);
      if ((mode === 'main' || (mode === 'status' && row.type === 'Job') || customOf(row)) && (!call.request.typed || call.reinvocation?.should))
        this.rules.validate(row, next, old, (text) => call.warn(text), path.subresource);
      call.stage('api.validate');
      const admitted = this.admission.validate({ ...attributes, object: next });
      const admit = (): KubeObject => {
        call.stage('api.admit', { operation: 'UPDATE' });
        return next;
      };
      return admitted ? admitted.then(admit) : admit();
    };
    const mutated = this.admission.mutate({ ...attributes, object: withDefaults });
    return mutated instanceof Promise ? mutated.then(finish) : finish(mutated);
  }

  /** After mutating admission has had its say, as upstream: a write that is refused anyway is refused for that. */
  private checkVersion(row: ResourceRow, name: string, { metadata: { resourceVersion } }: KubeObject, old: KubeObject, strategy: Strategy): void {
    if (resourceVersion) {
      if (resourceVersion !== old.metadata.resourceVersion) throw modified(row.group, row.plural, name);
    } else if (strategy.versionRequired) {
      // Upstream puts the resource where a kind belongs.
      const asKind = { ...row, kind: row.plural };
      throw invalidField(asKind, name, 'metadata.resourceVersion', 'FieldValueInvalid', 'Invalid value: 0x0: must be specified for an update');
    }
  }

  private checkUpdate(row: ResourceRow, name: string, wanted: KubeObject, old: KubeObject): void {
    const { uid } = wanted.metadata;
    if (uid && uid !== old.metadata.uid) {
      // What storage.NewInvalidObjError says.
      const key = storageKey(row, old.metadata.namespace ?? '', name);
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
      throw conflict(row.group, row.plural, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`);
    }
    if (old.metadata.deletionTimestamp) {
      const before = old.metadata.finalizers ?? [];
      const added = (wanted.metadata.finalizers ?? []).filter((finalizer) => !before.includes(finalizer));
      if (added.length > 0) {
        const list = `[]string{${added.map(quote).join(', ')}}`;
        const text = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
        throw invalidField(row, name, 'metadata.finalizers', 'FieldValueForbidden', text);
      }
    }
  }

  /** Keeps what this kind of update may not touch, and counts the generation (rest.BeforeUpdate and the strategies). */
  private fillUpdate(row: ResourceRow, wanted: KubeObject, old: KubeObject, strategy: Strategy, status: boolean): KubeObject {
    const before = old.metadata;
    const metadata = { ...wanted.metadata };
    for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'] as const)
      keep(metadata, before, field);
    let next: KubeObject = { ...wanted, metadata };
    if (status) {
      next = { ...old, metadata, status: (wanted as { status?: unknown }).status } as KubeObject;
      metadata.ownerReferences = before.ownerReferences;
      if (metadata.ownerReferences === undefined) delete metadata.ownerReferences;
      return strategy.prepareStatus ? strategy.prepareStatus(next, old, this) : next;
    }
    if (hasStatus(row)) next = { ...next, status: (old as { status?: unknown }).status ?? {} } as KubeObject;
    if (strategy.prepareUpdate) next = strategy.prepareUpdate(next, old, this);
    if (
      strategy.counted &&
      (contentChanged(next, old) || (strategy.countsAnnotations && !equalJson(next.metadata.annotations ?? {}, before.annotations ?? {})))
    ) {
      next = { ...next, metadata: { ...next.metadata, generation: (before.generation ?? 0) + 1 } };
    }
    return next;
  }

  /** Deletes, or marks for deletion. `gone` is false while finalizers or a grace period keep the object. */
  async delete(call: Call, name: string, options: DeleteOptions, dryRun: boolean): Promise<{ object: KubeObject; gone: boolean }> {
    const { row } = call;
    const strategy = this.strategy(row);
    const key = storageKey(row, call.namespace, name);
    let current = this.storage.cache.get(key);
    let fresh = false;
    for (;;) {
      if (!current) {
        current = await this.storage.get(key);
        call.resume();
        fresh = true;
      }
      if (!current) throw notFound(row.group, row.plural, name);
      const old = current.object;
      try {
        const admitted = this.checkDelete(call, old, options, dryRun);
        if (admitted) {
          await admitted;
          call.resume();
        }
      } catch (error) {
        if (fresh) throw error;
        const truth = await this.storage.get(key);
        call.resume();
        if (truth?.modRevision === current.modRevision) throw error;
        current = truth;
        fresh = true;
        if (!current) throw notFound(row.group, row.plural, name);
        continue;
      }
      const graceful = strategy.gracePeriod ? gracefulDelete(old, options, strategy.gracePeriod(old, options), this.self.clock.now()) : undefined;
      if (graceful === 'pending') return { object: old, gone: false };
      const prepared = strategy.prepareDelete?.(old, this) ?? old;
      const finalizers = finalizersAfterDelete(prepared, options, strategy);
      const waits = finalizers.length > 0 || (row.plural === 'namespaces' && specFinalizers(old).length > 0);
      const namespace = row.plural === 'namespaces';
      let next = namespace ? terminating(old, this.timestamp()) : (graceful ?? prepared);
      if (!equalJson(finalizers, old.metadata.finalizers ?? [])) next = { ...next, metadata: { ...next.metadata, finalizers: [...finalizers] } };
      if (!graceful && !namespace && waits && !old.metadata.deletionTimestamp) next = this.markDeleting(next);
      if (dryRun) return { object: next, gone: !waits && !graceful };
      if (next !== old) {
        const outcome = await this.storage.replace(key, current, next);
        call.resume();
        if (!('written' in outcome)) {
          current = outcome.found;
          if (!current) throw notFound(row.group, row.plural, name);
          fresh = true;
          continue;
        }
        call.stage('api.storage', { key, revision: outcome.written.modRevision, operation: 'update', before: current.object, after: outcome.written.object });
        current = outcome.written;
      }
      if (waits || (current.object.metadata.deletionGracePeriodSeconds ?? 0) > 0) return { object: current.object, gone: false };
      const outcome = await this.storage.remove(key, current);
      call.resume();
      if ('written' in outcome) {
        call.stage('api.storage', { key, revision: outcome.written.modRevision, operation: 'delete', before: current.object });
        await strategy.release?.(current.object);
        return { object: current.object, gone: true };
      }
      if (!outcome.found) throw notFound(row.group, row.plural, name);
      current = outcome.found;
      fresh = true;
    }
  }

  private checkDelete(call: Call, old: KubeObject, options: DeleteOptions, dryRun: boolean): Promise<void> | undefined {
    const { row } = call;
    const { preconditions } = options;
    const { uid, resourceVersion, name } = old.metadata;
    const refuse = (what: string, wanted: string, found: string | undefined, might: string): void => {
      // Namespaces have words of their own (pkg/registry/core/namespace/storage); all others the kind where a resource belongs.
      const own = row.plural === 'namespaces' && row.group === '';
      const why = own
        ? `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`
        : `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${found}). The object might have been ${might}`;
      throw conflict(row.group, own ? row.plural : row.kind, name ?? '', why);
    };
    if (preconditions?.uid !== undefined && preconditions.uid !== uid) refuse('UID', preconditions.uid, uid, 'deleted and then recreated');
    if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion)
      refuse('ResourceVersion', preconditions.resourceVersion, resourceVersion, 'modified');
    call.named(old);
    const verdict = this.admission.validate({
      operation: 'DELETE',
      row,
      subresource: '',
      namespace: call.namespace,
      user: call.user,
      dryRun,
      object: undefined,
      old,
      call,
      options,
    });
    const admit = (): void => call.stage('api.admit', { operation: 'DELETE' });
    if (verdict) return verdict.then(admit);
    admit();
    return undefined;
  }

  /** A kind without grace is deleted as soon as its finalizers are gone. */
  private markDeleting(object: KubeObject): KubeObject {
    const { generation } = object.metadata;
    return {
      ...object,
      metadata: {
        ...object.metadata,
        deletionTimestamp: this.timestamp(),
        deletionGracePeriodSeconds: 0,
        ...(generation !== undefined && generation > 0 ? { generation: generation + 1 } : {}),
      },
    };
  }
}

const NONE: Strategy = {};
