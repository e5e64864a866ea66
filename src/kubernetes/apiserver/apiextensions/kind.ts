/** From a definition to rows that are served: one for each version (apiextensions-apiserver `pkg/apiserver/customresource_handler.go`). */
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import { apiVersionOf, type ResourceRow, type Subresource, type Verb } from '../../api/resources.ts';
import type { Kind, Scale } from '../../api/types.gen.ts';
import { failure } from '../errors.ts';
import { equalJson } from '../registry/equal.ts';
import { contentChanged } from '../registry/objects.ts';
import type { Strategy } from '../registry/strategy.ts';
import { type Decoded, decode } from '../validation/decode.ts';
import { errorText, type FieldError, invalid } from '../validation/field.ts';
import { SUBDOMAIN, validateMetadata, validateMetadataUpdate } from '../validation/metadata.ts';
import { compilePath, printerOf } from './columns.ts';
import type { CustomKind, CustomRow } from './custom-kind.ts';
import { fillDefaults, prune } from './fill.ts';
import { runRules } from './rules.ts';
import { type Definition, isPlainObject, type Schema, type VersionSpec } from './schema.ts';
import { validateValue } from './values.ts';

const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const RW: readonly Verb[] = ['get', 'patch', 'update'];

export interface KindContext {
  /** The row of the version that is stored, once all are made. */
  storage(): ResourceRow;
  /** Is the definition being deleted? */
  terminating(): boolean;
  /** Asks the conversion webhook for objects of `apiVersion`; undefined when versions differ in name alone. */
  readonly convert: ((objects: readonly KubeObject[], apiVersion: string) => Promise<readonly KubeObject[]>) | undefined;
}

/** The row of one version of an accepted definition. */
export function rowOf(definition: Definition, version: VersionSpec, context: KindContext): CustomRow {
  const { spec, status } = definition;
  const names = status?.acceptedNames?.plural ? status.acceptedNames : spec.names;
  const { scale, status: hasStatus } = version.subresources ?? {};
  const subresources: Subresource[] = [
    ...(scale ? [{ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: RW }] : []),
    ...(hasStatus ? [{ name: 'status', kind: names.kind, verbs: RW }] : []),
  ];
  const row = {
    type: `${names.plural}.${spec.group}/${version.name}` as Kind,
    group: spec.group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? '',
    namespaced: spec.scope === 'Namespaced',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: VERBS,
    subresources,
    prefix: `/registry/${spec.group}/${names.plural}`,
    beta: false,
  };
  return { ...row, custom: kindOf(row, definition, version, context) };
}

function kindOf(row: ResourceRow, definition: Definition, version: VersionSpec, context: KindContext): CustomKind {
  const schema: Schema = version.schema?.openAPIV3Schema ?? { 'x-kubernetes-preserve-unknown-fields': true };
  const apiVersion = apiVersionOf(row);
  const hasStatus = version.subresources?.status !== undefined;
  const views = new WeakMap<KubeObject, KubeObject>();
  const shaped = (object: KubeObject): KubeObject => {
    const named = object.apiVersion === apiVersion ? object : ({ ...object, apiVersion } as KubeObject);
    const pruned = prune(named as unknown as Json, schema, true, () => {});
    return fillDefaults(pruned, schema) as unknown as KubeObject;
  };
  const convert = (object: KubeObject): KubeObject => {
    if (context.convert && object.apiVersion !== apiVersion) return object;
    let view = views.get(object);
    if (!view) {
      view = shaped(object);
      views.set(object, view);
    }
    return view;
  };
  const columns = (version.selectableFields ?? []).map(({ jsonPath = '' }) => ({ field: jsonPath.replace(/^\./, ''), read: compilePath(jsonPath) }));
  const { convert: webhook } = context;
  return {
    listKind: (definition.status?.acceptedNames?.listKind || definition.spec.names.listKind) ?? `${row.kind}List`,
    schema,
    storage: context.storage,
    strategy: strategyOf(hasStatus),
    decode: (value) => decodeCustom(value, schema),
    defaults: (object) => fillDefaults(object as unknown as Json, schema) as unknown as KubeObject,
    validate: (object, old, warn) => errorsOf(row, schema, object, old, warn),
    convert,
    ...(webhook
      ? {
          convertAll: async (objects: readonly KubeObject[]) => {
            const foreign = objects.filter((each) => each.apiVersion !== apiVersion);
            if (foreign.length === 0) return objects;
            const made = await webhook(foreign, apiVersion);
            const byOriginal = new Map(foreign.map((each, i) => [each, shaped(made[i]!)]));
            return objects.map((each) => byOriginal.get(each) ?? each);
          },
        }
      : {}),
    printer: printerOf(version.additionalPrinterColumns),
    selectable: (field, object) => {
      const value = columns.find((each) => each.field === field)?.read?.(object as unknown as Json);
      return value === undefined || value === null ? '' : String(value);
    },
    selectableFields: columns.map(({ field }) => field),
    ...(version.subresources?.scale ? { scale: scaling(version.subresources.scale) } : {}),
    deprecation: version.deprecated
      ? (version.deprecationWarning ?? `${apiVersion} ${row.kind} is deprecated${newer(definition, version, row.kind)}`)
      : undefined,
    refusesCreate: () =>
      context.terminating()
        ? failure(405, 'MethodNotAllowed', 'create not allowed while custom resource definition is terminating', {
            group: row.group,
            kind: row.plural,
          })
        : undefined,
  };
}

function newer(definition: Definition, version: VersionSpec, kind: string): string {
  const other = definition.spec.versions.find((each) => each.served && !each.deprecated && each.name !== version.name);
  return other ? `; use ${definition.spec.group}/${other.name} ${kind}` : '';
}

