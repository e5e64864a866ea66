/**
 * Requests that are no write of an object, and are yet told to webhooks and policies: exec, attach, port-forward and
 * proxy (CONNECT, with the request's options as its object), and binding and eviction (CREATE of the very thing that
 * was posted; the update or delete it leads to is not told again).
 */
import type { KubeObject } from '../../api/meta.ts';
import type { Kind } from '../../api/types.gen.ts';
import { bodyObject } from '../body.ts';
import type { Call } from '../call.ts';
import type { Writing } from './admission.ts';

/** Subresource → kind of its options, by resource (pkg/apis/core). */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pods: { exec: 'PodExecOptions', attach: 'PodAttachOptions', portforward: 'PodPortForwardOptions', proxy: 'PodProxyOptions' },
  services: { proxy: 'ServiceProxyOptions' },
  nodes: { proxy: 'NodeProxyOptions' },
};
const POSTED: Readonly<Record<string, { readonly apiVersion: string; readonly kind: string }>> = {
  binding: { apiVersion: 'v1', kind: 'Binding' },
  eviction: { apiVersion: 'policy/v1', kind: 'Eviction' },
};
const FLAGS = ['stdin', 'stdout', 'stderr', 'tty'] as const;

/** What admission is asked about the call; undefined when it is not one of these. */
export function throughSubresource(call: Call): Writing | undefined {
  const { row, path, namespace, user, verb } = call;
  const { subresource } = path;
  if (subresource === '' || row.group !== '') return undefined;
  const common = { row, subresource, namespace, user, dryRun: false, old: undefined, call };
  const kind = OPTIONS[row.plural]?.[subresource];
  if (kind) return { ...common, operation: 'CONNECT', object: optionsOf(call, kind) };
  const posted = row.plural === 'pods' && verb === 'create' ? POSTED[subresource] : undefined;
  return posted && { ...common, operation: 'CREATE', object: bodyObject(call, posted.kind as Kind, posted) };
}

function optionsOf(call: Call, kind: string): KubeObject {
  const { command, ports } = call.request.query;
  const list = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value);
  const container = call.parameter('container');
  return {
    kind,
    apiVersion: 'v1',
    metadata: {},
    ...Object.fromEntries(FLAGS.filter((flag) => call.flag(flag)).map((flag) => [flag, true])),
    ...(container ? { container } : {}),
    ...(command !== undefined ? { command: list(command) } : {}),
    ...(ports !== undefined ? { ports: list(ports).map(Number) } : {}),
    ...(call.path.subresource === 'proxy' && call.path.rest ? { path: `/${call.path.rest}` } : {}),
  } as unknown as KubeObject;
}
