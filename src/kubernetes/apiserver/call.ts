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

export class Call {
  warnings: string[] = [];
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

  named(object: { readonly metadata: { readonly name?: string; readonly namespace?: string } }): void {
    this.about = aboutOf(this.row, object.metadata.namespace ?? '', object.metadata.name ?? '');
  }
}

export const aboutOf = (row: ResourceRow, namespace: string, name: string): string =>
  name === '' ? '' : row.namespaced ? `${row.kind}/${namespace}/${name}` : `${row.kind}/${name}`;

const all = (value: string | readonly string[] | undefined): readonly string[] => (value === undefined ? [] : typeof value === 'string' ? [value] : value);

/** `All` is the only stage there is. */
export function dryRunOf(values: readonly string[]): boolean {
  for (const value of values) {
    if (value !== 'All' && value !== '') throw badRequest(`invalid dryRun: dryRun: Unsupported value: ${JSON.stringify(value)}: supported values: "All"`);
  }
  return values.includes('All');
}