const strategyOf = (hasStatus: boolean): Strategy => ({
  counted: true,
  // Nobody makes up a status that is not there.
  prepareCreate: (object) => (hasStatus ? withoutStatus(object) : object),
  prepareUpdate: (next, old) => {
    if (hasStatus) return (old as { status?: unknown }).status === undefined ? withoutStatus(next) : next;
    const changed = !equalJson((next as { status?: unknown }).status, (old as { status?: unknown }).status);
    // Without the subresource, status is like any other field, and counts.
    return changed && !contentChanged(next, old) ? { ...next, metadata: { ...next.metadata, generation: (old.metadata.generation ?? 0) + 1 } } : next;
  },
});
const withoutStatus = (object: KubeObject): KubeObject => {
  const { status: _, ...rest } = object as KubeObject & { status?: unknown };
  return rest as KubeObject;
};

/** Reads a body: metadata as ObjectMeta, everything else as the schema says. */
function decodeCustom(value: Json, schema: Schema): Decoded {
  if (!isPlainObject(value))
    return {
      object: value,
      unknown: [],
      error: `json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`,
    };
  const unknown: string[] = [];
  let object = prune(value, schema, true, (path) => unknown.push(`unknown field ${JSON.stringify(path)}`)) as Readonly<Record<string, Json>>;
  const { metadata } = object;
  if (metadata === undefined || metadata === null) return { object, unknown };
  const meta = decode('ObjectMeta' as Kind, metadata);
  unknown.push(...meta.unknown.map((text) => text.replace('unknown field "', 'unknown field "metadata.')));
  if (meta.object !== metadata) object = { ...object, metadata: meta.object };
  return { object, unknown, ...(meta.error !== undefined ? { error: meta.error.replace('Go struct field .', 'Go struct field ObjectMeta.metadata.') } : {}) };
}

/** Errors after which rules are not run, for they could not count on the value's shape. */
const BLOCKING = new Set(['FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid']);

function errorsOf(row: ResourceRow, schema: Schema, object: KubeObject, old: KubeObject | undefined, warn: (text: string) => void): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateMetadata(errors, object.metadata, row.namespaced, SUBDOMAIN);
  if (old) validateMetadataUpdate(errors, object.metadata, old.metadata);
  const value = object as unknown as Json;
  const before = old as unknown as Json | undefined;
  // Metadata was judged above, and a schema may only speak of names there.
  const found = validateValue(value, schema, '', before === undefined ? undefined : before).filter(
    ({ field }) => field !== 'metadata' || schema.required?.includes('metadata') !== true || object.metadata === undefined,
  );
  errors.push(...found);
  if (errors.some(({ type }) => BLOCKING.has(type))) {
    if ((schema['x-kubernetes-validations']?.length ?? 0) > 0 || hasRulesBelow(schema))
      errors.push(
        invalid(
          '<nil>',
          undefined,
          'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
        ),
      );
    return errors;
  }
  errors.push(...runRules(value, schema, true, '', before, (error) => warn(errorText(error))));
  return errors;
}

const hasRulesBelow = (schema: Schema): boolean =>
  [schema.items, typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined, ...Object.values(schema.properties ?? {})].some(
    (each) => each !== undefined && ((each['x-kubernetes-validations']?.length ?? 0) > 0 || hasRulesBelow(each)),
  );

/** The `scale` subresource, by the definition's paths. */
function scaling({
  specReplicasPath = '',
  statusReplicasPath = '',
  labelSelectorPath,
}: {
  specReplicasPath?: string;
  statusReplicasPath?: string;
  labelSelectorPath?: string;
}): NonNullable<CustomKind['scale']> {
  const spec = compilePath(specReplicasPath);
  const status = compilePath(statusReplicasPath);
  const selector = labelSelectorPath ? compilePath(labelSelectorPath) : undefined;
  const numberAt = (read: typeof spec, object: KubeObject): number | undefined => {
    const value = read?.(object as unknown as Json);
    return typeof value === 'number' ? value : undefined;
  };
  return {
    of(object) {
      const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
      const replicas = numberAt(spec, object);
      if (replicas === undefined)
        throw failure(500, 'InternalError', `Internal error occurred: the spec replicas field ${JSON.stringify(specReplicasPath)} does not exist`, {
          causes: [{ message: `the spec replicas field ${JSON.stringify(specReplicasPath)} does not exist` }],
        });
      const text = selector?.(object as unknown as Json);
      return {
        kind: 'Scale',
        apiVersion: 'autoscaling/v1',
        metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as Scale['metadata'],
        spec: replicas ? { replicas } : {},
        status: { replicas: numberAt(status, object) ?? 0, ...(typeof text === 'string' && text !== '' ? { selector: text } : {}) },
      };
    },
    with(object, scale) {
      const replicas = scale.spec?.replicas ?? 0;
      const { resourceVersion: _, ...metadata } = object.metadata;
      const asked = scale.metadata?.resourceVersion;
      const changed = numberAt(spec, object) !== replicas;
      const placed = placeAt(object as unknown as Json, specReplicasPath.split('.').slice(1), replicas) as unknown as KubeObject;
      return {
        ...placed,
        metadata: { ...metadata, ...(asked ? { resourceVersion: asked } : {}), ...(changed ? { generation: (metadata.generation ?? 0) + 1 } : {}) },
      } as KubeObject;
    },
  };
}

function placeAt(value: Json, path: readonly string[], leaf: Json): Json {
  const [name, ...rest] = path;
  if (name === undefined) return leaf;
  const object = isPlainObject(value) ? value : {};
  return { ...object, [name]: placeAt(object[name] ?? {}, rest, leaf) };
}
