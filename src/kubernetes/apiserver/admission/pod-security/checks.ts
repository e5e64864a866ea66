/**
 * The Pod Security Standards, check by check (pod-security-admission `policy/check_*.go`), and what is said of a
 * pod that fails one. A check has a version for every release in which it changed; a pinned policy uses that
 * of its release.
 */
import type { Container, Pod, PodSpec } from '../../../api/types.gen.ts';

type Annotations = Readonly<Record<string, string | undefined>>;
export interface Violation {
  /** `hostPort` */
  readonly reason: string;
  /** `container "c" uses hostPort 80` */
  readonly detail: string;
}
type Check = (spec: PodSpec, annotations: Annotations) => Violation | undefined;
interface Versioned {
  /** Ids order the checks within their level. */
  readonly id: string;
  /** From which minor version on, oldest first. */
  readonly versions: readonly (readonly [number, Check])[];
}

// --- words ---------------------------------------------------------------------------------------------

const plural = (one: string, many: string, count: number): string => (count === 1 ? one : many);
const quoted = (items: readonly string[]): string => `"${items.join('", "')}"`;
const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort();
const containerWords = (names: readonly string[]): string => `${plural('container', 'containers', names.length)} ${quoted(names)}`;
const violation = (reason: string, detail: string): Violation => ({ reason, detail });

type AnyContainer = Container;
const containersOf = (spec: PodSpec): AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...((spec.ephemeralContainers ?? []) as unknown as Container[]),
];
const named = (spec: PodSpec, bad: (container: AnyContainer) => boolean): string[] =>
  containersOf(spec)
    .filter(bad)
    .map(({ name }) => name);
/** `pod and container "c"`: who sets something. */
const setters = (pod: boolean, names: readonly string[]): string =>
  [...(pod ? ['pod'] : []), ...(names.length > 0 ? [containerWords(names)] : [])].join(' and ');

// --- baseline ------------------------------------------------------------------------------------------

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const appArmor: Check = (spec, annotations) => {
  type Profiled = { readonly appArmorProfile?: { readonly type?: string } } | undefined;
  const typeOf = (context: unknown): string | undefined => (context as Profiled)?.appArmorProfile?.type;
  const bad = (type: string | undefined): boolean => type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost';
  const podType = typeOf(spec.securityContext);
  const names = named(spec, ({ securityContext }) => bad(typeOf(securityContext)));
  const values = sorted([
    ...(bad(podType) ? [podType!] : []),
    ...containersOf(spec).flatMap(({ securityContext }) => (bad(typeOf(securityContext)) ? [typeOf(securityContext)!] : [])),
  ]);
  const notes = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(APP_ARMOR) && value && value !== 'runtime/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  if (values.length + notes.length === 0) return undefined;
  const who = [setters(bad(podType), names), ...(notes.length > 0 ? [plural('annotation', 'annotations', notes.length)] : [])].filter((text) => text !== '');
  const all = [...values, ...notes];
  return violation(
    plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', all.length),
    `${who.join(' and ')} must not set AppArmor profile type to ${quoted(all)}`,
  );
};

const DEFAULT_CAPABILITIES = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
);
const added = ({ securityContext }: AnyContainer): readonly string[] => securityContext?.capabilities?.add ?? [];
const capabilitiesBaseline: Check = (spec) => {
  const extra = (container: AnyContainer): string[] => added(container).filter((name) => !DEFAULT_CAPABILITIES.has(name));
  const names = named(spec, (container) => extra(container).length > 0);
  if (names.length === 0) return undefined;
  const list = sorted(containersOf(spec).flatMap(extra));
  return violation('non-default capabilities', `${containerWords(names)} must not include ${quoted(list)} in securityContext.capabilities.add`);
};

const hostNamespaces: Check = (spec) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]).map((field) => `${field}=true`);
  return used.length > 0 ? violation('host namespaces', used.join(', ')) : undefined;
};

const hostPathVolumes: Check = (spec) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  return names.length > 0 ? violation('hostPath volumes', `${plural('volume', 'volumes', names.length)} ${quoted(names)}`) : undefined;
};

