/** What a profile of `kubectl debug` does to the pod or container it makes (kubectl pkg/cmd/debug/profiles.go, KEP-1441). */
import type { Json } from '../../api/json.ts';
import { KubectlError } from '../errors.ts';
import type { JsonObject } from '../session.ts';

/** An ephemeral container in a running pod, a copy of the pod, or a pod on a node. */
export type Style = 'ephemeral' | 'copy' | 'node';
export interface Kept {
  readonly labels: boolean;
  readonly annotations: boolean;
  readonly livenessProbe: boolean;
  readonly readinessProbe: boolean;
  readonly startupProbe: boolean;
  readonly initContainers: boolean;
}
/** A pod under way: changed in place, for nobody has it yet. */
export interface Draft {
  metadata: { [name: string]: Json | undefined };
  spec: { [name: string]: Json | undefined };
}
type Container = { [name: string]: Json | undefined };

export const PROFILES = ['legacy', 'general', 'baseline', 'restricted', 'netadmin', 'sysadmin'] as const;
export type Profile = (typeof PROFILES)[number];

export function profileOf(name: string): Profile {
  const found = PROFILES.find((profile) => profile === name);
  if (!found) throw new KubectlError(`unknown profile: ${name}`);
  return found;
}

/** Applies it to the container of that name, and to its pod unless that runs already. */
export function applyProfile(profile: Profile, style: Style, draft: Draft, container: string, kept: Kept): void {
  const change = (into: (found: Container) => void): void => {
    for (const list of ['containers', 'ephemeralContainers'])
      for (const one of (draft.spec[list] as unknown as Container[] | undefined) ?? []) if (one['name'] === container) into(one);
  };
  const secure = (more: JsonObject): void =>
    change((one) => (one['securityContext'] = { ...(one['securityContext'] as JsonObject | undefined), ...more } as Json));
  const capabilities = (...names: readonly string[]): void =>
    change((one) => {
      const context = (one['securityContext'] ?? {}) as JsonObject;
      const before = (context['capabilities'] ?? {}) as JsonObject;
      one['securityContext'] = {
        ...context,
        capabilities: { ...before, add: [...((before['add'] as string[] | undefined) ?? []), ...names] },
      } as unknown as Json;
    });
  const insecure = (): void => {
    if (style !== 'ephemeral') delete draft.spec['securityContext'];
    change((one) => delete one['securityContext']);
  };
  if (style === 'copy') copied(draft, kept, profile === 'legacy');
  if (style === 'copy' && profile !== 'legacy') draft.spec['shareProcessNamespace'] = true;
  switch (profile) {
    case 'legacy':
      if (style === 'node') {
        hostNamespaces(draft);
        hostRoot(draft, change);
      }
      break;
    case 'general':
      if (style === 'node') {
        hostRoot(draft, change);
        insecure();
        hostNamespaces(draft);
      } else capabilities('SYS_PTRACE');
      break;
    case 'baseline':
      insecure();
      break;
    case 'restricted':
      insecure();
      secure({
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
        allowPrivilegeEscalation: false,
        seccompProfile: { type: 'RuntimeDefault' },
      } as unknown as JsonObject);
      break;
    case 'netadmin':
      capabilities('NET_ADMIN', 'NET_RAW');
      if (style === 'node') hostNamespaces(draft);
      break;
    case 'sysadmin':
      secure({ privileged: true });
      if (style === 'node') {
        hostNamespaces(draft);
        hostRoot(draft, change);
      }
      break;
  }
}

/** A copy is not to be taken for the original: not by Services, nor by probes. The legacy profile looks at labels alone. */
function copied(draft: Draft, kept: Kept, labelsOnly: boolean): void {
  if (!kept.labels) delete draft.metadata['labels'];
  if (labelsOnly) return;
  if (!kept.annotations) delete draft.metadata['annotations'];
  for (const one of (draft.spec['containers'] as unknown as Container[] | undefined) ?? [])
    for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) if (!kept[probe]) delete one[probe];
  if (!kept.initContainers) delete draft.spec['initContainers'];
}

function hostNamespaces({ spec }: Draft): void {
  Object.assign(spec, { hostNetwork: true, hostPID: true, hostIPC: true });
}

function hostRoot({ spec }: Draft, change: (into: (found: Container) => void) => void): void {
  spec['volumes'] = [...((spec['volumes'] as Json[] | undefined) ?? []), { name: 'host-root', hostPath: { path: '/' } }] as Json;
  change((one) => (one['volumeMounts'] = [...((one['volumeMounts'] as Json[] | undefined) ?? []), { mountPath: '/host', name: 'host-root' }] as Json));
}
