/**
 * `/metrics` in Prometheus' text format: what this server knows of itself without counting on the way of every request.
 * Names and labels are upstream's (apiserver `pkg/endpoints/metrics`, `pkg/storage/etcd3/metrics`, component-base).
 *
 * Here simplified: gauges only. Counters and histograms of requests are not kept.
 */
import { RELEASE } from '../api/release.ts';
import type { ResourceRow } from '../api/resources.ts';
import type { WatchCache } from './watch-cache.ts';

const label = (pairs: Readonly<Record<string, string>>): string =>
  `{${Object.entries(pairs)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}}`;

const family = (name: string, stability: string, help: string, samples: readonly string[]): string =>
  samples.length === 0 ? '' : `# HELP ${name} [${stability}] ${help}\n# TYPE ${name} gauge\n${samples.map((sample) => `${name}${sample}\n`).join('')}`;

/** `startSeconds`: when the process began, in seconds since 1970. */
export function serverMetrics(cache: WatchCache, rows: readonly ResourceRow[], startSeconds: number, ready: boolean): string {
  const stored = rows.filter((row, i) => row.prefix !== '' && rows.findIndex((other) => other.prefix === row.prefix) === i);
  const objects: string[] = [];
  const watches: string[] = [];
  for (const row of stored) {
    let count = 0;
    for (const _ of cache.under(`${row.prefix}/`)) count++;
    objects.push(`${label({ resource: row.group === '' ? row.plural : `${row.plural}.${row.group}` })} ${count}`);
    const watching = [...cache.watchersOf(`${row.prefix}/`)].length;
    if (watching > 0)
      watches.push(
        `${label({ component: 'apiserver', group: row.group, resource: row.plural, scope: row.namespaced ? 'namespace' : 'cluster', subresource: '', verb: 'WATCH', version: row.version })} ${watching}`,
      );
  }
  const build = label({
    build_date: '2025-05-15T08:19:08Z',
    compiler: 'gc',
    git_commit: '8adc0f041b8e7ad1d30e29cc59c6ae7a15e19828',
    git_tree_state: 'clean',
    git_version: RELEASE.gitVersion,
    go_version: 'go1.24.2',
    major: RELEASE.major,
    minor: RELEASE.minor,
    platform: 'linux/amd64',
  });
  return [
    family(
      'apiserver_longrunning_requests',
      'STABLE',
      'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.',
      watches,
    ),
    family('apiserver_storage_objects', 'STABLE', 'Number of stored objects at the time of last check split by kind.', objects.sort()),
    family('kubernetes_build_info', 'ALPHA', 'A metric with a constant value labeled with the build of the binary.', [`${build} 1`]),
    family('kubernetes_healthcheck', 'STABLE', 'This metric records the result of a single healthcheck.', [
      `${label({ name: 'ping', type: 'readyz' })} ${ready ? 1 : 0}`,
    ]),
    family('process_start_time_seconds', 'ALPHA', 'Start time of the process since unix epoch in seconds.', [` ${startSeconds}`]),
  ].join('');
}
