/**
 * One request on its way through the chain: what was asked, by whom, and its trace.
 */
import type { TraceId, Tracer } from '../../sim/trace.ts';
import type { ApiRequest } from '../api/request.ts';
import type { ResourcePath, ResourceRow } from '../api/resources.ts';
import type { User } from './authentication.ts';
import { badRequest } from './errors.ts';

/** RequestInfo's verbs (apiserver `pkg/endpoints/request`). */
export type RequestVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** One plugin's doing: what it was given and what it made of it, both shared and never copied. */
export interface Mutation {
  readonly plugin: string;
  readonly before: object;
  readonly after: object;
}

/** Whether mutating admission has to go round once more, and for whom (apiserver `admission/reinvocation.go`, `webhook/mutating/reinvocationcontext.go`). */
export interface Reinvocation {
  should: boolean;
  /** This is the second round. */
  is: boolean;
  /** Webhooks that were called and want to be called again if something changes after them. */
  readonly previous: Set<string>;
  /** Those of them for which something did. */
  readonly again: Set<string>;
  /** What the webhooks left behind. */
  last: object | undefined;
}

export class Call {
  warnings: string[] = [];
  /** What admission plugins leave for the audit log, by key. */
  auditAnnotations: Record<string, string> = {};
  /** Mutating webhooks ask for another round here. */
  reinvocation: Reinvocation | undefined;
  private mutations: Mutation[] = [];
  /** Kind/namespace/name, as far as it is known yet. */
  about: string;
  private cause: TraceId;

  constructor(
    readonly request: ApiRequest,
    readonly path: ResourcePath,
    readonly row: ResourceRow,
    readonly verb: RequestVerb,
    readonly user: User,
    private readonly trace: Tracer,
    /** Chatter leaves a single murmur instead of a fact for every stage. */
    readonly quiet: boolean,
  ) {
    this.about = aboutOf(row, path.namespace, path.name);
    this.cause = trace.current();
  }

  get namespace(): string {
    return this.row.namespaced ? this.path.namespace : '';
  }

  get dryRun(): boolean {
    return dryRunOf(all(this.request.query['dryRun']));
  }

  /** A stage of the chain is done: one fact, unless this is chatter. */
  stage(type: string, data: Readonly<Record<string, unknown>> = {}): void {
    if (!this.quiet) this.cause = this.trace.emit(type, this.about, data);
  }

  /** The same request about another object or in the stored version: one chain of causes, one list of warnings. */
  derive(path: ResourcePath, row: ResourceRow): Call {
    const call = new Call(this.request, path, row, this.verb, this.user, this.trace, this.quiet);
    call.warnings = this.warnings;
    call.auditAnnotations = this.auditAnnotations;
    return call;
  }

  /** After every await: others ran meanwhile, and what follows is still on behalf of this request. */
  resume(): void {
    this.trace.because(this.cause);
  }

  warn(text: string): void {
    if (!this.warnings.includes(text)) this.warnings.push(text);
  }

  /** The value of a query parameter; the first if it is given more than once. */
  parameter(name: string): string | undefined {
    const value = this.request.query[name];
    return typeof value === 'string' || value === undefined ? value : value[0];
  }

  flag(name: string): boolean {
    const value = this.parameter(name);
    return value !== undefined && value !== 'false' && value !== '0';
  }

  /** A mutating admission plugin changed the object. */
  mutated(plugin: string, before: object, after: object): void {
    if (!this.quiet) this.mutations.push({ plugin, before, after });
  }

  /** What an outsider sent, once decoded, and what it is with the defaults of its kind: both shared. The cluster's own code sends whole objects. */
  decoded(sent: object, defaulted: object): void {
    if (!this.request.typed) this.stage('api.decode', { before: sent, after: defaulted });
  }

  /** What the plugins did since this was last asked, as the data of the stage's fact. */
  takeMutations(): Readonly<Record<string, unknown>> {
    const { mutations } = this;
    if (mutations.length === 0) return NOTHING;
    this.mutations = [];
    return { plugins: mutations.map(({ plugin }) => plugin), before: mutations[0]!.before, after: mutations[mutations.length - 1]!.after, steps: mutations };
  }

  /** An audit annotation; the first value given to a key stays (audit.AddAuditAnnotation). */
  annotate(key: string, value: string): void {
    this.auditAnnotations[key] ??= value;
  }

  named(object: { readonly metadata: { readonly name?: string; readonly namespace?: string } }): void {
    this.about = aboutOf(this.row, object.metadata.namespace ?? '', object.metadata.name ?? '');
  }
}

export const aboutOf = (row: ResourceRow, namespace: string, name: string): string =>
  name === '' ? '' : row.namespaced ? `${row.kind}/${namespace}/${name}` : `${row.kind}/${name}`;

const NOTHING: Readonly<Record<string, unknown>> = {};
const all = (value: string | readonly string[] | undefined): readonly string[] => (value === undefined ? [] : typeof value === 'string' ? [value] : value);

/** `All` is the only stage there is. */
export function dryRunOf(values: readonly string[]): boolean {
  for (const value of values) {
    if (value !== 'All' && value !== '') throw badRequest(`invalid dryRun: dryRun: Unsupported value: ${JSON.stringify(value)}: supported values: "All"`);
  }
  return values.includes('All');
}
