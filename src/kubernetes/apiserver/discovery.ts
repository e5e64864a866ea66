/**
 * What a client learns about the server before it does anything: /api, /apis, /api/v1, /apis/G/V and /version, in
 * both forms kubectl asks for: one document per group version, or everything at once (aggregated discovery,
 * KEP-3352). All derived from the table of resources.
 */
import type { Json } from '../api/json.ts';
import { RELEASE } from '../api/release.ts';
import { apiVersionOf, type ResourceRow, SERVED } from '../api/resources.ts';

export interface DiscoveryAnswer {
  readonly contentType: string;
  readonly body: Json;
}

const JSON_TYPE = 'application/json';

/**
 * The answer to a discovery path; undefined when the path is none of discovery's or the group version is not served.
 * `accept` is the request's header; `address` what `serverAddressByClientCIDRs` names, `10.0.0.10:6443`.
 */
export function discover(path: string, accept = '', address = '', rows: readonly ResourceRow[] = SERVED): DiscoveryAnswer | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  const plain = (body: Json | undefined): DiscoveryAnswer | undefined => (body === undefined ? undefined : { contentType: JSON_TYPE, body });
  if (parts[0] === 'version' && parts.length === 1) return plain(versionInfo());
  if (parts[0] === 'api') {
    if (parts.length === 1)
      return (
        aggregated(
          accept,
          rows.filter((row) => row.group === ''),
        ) ?? plain(apiVersions(address))
      );
    if (parts.length === 2) return plain(resourceList('', parts[1] ?? '', rows));
  }
  if (parts[0] === 'apis') {
    if (parts.length === 1)
      return (
        aggregated(
          accept,
          rows.filter((row) => row.group !== ''),
        ) ?? plain(groupList(rows))
      );
    if (parts.length === 2) return plain(groupOf(parts[1] ?? '', rows, true));
    if (parts.length === 3) return plain(resourceList(parts[1] ?? '', parts[2] ?? '', rows));
  }
  return undefined;
}

/** Body of GET /version. */
export const versionInfo = (): Json => ({
  major: RELEASE.major,
  minor: RELEASE.minor,
  emulationMajor: RELEASE.major,
  emulationMinor: RELEASE.minor,
  minCompatibilityMajor: RELEASE.major,
  minCompatibilityMinor: String(Number(RELEASE.minor) - 1),
  gitVersion: RELEASE.gitVersion,
  gitCommit: '8adc0f041b8e7ad1d30e29cc59c6ae7a15e19828',
  gitTreeState: 'clean',
  buildDate: '2025-05-15T08:19:08Z',
  goVersion: 'go1.24.2',
  compiler: 'gc',
  platform: 'linux/amd64',
});

const apiVersions = (address: string): Json => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
});

const groupNames = (rows: readonly ResourceRow[]): string[] => [...new Set(rows.map((row) => row.group))].filter((group) => group !== '');

const groupList = (rows: readonly ResourceRow[]): Json => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupNames(rows).map((group) => groupOf(group, rows, false) ?? null),
});

/** Versions in the table's order, the preferred one first. */
function groupOf(group: string, rows: readonly ResourceRow[], alone: boolean): Json | undefined {
  const versions = [...new Set(rows.filter((row) => row.group === group && group !== '').map((row) => row.version))];
  const first = versions[0];
  if (first === undefined) return undefined;
  const entry = (version: string): Json => ({ groupVersion: `${group}/${version}`, version });
  return { ...(alone ? { kind: 'APIGroup', apiVersion: 'v1' } : {}), name: group, versions: versions.map(entry), preferredVersion: entry(first) };
}

