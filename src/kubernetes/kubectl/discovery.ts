/** What the server serves: aggregated discovery, and the names people use for resources. */
import type { Json } from '../api/json.ts';
import type { ApiResponse } from '../api/request.ts';
import { KubectlError } from './errors.ts';
import { isObject, type JsonObject } from './session.ts';

export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
  /** Of its group's versions the first one that has it. */
  readonly preferred: boolean;
}

/** A GroupVersionResource as Go prints it: `/v1, Resource=pods`. */
export const resourceText = (info: ResourceInfo): string => `${info.group}/${info.version}, Resource=${info.resource}`;
export const groupVersionOf = (info: { readonly group: string; readonly version: string }): string =>
  info.group === '' ? info.version : `${info.group}/${info.version}`;
/** `deployments.apps`, `pods`. */
export const qualified = (info: ResourceInfo): string => (info.group === '' ? info.resource : `${info.resource}.${info.group}`);
/** `deployment.apps/web`, `pod/web`. */
export const shownName = (info: { readonly group: string; readonly kind: string }, name: string): string =>
  `${info.kind.toLowerCase()}${info.group === '' ? '' : `.${info.group}`}/${name}`;

export function pathOf(info: ResourceInfo, namespace: string | undefined, name?: string, subresource?: string): string {
  const root = info.group === '' ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`;
  const scope = info.namespaced && namespace ? `/namespaces/${namespace}` : '';
  return `${root}${scope}/${info.resource}${name === undefined ? '' : `/${name}`}${subresource ? `/${subresource}` : ''}`;
}

export type Fetch = (path: string, accept: string) => Promise<ApiResponse>;
const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

/** Kept between runs, as kubectl keeps it on disk. */
export interface DiscoveryCache {
  resources: readonly ResourceInfo[] | undefined;
  groupVersions: readonly string[];
  fetchedAt: number;
}
export const emptyCache = (): DiscoveryCache => ({ resources: undefined, groupVersions: [], fetchedAt: 0 });
/** cmdutil's `--cache-dir`: six hours. */
const TTL = 6 * 3_600 * 1_000_000;

export class Discovery {
  private fresh = false;
  constructor(
    private readonly cache: DiscoveryCache,
    private readonly fetch: Fetch,
    private readonly now: () => number,
  ) {}

  async all(): Promise<readonly ResourceInfo[]> {
    if (!this.cache.resources || this.now() - this.cache.fetchedAt > TTL) await this.refresh();
    return this.cache.resources!;
  }

  async groupVersions(): Promise<readonly string[]> {
    await this.all();
    return this.cache.groupVersions;
  }

  async refresh(): Promise<void> {
    const resources: ResourceInfo[] = [];
    const groupVersions: string[] = [];
    for (const root of ['/api', '/apis']) {
      const response = await this.fetch(root, AGGREGATED);
      if (response.status >= 400) {
        const body = response.body;
        throw new KubectlError(
          `couldn't get current server API group list: ${isObject(body) && typeof body['message'] === 'string' ? body['message'] : `the server responded with the status code ${response.status}`}`,
        );
      }
      const body = response.body;
      if (isObject(body) && body['kind'] === 'APIGroupDiscoveryList') readAggregated(body, resources, groupVersions);
      else await this.readPlain(root, body, resources, groupVersions);
    }
    this.cache.resources = resources;
    this.cache.groupVersions = groupVersions;
    this.cache.fetchedAt = this.now();
    this.fresh = true;
  }

  /** A server without aggregated discovery: one request per group version. */
  private async readPlain(root: string, body: Json | undefined, resources: ResourceInfo[], groupVersions: string[]): Promise<void> {
    const wanted: string[] = [];
    if (root === '/api') wanted.push('v1');
    else if (isObject(body)) {
      for (const group of (body['groups'] as readonly JsonObject[] | undefined) ?? [])
        for (const version of (group['versions'] as readonly JsonObject[] | undefined) ?? []) wanted.push(String(version['groupVersion']));
    }
    for (const groupVersion of wanted) {
      const response = await this.fetch(`${root}/${groupVersion}`, 'application/json');
      if (response.status >= 400 || !isObject(response.body)) continue;
      groupVersions.push(groupVersion);
      const [group, version] = groupVersion.includes('/') ? (groupVersion.split('/') as [string, string]) : ['', groupVersion];
      const list = (response.body['resources'] as readonly JsonObject[] | undefined) ?? [];
      for (const item of list) {
        const name = String(item['name']);
        if (name.includes('/')) continue;
        resources.push({
          group,
          version,
          resource: name,
          singular: String(item['singularName'] ?? ''),
          kind: String(item['kind']),
          namespaced: item['namespaced'] === true,
          verbs: (item['verbs'] as readonly string[] | undefined) ?? [],
          shortNames: (item['shortNames'] as readonly string[] | undefined) ?? [],
          categories: (item['categories'] as readonly string[] | undefined) ?? [],
          subresources: list
            .map((other) => String(other['name']))
            .filter((other) => other.startsWith(`${name}/`))
            .map((other) => other.slice(name.length + 1)),
          preferred: !resources.some((other) => other.group === group && other.resource === name),
        });
      }
    }
  }

  /** By plural, singular, short name or kind; `deployments.apps`, `deployments.v1.apps`. Throws the server's not having it. */
  async resolve(text: string): Promise<ResourceInfo> {
    const found = await this.find(text);
    if (found) return found;
    // An unknown name may be a CRD made since: kubectl asks again.
    if (!this.fresh) {
      await this.refresh();
      const again = await this.find(text);
      if (again) return again;
    }
    throw new KubectlError(`the server doesn't have a resource type ${JSON.stringify(text.split('.')[0])}`);
  }

  async find(text: string): Promise<ResourceInfo | undefined> {
    const all = await this.all();
    const lower = text.toLowerCase();
    const matches = (info: ResourceInfo, name: string) =>
      info.resource === name || info.singular === name || info.kind.toLowerCase() === name || info.shortNames.includes(name);
    const parts = lower.split('.');
    if (parts.length > 1) {
      const [name, ...rest] = parts as [string, ...string[]];
      const exact = all.find((info) => matches(info, name) && info.version === rest[0] && info.group === rest.slice(1).join('.'));
      // A short name is expanded to its kind, whose version is then forgotten (restmapper's shortcut expander).
      if (exact?.shortNames.includes(name))
        return all.find(({ group, resource, preferred }) => group === exact.group && resource === exact.resource && preferred) ?? exact;
      if (exact) return exact;
      const group = rest.join('.');
      const byGroup = all.filter(
        (info) => matches(info, name) && (info.group === group || info.group.startsWith(`${group}.`) || (info.group === '' && info.version === group)),
      );
      return byGroup.find((info) => info.group === group && info.preferred) ?? byGroup.find((info) => info.preferred) ?? byGroup[0];
    }
    const named = all.filter((info) => matches(info, lower));
    const rank = (info: ResourceInfo) => (info.resource === lower || info.singular === lower ? 0 : info.kind.toLowerCase() === lower ? 1 : 2);
    return [...named].sort((a, b) => rank(a) - rank(b) || Number(b.preferred) - Number(a.preferred) || all.indexOf(a) - all.indexOf(b))[0];
  }

  async byKind(apiVersion: string, kind: string): Promise<ResourceInfo | undefined> {
    const search = async () => (await this.all()).find((info) => groupVersionOf(info) === apiVersion && info.kind === kind);
    const found = await search();
    if (found || this.fresh) return found;
    await this.refresh();
    return search();
  }

  async byCategory(category: string): Promise<readonly ResourceInfo[]> {
    const all = await this.all();
    return all.filter((info) => info.preferred && info.categories.includes(category));
  }
}

