/**
 * Field selectors: `spec.nodeName=node-1,status.phase!=Failed` (apimachinery pkg/fields), and the fields each kind
 * may be selected by (the conversion functions of pkg/apis/* v1/conversion.go).
 */
import type { Kind } from './types.gen.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export class FieldSelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FieldSelectorError';
  }
}

/** Throws FieldSelectorError in the words of fields.ParseSelector. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => {
      const found = splitTerm(term);
      if (!found) throw new FieldSelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
      return found;
    });
}

/** Commas divide, unless a backslash stands before. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function splitTerm(term: string): FieldRequirement | undefined {
  for (let i = 0; i < term.length; i += 1) {
    const rest = term.slice(i, i + 2);
    if (rest === '!=') return { field: term.slice(0, i), operator: '!=', value: unescaped(term.slice(i + 2)) };
    if (rest === '==') return { field: term.slice(0, i), operator: '=', value: unescaped(term.slice(i + 2)) };
    if (term[i] === '=') return { field: term.slice(0, i), operator: '=', value: unescaped(term.slice(i + 1)) };
  }
  return undefined;
}

function unescaped(value: string): string {
  let out = '';
  for (let i = 0; i < value.length; i += 1) {
    const ch = value[i];
    if (ch === '\\') {
      const next = value[i + 1];
      if (next !== '\\' && next !== ',' && next !== '=') throw new FieldSelectorError(`invalid field selector: invalid escape sequence: \\${next ?? ''}`);
      out += next;
      i += 1;
    } else if (ch === '=') throw new FieldSelectorError(`invalid field selector: unescaped character in value: ${ch}`);
    else out += ch;
  }
  return out;
}

const INVOLVED = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
const SUPPORTED: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  Pod: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  Node: ['spec.unschedulable'],
  Namespace: ['status.phase'],
  Secret: ['type'],
  Service: ['spec.clusterIP', 'spec.type'],
  ReplicationController: ['status.replicas'],
  ReplicaSet: ['status.replicas'],
  Job: ['status.successful'],
  Event: [...INVOLVED.map((f) => `involvedObject.${f}`), 'reason', 'reportingComponent', 'source', 'type'],
  CertificateSigningRequest: ['spec.signerName'],
  EventsV1Event: [...INVOLVED.map((f) => `regarding.${f}`), 'reason', 'reportingController', 'type'],
};

/** Why a kind cannot be selected by a field, in upstream's words; undefined when it can. */
export function unsupportedField(kind: Kind, field: string): string | undefined {
  if (field === 'metadata.name' || field === 'metadata.namespace') return undefined;
  const supported = SUPPORTED[kind];
  if (!supported) return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
  return supported.includes(field) ? undefined : `field label not supported: ${field}`;
}

/** The value an object shows for a field: `''` when unset, `false` for an unset boolean, `0` for an unset count. */
export function fieldValue(kind: Kind, object: object, field: string): string {
  if (field === 'status.successful') return read(object, 'status.succeeded') ?? '0';
  if (field === 'spec.unschedulable' || field === 'spec.hostNetwork') return read(object, field) ?? 'false';
  if (field === 'status.replicas') return read(object, field) ?? '0';
  if (kind === 'Event' && field === 'source') return read(object, 'source.component') || (read(object, 'reportingComponent') ?? '');
  return read(object, field) ?? '';
}

function read(object: object, path: string): string | undefined {
  let value: unknown = object;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value);
}

export function matchesFields(kind: Kind, requirements: readonly FieldRequirement[], object: object): boolean {
  return requirements.every(({ field, operator, value }) => (fieldValue(kind, object, field) === value) === (operator === '='));
}
