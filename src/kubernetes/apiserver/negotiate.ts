/**
 * The shape an answer takes: what the Accept header asks for (apiserver
 * `pkg/endpoints/handlers/negotiation`). Values only; whoever holds the wire makes text of them.
 */
import type { KubeObject } from '../api/meta.ts';
import { notAcceptable } from './errors.ts';

export interface Form {
  readonly as: 'object' | 'table' | 'partial';
  /** Of meta.k8s.io, for Table and PartialObjectMetadata. */
  readonly version: string;
  readonly contentType: 'application/json' | 'application/yaml';
}

const OBJECT: Form = { as: 'object', version: 'v1', contentType: 'application/json' };
const JSON_TYPES = new Set(['application/json', '*/*', 'application/*']);
/** Few distinct headers occur. */
const known = new Map<string, Form | 'none'>();

/** The first form of the list that this server can make. Throws 406 when there is none. */
export function negotiate(accept: string | undefined): Form {
  if (!accept) return OBJECT;
  let form = known.get(accept);
  if (form === undefined) {
    form =
      accept
        .split(',')
        .map(read)
        .find((candidate) => candidate !== undefined) ?? 'none';
    if (known.size > 256) known.clear();
    known.set(accept, form);
  }
  if (form === 'none') throw notAcceptable();
  return form;
}

function read(clause: string): Form | undefined {
  const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
  const parameters = new Map(rest.map((part) => part.split('=') as [string, string]));
  const contentType = JSON_TYPES.has(type) || type === '' ? 'application/json' : type === 'application/yaml' ? 'application/yaml' : undefined;
  if (!contentType) return undefined;
  const as = parameters.get('as');
  if (as === undefined) return { ...OBJECT, contentType };
  const version = parameters.get('v') ?? 'v1';
  if (parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined;
  if (as === 'Table') return { as: 'table', version, contentType };
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { as: 'partial', version, contentType };
  return undefined;
}

/** The metadata alone, as controllers that care for nothing else ask for it. */
export const partial = (object: KubeObject, version: string): object => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
});