function readAggregated(body: JsonObject, resources: ResourceInfo[], groupVersions: string[]): void {
  for (const item of (body['items'] as readonly JsonObject[] | undefined) ?? []) {
    const group = String((item['metadata'] as JsonObject | undefined)?.['name'] ?? '');
    for (const version of (item['versions'] as readonly JsonObject[] | undefined) ?? []) {
      const name = String(version['version']);
      // Whose server does not answer is not there for us (client-go's SplitGroupsAndResources).
      if (version['freshness'] === 'Stale') continue;
      groupVersions.push(group === '' ? name : `${group}/${name}`);
      for (const resource of (version['resources'] as readonly JsonObject[] | undefined) ?? []) {
        const kind = resource['responseKind'] as JsonObject | undefined;
        const plural = String(resource['resource']);
        resources.push({
          group,
          version: name,
          resource: plural,
          singular: String(resource['singularResource'] ?? ''),
          kind: String(kind?.['kind'] ?? ''),
          namespaced: resource['scope'] === 'Namespaced',
          verbs: (resource['verbs'] as readonly string[] | undefined) ?? [],
          shortNames: (resource['shortNames'] as readonly string[] | undefined) ?? [],
          categories: (resource['categories'] as readonly string[] | undefined) ?? [],
          subresources: ((resource['subresources'] as readonly JsonObject[] | undefined) ?? []).map((sub) => String(sub['subresource'])),
          preferred: !resources.some((other) => other.group === group && other.resource === plural),
        });
      }
    }
  }
}
