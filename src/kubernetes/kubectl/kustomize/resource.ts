/**
 * The resources a build works on. Each is a private copy that transformers change in place, and remembers the names
 * it had: references to it are written with any of them (kustomize api/resource, kyaml/resid).
 */
import { BUILT_IN } from './scopes.ts';

export type Value = null | string | number | boolean | Value[] | Tree;
export interface Tree {
  [key: string]: Value;
}
export const isTree = (value: Value | undefined): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
export const copyOf = <T extends Value>(value: T): T => {
  if (Array.isArray(value)) return value.map((item) => copyOf(item)) as T;
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)])) as T;
};

/** Something kustomize refuses; the message is its whole text. */
export class KustomizeError extends Error {}

export interface Id {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}
export type Behavior = 'unspecified' | 'create' | 'replace' | 'merge';

export class Resource {
  /** Oldest first; the first is how the resource was written. */
  private readonly history: Id[] = [];
  prefixes: string[] = [];
  suffixes: string[] = [];

  constructor(
    readonly object: Tree,
    public hashed = false,
    public behavior: Behavior = 'unspecified',
  ) {}

  get metadata(): Tree {
    const metadata = this.object['metadata'];
    if (isTree(metadata)) return metadata;
    const fresh: Tree = {};
    this.object['metadata'] = fresh;
    return fresh;
  }
  get kind(): string {
    return String(this.object['kind'] ?? '');
  }
  get name(): string {
    return String(this.metadata['name'] ?? '');
  }
  set name(name: string) {
    this.metadata['name'] = name;
  }
  get namespace(): string {
    return typeof this.metadata['namespace'] === 'string' ? this.metadata['namespace'] : '';
  }
  /** The names as they are now. */
  get id(): Id {
    const [group, version] = groupVersion(String(this.object['apiVersion'] ?? ''));
    return { group, version, kind: this.kind, name: this.name, namespace: this.namespace };
  }
  get original(): Id {
    return this.history[0] ?? this.id;
  }
  /** All ids it ever had, those of before first. */
  get ids(): readonly Id[] {
    return [...this.history, this.id];
  }
  get previous(): readonly Id[] {
    return this.history;
  }
  /** To be called before a name, a namespace or a kind changes. */
  remember(): void {
    this.history.push(this.id);
  }
  inherit(other: Resource): void {
    this.history.push(...other.history);
    this.prefixes = [...other.prefixes];
    this.suffixes = [...other.suffixes];
  }
}

export function groupVersion(apiVersion: string): [string, string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

/** Kinds kustomize's built-in schema knows as cluster-wide; everything else may have a namespace. */
export const isClusterScoped = ({ group, kind }: Pick<Id, 'group' | 'kind'>): boolean => BUILT_IN.get(`${group}/${kind}`) === false;

const effective = (namespace: string): string => (namespace === '' ? 'default' : namespace);
export const sameNamespace = (a: Id, b: Id): boolean => effective(a.namespace) === effective(b.namespace);
export const sameKind = (a: Pick<Id, 'group' | 'version' | 'kind'>, b: Pick<Id, 'group' | 'version' | 'kind'>): boolean =>
  a.group === b.group && a.version === b.version && a.kind === b.kind;
export const sameId = (a: Id, b: Id): boolean => sameKind(a, b) && a.name === b.name && (isClusterScoped(a) || sameNamespace(a, b));

/** `Deployment.v1.apps/web.[noNs]`: resid.ResId.String(). */
export function idText(id: Id): string {
  const kind = [id.kind || '[noKind]', id.version || '[noVer]', id.group || '[noGrp]'].join('.');
  return `${kind}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`;
}