const hostPorts: Check = (spec) => {
  const portsOf = ({ ports }: AnyContainer): string[] => (ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const names = named(spec, (container) => portsOf(container).length > 0);
  if (names.length === 0) return undefined;
  const ports = sorted(containersOf(spec).flatMap(portsOf));
  const uses = plural('uses', 'use', names.length);
  return violation('hostPort', `${containerWords(names)} ${uses} ${plural('hostPort', 'hostPorts', ports.length)} ${ports.join(', ')}`);
};

const privileged: Check = (spec) => {
  const names = named(spec, ({ securityContext }) => securityContext?.privileged === true);
  return names.length > 0 ? violation('privileged', `${containerWords(names)} must not set securityContext.privileged=true`) : undefined;
};

const procMount: Check = (spec) => {
  const other = ({ securityContext }: AnyContainer): string[] =>
    securityContext?.procMount && securityContext.procMount !== 'Default' ? [securityContext.procMount] : [];
  const names = named(spec, (container) => other(container).length > 0);
  if (names.length === 0) return undefined;
  return violation('procMount', `${containerWords(names)} must not set securityContext.procMount to ${quoted(sorted(containersOf(spec).flatMap(other)))}`);
};

const seLinux =
  (allowed: readonly string[]): Check =>
  (spec) => {
    const options = [spec.securityContext?.seLinuxOptions, ...containersOf(spec).map(({ securityContext }) => securityContext?.seLinuxOptions)];
    type Options = (typeof options)[number];
    const bad = (own: Options): boolean => own !== undefined && (!allowed.includes(own.type ?? '') || Boolean(own.user) || Boolean(own.role));
    if (!options.some(bad)) return undefined;
    const types = sorted(options.flatMap((own) => (own && !allowed.includes(own.type ?? '') ? [own.type!] : [])));
    const data = [
      ...(types.length > 0 ? [`${plural('type', 'types', types.length)} ${quoted(types)}`] : []),
      ...(options.some((own) => own?.user) ? ['user may not be set'] : []),
      ...(options.some((own) => own?.role) ? ['role may not be set'] : []),
    ];
    const who = setters(
      bad(options[0]),
      named(spec, ({ securityContext }) => bad(securityContext?.seLinuxOptions)),
    );
    return violation('seLinuxOptions', `${who} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`);
  };
const SELINUX = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
/** Before 1.19 seccomp was said in annotations. */
const seccompAnnotations: Check = (spec, annotations) => {
  const keys = [SECCOMP_POD, ...containersOf(spec).map(({ name }) => SECCOMP_CONTAINER + name)];
  const bad = sorted(
    keys.flatMap((key) => {
      const value = annotations[key];
      if (value === undefined || value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')) return [];
      return [`${key}=${JSON.stringify(value)}`];
    }),
  );
  return bad.length > 0 ? violation('seccompProfile', `forbidden ${plural('annotation', 'annotations', bad.length)} ${bad.join(', ')}`) : undefined;
};
const confined = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost';
/** Who says outright that they want no confinement. */
const unconfined: Check = (spec) => {
  const pod = spec.securityContext?.seccompProfile;
  const podIsBad = pod !== undefined && !confined(pod.type);
  const badIn = ({ securityContext }: AnyContainer): string[] => {
    const profile = securityContext?.seccompProfile;
    return profile && !confined(profile.type) ? [profile.type] : [];
  };
  const names = named(spec, (container) => badIn(container).length > 0);
  if (!podIsBad && names.length === 0) return undefined;
  const values = sorted([...(podIsBad ? [pod.type] : []), ...containersOf(spec).flatMap(badIn)]);
  return violation('seccompProfile', `${setters(podIsBad, names)} must not set securityContext.seccompProfile.type to ${quoted(values)}`);
};

const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const SYSCTLS_27 = [...SAFE_SYSCTLS, 'net.ipv4.ip_local_reserved_ports'];
const SYSCTLS_29 = [...SYSCTLS_27, 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes'];
const SYSCTLS_32 = [...SYSCTLS_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];
const sysctls =
  (safe: readonly string[]): Check =>
  (spec) => {
    const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safe.includes(name));
    return bad.length > 0 ? violation('forbidden sysctls', bad.join(', ')) : undefined;
  };

const windowsHostProcess: Check = (spec) => {
  const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
  const names = named(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
  if (!pod && names.length === 0) return undefined;
  return violation('hostProcess', `${setters(pod, names)} must not set securityContext.windowsOptions.hostProcess=true`);
};

// --- restricted ----------------------------------------------------------------------------------------

/** Since 1.25 a pod for Windows need not say what only Linux knows. */
const onLinux =
  (check: Check): Check =>
  (spec, annotations) =>
    spec.os?.name === 'windows' ? undefined : check(spec, annotations);

const privilegeEscalation: Check = (spec) => {
  const names = named(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  return names.length > 0
    ? violation('allowPrivilegeEscalation != false', `${containerWords(names)} must set securityContext.allowPrivilegeEscalation=false`)
    : undefined;
};

const capabilitiesRestricted: Check = (spec) => {
  const keeping = named(spec, ({ securityContext }) => !(securityContext?.capabilities?.drop ?? []).includes('ALL'));
  const extra = (container: AnyContainer): string[] => added(container).filter((name) => name !== 'NET_BIND_SERVICE');
  const adding = named(spec, (container) => extra(container).length > 0);
  const details = [
    ...(keeping.length > 0 ? [`${containerWords(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [`${containerWords(adding)} must not include ${quoted(sorted(containersOf(spec).flatMap(extra)))} in securityContext.capabilities.add`]
      : []),
  ];
  return details.length > 0 ? violation('unrestricted capabilities', details.join('; ')) : undefined;
};

const ALLOWED_VOLUMES = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'];
const restrictedVolumes: Check = (spec) => {
  const typeOf = (volume: object): string =>
    Object.entries(volume).find(([field, value]) => field !== 'name' && value !== undefined && value !== null)?.[0] ?? 'unknown';
  const bad = (spec.volumes ?? []).filter((volume) => !ALLOWED_VOLUMES.includes(typeOf(volume)));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map(typeOf));
  return violation(
    'restricted volume types',
    `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(({ name }) => name))} ${plural('uses', 'use', bad.length)} ${plural('restricted volume type', 'restricted volume types', types.length)} ${quoted(types)}`,
  );
};

const runAsNonRoot: Check = (spec) => {
  const pod = spec.securityContext?.runAsNonRoot;
  const wrong = named(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false);
  if (pod === false || wrong.length > 0)
    return violation('runAsNonRoot != true', `${setters(pod === false, wrong)} must not set securityContext.runAsNonRoot=false`);
  if (pod) return undefined;
  const silent = named(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  return silent.length > 0 ? violation('runAsNonRoot != true', `pod or ${containerWords(silent)} must set securityContext.runAsNonRoot=true`) : undefined;
};

const runAsUser: Check = (spec) => {
  const pod = spec.securityContext?.runAsUser === 0;
  const names = named(spec, ({ securityContext }) => securityContext?.runAsUser === 0);
  return pod || names.length > 0 ? violation('runAsUser=0', `${setters(pod, names)} must not set runAsUser=0`) : undefined;
};

const seccompRestricted: Check = (spec, annotations) => {
  const outright = unconfined(spec, annotations);
  if (outright) return outright;
  if (spec.securityContext?.seccompProfile) return undefined;
  const silent = named(spec, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  return silent.length > 0
    ? violation('seccompProfile', `pod or ${containerWords(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`)
    : undefined;
};

// --- the standards -------------------------------------------------------------------------------------

const BASELINE: readonly Versioned[] = [
  { id: 'appArmorProfile', versions: [[0, appArmor]] },
  { id: 'capabilities_baseline', versions: [[0, capabilitiesBaseline]] },
  { id: 'hostNamespaces', versions: [[0, hostNamespaces]] },
  { id: 'hostPathVolumes', versions: [[0, hostPathVolumes]] },
  { id: 'hostPorts', versions: [[0, hostPorts]] },
  { id: 'privileged', versions: [[0, privileged]] },
  { id: 'procMount', versions: [[0, procMount]] },
  {
    id: 'seLinuxOptions',
    versions: [
      [0, seLinux(SELINUX)],
      [31, seLinux([...SELINUX, 'container_engine_t'])],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    versions: [
      [0, seccompAnnotations],
      [19, unconfined],
    ],
  },
  {
    id: 'sysctls',
    versions: [
      [0, sysctls(SAFE_SYSCTLS)],
      [27, sysctls(SYSCTLS_27)],
      [29, sysctls(SYSCTLS_29)],
      [32, sysctls(SYSCTLS_32)],
    ],
  },
  { id: 'windowsHostProcess', versions: [[0, windowsHostProcess]] },
];

const RESTRICTED: readonly Versioned[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      [8, privilegeEscalation],
      [25, onLinux(privilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    versions: [
      [22, capabilitiesRestricted],
      [25, onLinux(capabilitiesRestricted)],
    ],
  },
  { id: 'restrictedVolumes', versions: [[0, restrictedVolumes]] },
  { id: 'runAsNonRoot', versions: [[0, runAsNonRoot]] },
  { id: 'runAsUser', versions: [[23, runAsUser]] },
  {
    id: 'seccompProfile_restricted',
    versions: [
      [19, seccompRestricted],
      [25, onLinux(seccompRestricted)],
    ],
  },
];

/** Restricted checks that say all their baseline counterpart would (OverrideCheckIDs). */
const COVERS: Readonly<Record<string, string>> = {
  capabilities_restricted: 'capabilities_baseline',
  restrictedVolumes: 'hostPathVolumes',
  seccompProfile_restricted: 'seccompProfile_baseline',
};

const inForce = ({ versions }: Versioned, minor: number): Check | undefined => versions.filter(([from]) => from <= minor).pop()?.[1];

/** What a pod does that a level of a version forbids: baseline first, each level in the order of its checks' ids. */
export function violations(
  level: 'privileged' | 'baseline' | 'restricted',
  minor: number | undefined,
  pod: Pick<Pod, 'spec'>,
  annotations: Annotations = {},
): Violation[] {
  if (level === 'privileged' || !pod.spec) return [];
  const version = minor ?? Number.MAX_SAFE_INTEGER;
  const strict = level === 'restricted' ? RESTRICTED.filter((check) => inForce(check, version)) : [];
  const covered = new Set(strict.map(({ id }) => COVERS[id]));
  const checks = [...BASELINE.filter(({ id }) => !covered.has(id)), ...strict];
  const { spec } = pod;
  return checks.flatMap((check) => inForce(check, version)?.(spec, annotations) ?? []);
}
