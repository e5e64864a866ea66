/** `authorizer.group('apps').resource('deployments').namespace('x').check('create').allowed()` (apiserver `pkg/cel/library/authz.go`). */
import { type Library, method } from '../functions.ts';
import { BOOL, type CelType, opaque, STRING } from '../types.ts';
import { Opaque } from '../values.ts';

/** What an expression asks the authorizer; a `path` is a question about a URL that is no resource. */
export interface Question {
  readonly verb: string;
  readonly path?: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Somebody else than who makes the request. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
}
export type Decide = (question: Question) => { readonly allowed: boolean; readonly reason: string; readonly error?: string };

interface Asking extends Question {
  readonly decide: Decide;
}

const AUTHORIZER: CelType = opaque('kubernetes.authorization.Authorizer');
const PATH: CelType = opaque('kubernetes.authorization.PathCheck');
const GROUP: CelType = opaque('kubernetes.authorization.GroupCheck');
const RESOURCE: CelType = opaque('kubernetes.authorization.ResourceCheck');
const DECISION: CelType = opaque('kubernetes.authorization.Decision');
const as = (type: CelType, value: unknown): Opaque => new Opaque((type as { name: string }).name, value);
const asking = (type: CelType, change: (text: string) => Partial<Asking>) => (from: Opaque<Asking>, text: string) =>
  as(type, { ...from.value, ...change(text) });
const check = (from: Opaque<Asking>, verb: string): Opaque => {
  const { decide, ...question } = from.value;
  return as(DECISION, decide({ ...question, verb }));
};
type Decision = Opaque<ReturnType<Decide>>;

export const authorizerOf = (decide: Decide): Opaque =>
  as(AUTHORIZER, { decide, verb: '', group: '', resource: '', subresource: '', namespace: '', name: '' } satisfies Asking);

/** `authorizer.requestResource` of admission: the check of the resource the request is about. */
export const requestResourceOf = (decide: Decide, about: Omit<Question, 'verb'>): Opaque => as(RESOURCE, { decide, verb: '', ...about } satisfies Asking);

export const AUTHORIZER_LIBRARY: Library = {
  path: [
    method(
      [AUTHORIZER, STRING],
      PATH,
      asking(PATH, (path) => ({ path })),
    ),
  ],
  group: [
    method(
      [AUTHORIZER, STRING],
      GROUP,
      asking(GROUP, (group) => ({ group })),
    ),
  ],
  serviceAccount: [
    method([AUTHORIZER, STRING, STRING], AUTHORIZER, (from: Opaque<Asking>, namespace: string, name: string) =>
      as(AUTHORIZER, { ...from.value, serviceAccount: { namespace, name } }),
    ),
  ],
  resource: [
    method(
      [GROUP, STRING],
      RESOURCE,
      asking(RESOURCE, (resource) => ({ resource })),
    ),
  ],
  subresource: [
    method(
      [RESOURCE, STRING],
      RESOURCE,
      asking(RESOURCE, (subresource) => ({ subresource })),
    ),
  ],
  namespace: [
    method(
      [RESOURCE, STRING],
      RESOURCE,
      asking(RESOURCE, (namespace) => ({ namespace })),
    ),
  ],
  name: [
    method(
      [RESOURCE, STRING],
      RESOURCE,
      asking(RESOURCE, (name) => ({ name })),
    ),
  ],
  check: [method([RESOURCE, STRING], DECISION, check), method([PATH, STRING], DECISION, check)],
  allowed: [method([DECISION], BOOL, (d: Decision) => d.value.allowed)],
  reason: [method([DECISION], STRING, (d: Decision) => d.value.reason)],
  errored: [method([DECISION], BOOL, (d: Decision) => d.value.error !== undefined)],
  error: [method([DECISION], STRING, (d: Decision) => d.value.error ?? '')],
};