/** APIResourceList: each resource is followed by its subresources. */
function resourceList(group: string, version: string, rows: readonly ResourceRow[]): Json | undefined {
  const served = sorted(rows.filter((row) => row.group === group && row.version === version));
  if (served.length === 0) return undefined;
  const resources: Json[] = [];
  for (const row of served) {
    resources.push({
      name: row.plural,
      singularName: row.singular,
      namespaced: row.namespaced,
      kind: row.kind,
      verbs: [...row.verbs],
      ...(row.shortNames.length > 0 ? { shortNames: [...row.shortNames] } : {}),
      ...(row.categories.length > 0 ? { categories: [...row.categories] } : {}),
      ...(row.prefix ? { storageVersionHash: storageVersionHash(row) } : {}),
    });
    for (const sub of row.subresources) {
      resources.push({
        name: `${row.plural}/${sub.name}`,
        singularName: '',
        namespaced: row.namespaced,
        // kubectl drain evicts only when pods/eviction names the group policy here; otherwise it deletes.
        ...(sub.group === undefined ? {} : { group: sub.group, version: sub.version ?? '' }),
        kind: sub.kind,
        verbs: [...sub.verbs],
      });
    }
  }
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }), resources };
}

/** By name; a row without one only says that its group version is there. */
const sorted = (rows: readonly ResourceRow[]): ResourceRow[] =>
  rows.filter(({ plural }) => plural !== '').sort((a, b) => (a.plural < b.plural ? -1 : a.plural > b.plural ? 1 : 0));

/** Upstream: base64 of a SHA-256 of the storage version. Here simplified: any text that is stable and tells kinds apart. */
function storageVersionHash(row: ResourceRow): string {
  let hash = 0;
  for (const ch of `${row.group}/${row.kind}`) hash = (Math.imul(hash, 31) + (ch.codePointAt(0) ?? 0)) >>> 0;
  return `${hash.toString(36).padStart(8, '0')}AAA=`;
}

/** The whole list when the client prefers it: v2 before v2beta1, in the order of `accept`. */
function aggregated(accept: string, rows: readonly ResourceRow[]): DiscoveryAnswer | undefined {
  for (const offered of accept.split(',')) {
    const parameters = new Map<string, string | undefined>(offered.split(';').map((part) => part.trim().split('=') as [string, string | undefined]));
    const mediaType = offered.split(';')[0]?.trim();
    if (mediaType !== JSON_TYPE) continue;
    const version = parameters.get('v');
    if (parameters.get('g') === undefined) return undefined;
    if (parameters.get('g') !== 'apidiscovery.k8s.io' || parameters.get('as') !== 'APIGroupDiscoveryList') continue;
    if (version !== 'v2' && version !== 'v2beta1') continue;
    return { contentType: `${JSON_TYPE};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`, body: groupDiscoveryList(version, rows) };
  }
  return undefined;
}

function groupDiscoveryList(version: string, rows: readonly ResourceRow[]): Json {
  const groups = [...new Set(rows.map((row) => row.group))];
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group ? { name: group } : {}), creationTimestamp: null },
      versions: [...new Set(rows.filter((row) => row.group === group).map((row) => row.version))].map((served) => ({
        version: served,
        resources: sorted(rows.filter((row) => row.group === group && row.version === served)).map(resourceDiscovery),
        freshness: rows.some((row) => row.group === group && row.version === served && row.plural !== '') ? 'Current' : 'Stale',
      })),
    })),
  };
}

const resourceDiscovery = (row: ResourceRow): Json => ({
  resource: row.plural,
  responseKind: { group: row.group, version: row.version, kind: row.kind },
  scope: row.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: row.singular,
  verbs: [...row.verbs],
  ...(row.shortNames.length > 0 ? { shortNames: [...row.shortNames] } : {}),
  ...(row.categories.length > 0 ? { categories: [...row.categories] } : {}),
  ...(row.subresources.length > 0
    ? {
        subresources: row.subresources.map((sub) => ({
          subresource: sub.name,
          responseKind: { group: sub.group ?? row.group, version: sub.version ?? row.version, kind: sub.kind },
          verbs: [...sub.verbs],
        })),
      }
    : {}),
});
