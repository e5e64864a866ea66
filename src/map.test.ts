/**
 * The arrows, as a table. A room may import only the rooms named here; a file of the world may not reach
 * for real time, chance or I/O. This test is the whole of the rule; there is no plugin behind it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = dirname(fileURLToPath(import.meta.url));

/** Room → what it may import besides itself. The longest matching room counts. `*` may be any one name. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  sim: [],
  linux: ['sim'],
  'kubernetes/api': ['sim/clock.ts'],
  'kubernetes/client': ['kubernetes/api', 'sim'],
  'kubernetes/etcd/raft': [],
  'kubernetes/etcd': ['sim'],
  // etcd/api.ts is etcd's contract with its clients (upstream: go.etcd.io/etcd/api); nothing else of etcd is.
  'kubernetes/apiserver': ['kubernetes/api', 'kubernetes/client', 'kubernetes/etcd/api.ts', 'sim'],
  'kubernetes/controller-manager': ['kubernetes/api', 'kubernetes/client', 'sim'],
  'kubernetes/scheduler': ['kubernetes/api', 'kubernetes/client', 'sim'],
  'kubernetes/kubelet': ['kubernetes/api', 'kubernetes/client', 'linux', 'sim'],
  'kubernetes/containerd': ['kubernetes/api', 'kubernetes/client', 'kubernetes/kubelet/cri.ts', 'kubernetes/kubelet/cni.ts', 'linux', 'sim'],
  'kubernetes/cni': ['kubernetes/api', 'kubernetes/client', 'kubernetes/kubelet/cni.ts', 'linux', 'sim'],
  'kubernetes/kube-proxy': ['kubernetes/api', 'kubernetes/client', 'linux', 'sim'],
  'kubernetes/local-path': ['kubernetes/api', 'kubernetes/client', 'sim'],
  'kubernetes/coredns': ['kubernetes/api', 'kubernetes/client', 'linux', 'sim'],
  'kubernetes/metrics-server': ['kubernetes/api', 'kubernetes/client', 'linux', 'sim'],
  'kubernetes/kubectl': ['kubernetes/api', 'kubernetes/client', 'linux', 'sim'],
  // Beside the contract: the form of a snapshot, and the ids of the cluster that is made of one.
  'kubernetes/etcdctl': [
    'kubernetes/api',
    'kubernetes/etcd/api.ts',
    'kubernetes/etcd/client.ts',
    'kubernetes/etcd/membership.ts',
    'kubernetes/etcd/snapshot-file.ts',
    'linux',
    'sim',
  ],
  cluster: ['kubernetes', 'linux', 'sim', 'hosts/protocol.ts'],
  'cluster/testing.ts': ['cluster', 'hosts', 'kubernetes', 'linux', 'sim'],
  'hosts/protocol.ts': ['sim'],
  'hosts/connect.ts': ['hosts/protocol.ts', 'sim'],
  'hosts/fuzz.worker.ts': ['kubernetes/etcd/raft/fuzz'],
  hosts: ['cluster', 'sim', 'kubernetes/api'],
  lab: ['kubernetes/api', 'hosts/protocol.ts', 'sim'],
  'lab/play.ts': ['lab', 'cluster', 'hosts', 'kubernetes/api', 'sim'],
  'ui/fuzz': ['hosts/fuzz.worker.ts'],
  ui: ['hosts/protocol.ts', 'hosts/connect.ts', 'lab', 'kubernetes/api', 'kubernetes/client', 'sim/clock.ts', 'sim/trace.ts'],
};

/** Real time, real chance, I/O, and what engines may do differently. */
const FORBIDDEN = [
  [/\bDate\b(?!Time)/, 'Date is the wall clock'],
  [
    /\bMath\.(random|sin|cos|tan|asin|acos|atan2?|exp|expm1|log|log2|log10|log1p|pow|sqrt|cbrt|sinh|cosh|tanh|hypot|fround)\b/,
    'engines may round this differently, or it is chance',
  ],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask|requestAnimationFrame)\b/, 'real time'],
  [/\b(Intl|toLocale\w+|localeCompare)\b/, 'depends on the machine it runs on'],
  [/\b(WeakRef|FinalizationRegistry)\b/, 'depends on the garbage collector'],
  // The compiler knows none of these in the world (lib ES2022, no types); the row is for casts around it.
  [/\b(XMLHttpRequest|WebSocket|localStorage|indexedDB|structuredClone|performance|crypto)\s*[.(]/, 'outside the world'],
  [/\bconsole\./, 'I/O'],
] as const;
const WORLD = ['sim', 'linux', 'kubernetes', 'cluster', 'lab'];
/** The two files of the world that stand outside it: the host for tests, and the player that drives worlds. */
const OUTSIDE = new Set(['sim/test-host.ts', 'lab/play.ts', 'cluster/testing.ts']);

const files = (readdirSync(SRC, { recursive: true }) as string[])
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => /\.tsx?$/.test(name) && !/\.(test|gen|d)\.tsx?$/.test(name) && !name.includes('test-support') && !name.includes('fixtures/'));

const roomOf = (file: string): string | undefined =>
  Object.keys(ARROWS)
    .filter((room) => file === room || file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
const strip = (source: string): string =>
  source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    .replace(/`(?:[^`\\]|\\.)*`/g, (text) => [...text.matchAll(/\$\{([^}]*)\}/g)].map((m) => m[1]).join(' ; ') || "''");

function violations(file: string, source: string): string[] {
  const room = roomOf(file);
  if (!room) return [`${file} is in no room`];
  const found: string[] = [];
  for (const [, target] of source.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)) {
    const path = relative(SRC, join(SRC, dirname(file), target!)).replaceAll('\\', '/');
    const allowed = [room, ...ARROWS[room]!];
    const inside = allowed.some((place) => path === place || path.startsWith(`${place}/`));
    // A room within a room is its own: kubernetes/etcd may look into etcd/raft, but not the other way round.
    if (!inside) found.push(`${file} may not import ${path}; ${room} may import: ${ARROWS[room]!.join(', ') || 'nothing'}`);
  }
  if (WORLD.includes(file.split('/')[0]!) && !OUTSIDE.has(file)) {
    const code = strip(source);
    for (const [pattern, why] of FORBIDDEN) {
      const hit = pattern.exec(code);
      if (hit) found.push(`${file} uses ${hit[0].trim()}: ${why}`);
    }
  }
  return found;
}

test('the tree shows the arrows, and the world is pure', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(files.flatMap((file) => violations(file, readFileSync(join(SRC, file), 'utf8')))).toEqual([]);
});

test('the alarm rings: a wrong arrow and a wall clock are found', () => {
  expect(violations('kubernetes/scheduler/x.ts', "import { a } from '../kubelet/run.ts';\nconst t = Date.now();")).toEqual([
    'kubernetes/scheduler/x.ts may not import kubernetes/kubelet/run.ts; kubernetes/scheduler may import: kubernetes/api, kubernetes/client, sim',
    'kubernetes/scheduler/x.ts uses Date: Date is the wall clock',
  ]);
  expect(violations('kubernetes/etcd/raft/x.ts', "import { ms } from '../../../sim/clock.ts';")).toHaveLength(1);
  expect(violations('sim/x.ts', 'const a = Math.sin(1); // fine in a comment: Math.random')).toEqual([
    'sim/x.ts uses Math.sin: engines may round this differently, or it is chance',
  ]);
});
