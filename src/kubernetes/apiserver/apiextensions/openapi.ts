/** The OpenAPI v3 documents of custom kinds, for explain and for validation by clients (apiextensions-apiserver `pkg/controller/openapi`). */
import type { Json } from '../../api/json.ts';
import type { ResourceRow } from '../../api/resources.ts';
import type { Definition, Schema } from './schema.ts';

const META = '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const API_VERSION_TEXT =
  'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources';
const KIND_TEXT =
  'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';
const METADATA_TEXT = "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/** `com.example.stable.v1.CronTab`. */
export const customSchemaName = (row: Pick<ResourceRow, 'group' | 'version' | 'kind'>): string =>
  `${row.group.split('.').reverse().join('.')}.${row.version}.${row.kind}`;

/** The schema of a version as clients are shown it. */
export function customSchema(row: ResourceRow, definition: Definition): Json {
  const version = definition.spec.versions.find(({ name }) => name === row.version);
  const schema: Schema = version?.schema?.openAPIV3Schema ?? {};
  return {
    ...(published(schema) as Record<string, Json>),
    type: 'object',
    properties: {
      ...(published(schema) as { properties?: Record<string, Json> }).properties,
      apiVersion: { description: API_VERSION_TEXT, type: 'string' },
      kind: { description: KIND_TEXT, type: 'string' },
      metadata: { description: METADATA_TEXT, allOf: [{ $ref: META }] },
    },
    'x-kubernetes-group-version-kind': [{ group: row.group, kind: row.kind, version: row.version }],
  };
}

/** Below x-kubernetes-preserve-unknown-fields and for int-or-string, what clients understand. */
function published(schema: Schema): Json {
  const copy: Record<string, Json> = { ...(schema as unknown as Record<string, Json>) };
  if (schema.properties) copy['properties'] = Object.fromEntries(Object.entries(schema.properties).map(([name, inner]) => [name, published(inner)]));
  if (schema.items) copy['items'] = published(schema.items);
  if (typeof schema.additionalProperties === 'object') copy['additionalProperties'] = published(schema.additionalProperties);
  return copy;
}
