/** The Pod Security Standards, check by check, and what a namespace's labels make of them. */
import { describe, expect, it } from 'vitest';
import { ms } from '../../../../sim/clock.ts';
import type { Pod } from '../../../api/types.gen.ts';
import { deployment, type Loose, pod, type TestServer, withApiServer } from '../../testing.test-support.ts';
import { violations } from './checks.ts';
import { policyOf, policyText } from './policy.ts';

/** Meets the strictest standard. */
const GOOD = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [{ name: 'c', image: 'nginx', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
};
const withContext = (context: object): object => ({
  ...GOOD,
  containers: [{ ...GOOD.containers[0]!, securityContext: { ...GOOD.containers[0]!.securityContext, ...context } }],
});
const said = (level: 'baseline' | 'restricted', spec: object, minor?: number, annotations: Record<string, string> = {}): string =>
  violations(level, minor, { spec } as unknown as Pod, annotations)
    .map(({ reason, detail }) => `${reason} (${detail})`)
    .join(', ');

describe('baseline', () => {
  const bare = {
    containers: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'x' },
    ],
  };
  const each = (context: object, more: object = {}): object => ({ containers: [{ name: 'a', image: 'x', securityContext: context, ...more }] });
  const cases: readonly (readonly [string, object, string, number?, Record<string, string>?])[] = [
    ['nothing', bare, ''],
    ['host namespaces', { ...bare, hostNetwork: true, hostPID: true, hostIPC: true }, 'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)'],
    ['privileged', each({ privileged: true }), 'privileged (container "a" must not set securityContext.privileged=true)'],
    [
      'capabilities',
      each({ capabilities: { add: ['SYS_TIME', 'NET_ADMIN', 'CHOWN'] } }),
      'non-default capabilities (container "a" must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add)',
    ],
    [
      'hostPath',
      {
        ...bare,
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'w', hostPath: { path: '/' } },
        ],
      },
      'hostPath volumes (volumes "v", "w")',
    ],
    [
      'host ports',
      {
        containers: [
          { name: 'a', ports: [{ hostPort: 80 }, { hostPort: 8080 }] },
          { name: 'b', ports: [{ hostPort: 0 }] },
        ],
      },
      'hostPort (container "a" uses hostPorts 80, 8080)',
    ],
    [
      'AppArmor by field',
      each({ appArmorProfile: { type: 'Unconfined' } }),
      'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'SELinux',
      { ...bare, securityContext: { seLinuxOptions: { type: 'spc_t', user: 'u' } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      'SELinux before 1.31',
      each({ seLinuxOptions: { type: 'container_engine_t' } }),
      'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
      30,
    ],
    ['SELinux since 1.31', each({ seLinuxOptions: { type: 'container_engine_t' } }), '', 31],
    ['procMount', each({ procMount: 'Unmasked' }), 'procMount (container "a" must not set securityContext.procMount to "Unmasked")'],
    [
      'seccomp',
      { securityContext: { seccompProfile: { type: 'Unconfined' } }, ...each({ seccompProfile: { type: 'Unconfined' } }) },
      'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'seccomp before 1.19',
      bare,
      'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
      18,
      { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
    ],
    ['sysctls', { ...bare, securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }, { name: 'kernel.msgmax' }] } }, 'forbidden sysctls (kernel.msgmax)'],
    ['sysctls before 1.32', { ...bare, securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }] } }, 'forbidden sysctls (net.ipv4.tcp_rmem)', 31],
    [
      'Windows',
      { ...bare, securityContext: { windowsOptions: { hostProcess: true } } },
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      'init containers first',
      { initContainers: [{ name: 'i', securityContext: { privileged: true } }], ...each({ privileged: true }) },
      'privileged (containers "i", "a" must not set securityContext.privileged=true)',
    ],
  ];
  for (const [name, spec, expected, minor, annotations] of cases) it(name, () => expect(said('baseline', spec, minor, annotations)).toBe(expected));
});

describe('restricted', () => {
  const NAKED =
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';
  const cases: readonly (readonly [string, object, string, number?])[] = [
    ['a good pod', GOOD, ''],
    ['a pod that says nothing', { containers: [{ name: 'c' }] }, NAKED],
    ['which Windows may', { os: { name: 'windows' }, securityContext: { runAsNonRoot: true }, containers: [{ name: 'c' }] }, ''],
    ['but not before 1.25', { os: { name: 'windows' }, containers: [{ name: 'c' }] }, NAKED, 24],
    ['in 1.7 hardly anything', { containers: [{ name: 'c' }] }, 'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)', 7],
    [
      'capabilities, once',
      withContext({ capabilities: { add: ['SYS_TIME', 'NET_BIND_SERVICE'] } }),
      'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "SYS_TIME" in securityContext.capabilities.add)',
    ],
    [
      'volumes, once',
      {
        ...GOOD,
        volumes: [
          { name: 'v', hostPath: {} },
          { name: 'w', nfs: {} },
          { name: 'e', emptyDir: {} },
        ],
      },
      'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
    ],
    ['root by number', withContext({ runAsUser: 0 }), 'runAsUser=0 (container "c" must not set runAsUser=0)'],
    [
      'root outright',
      { ...GOOD, securityContext: { ...GOOD.securityContext, runAsNonRoot: false } },
      'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)',
    ],
    [
      'baseline comes first',
      withContext({ privileged: true, allowPrivilegeEscalation: true }),
      'privileged (container "c" must not set securityContext.privileged=true), allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
    ],
  ];
  for (const [name, spec, expected, minor] of cases) it(name, () => expect(said('restricted', spec, minor)).toBe(expected));
});

describe('labels', () => {
  const read = (labels: Record<string, string>): string[] => {
    const { policy, errors } = policyOf(Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value])));
    return [...(['enforce', 'audit', 'warn'] as const).map((mode) => policyText(policy[mode])), ...errors.map(({ detail }) => detail)];
  };
  it.each([
    ['none', {}, ['privileged:latest', 'privileged:latest', 'privileged:latest']],
    ['enforce warns too', { enforce: 'baseline', 'enforce-version': 'v1.30' }, ['baseline:v1.30', 'privileged:latest', 'baseline:v1.30']],
    [
      'with a version of its own',
      { enforce: 'baseline', 'enforce-version': 'v1.30', 'warn-version': 'v1.31' },
      ['baseline:v1.30', 'privileged:latest', 'baseline:v1.31'],
    ],
    ['unless told otherwise', { enforce: 'baseline', warn: 'privileged' }, ['baseline:latest', 'privileged:latest', 'privileged:latest']],
    [
      'wrong level',
      { enforce: 'strict', audit: 'strict' },
      [
        'restricted:latest',
        'privileged:latest',
        'restricted:latest',
        'must be one of privileged, baseline, restricted',
        'must be one of privileged, baseline, restricted',
      ],
    ],
    ['wrong version', { 'warn-version': 'v2.0' }, ['privileged:latest', 'privileged:latest', 'privileged:latest', 'must be "latest" or "v1.x"']],
  ] as const)('%s', (_, labels, expected) => expect(read(labels)).toEqual(expected));
});

const PODS = '/api/v1/namespaces/secure/pods';
const label = (labels: Record<string, string>): object =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]));

async function withNamespace(labels: Record<string, string>, story: (server: TestServer) => Promise<void>): Promise<void> {
  await withApiServer(async (server) => {
    await server.post('/api/v1/namespaces', { metadata: { name: 'secure', labels: label(labels) } });
    await server.post('/api/v1/namespaces/secure/serviceaccounts', { metadata: { name: 'default' } });
    await server.sleep(ms(10));
    await story(server);
  });
}
const warningOf = (answer: Loose): string | undefined => answer.headers.warning;

describe('PodSecurity', () => {
  it('refuses pods, and warns of workloads', () =>
    withNamespace({ enforce: 'restricted' }, async (server) => {
      const { status, body } = await server.post(PODS, pod('x'));
      expect([status, body.message]).toEqual([
        403,
        'pods "x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ]);
      expect((await server.post(PODS, pod('good', GOOD))).status).toBe(201);
      const workload = await server.post('/apis/apps/v1/namespaces/secure/deployments', deployment('web'));
      expect(workload.status).toBe(201);
      expect(warningOf(workload)).toMatch(
        /^299 - "would violate PodSecurity \\"restricted:latest\\": allowPrivilegeEscalation != false \(container \\"c\\" must set/,
      );
    }));

  it('only warns when told so', () =>
    withNamespace({ warn: 'baseline', audit: 'baseline' }, async (server) => {
      const answer = await server.post(PODS, pod('x', { hostNetwork: true, containers: [{ name: 'c', image: 'nginx' }] }));
      expect([answer.status, warningOf(answer)]).toEqual([201, '299 - "would violate PodSecurity \\"baseline:latest\\": host namespaces (hostNetwork=true)"']);
      // An update of labels does not concern the standards.
      const labelled = await server.patch(`${PODS}/x`, { metadata: { labels: { a: 'b' } } });
      expect([labelled.status, warningOf(labelled)]).toEqual([200, undefined]);
    }));

  it('tells of running pods when a namespace becomes stricter', () =>
    withNamespace({}, async (server) => {
      for (const name of ['b', 'a', 'c']) await server.post(PODS, pod(name, { hostPID: true, containers: [{ name: 'c', image: 'nginx' }] }));
      await server.post(PODS, pod('p', { containers: [{ name: 'c', image: 'nginx', securityContext: { privileged: true } }] }));
      await server.post(PODS, pod('fine'));
      await server.sleep(ms(10));
      const answer = await server.patch('/api/v1/namespaces/secure', { metadata: { labels: label({ enforce: 'baseline' }) } });
      expect(answer.status).toBe(200);
      expect(
        warningOf(answer)
          ?.split(', 299')
          .map((text) => text.replace(/^(299)? - /, '')),
      ).toEqual([
        '"existing pods in namespace \\"secure\\" violate the new PodSecurity enforce level \\"baseline:latest\\""',
        '"a (and 2 other pods): host namespaces"',
        '"p: privileged"',
      ]);
      expect(warningOf(await server.patch('/api/v1/namespaces/secure', { metadata: { labels: label({ enforce: 'privileged' }) } }))).toBeUndefined();
    }));

  it('refuses labels that mean nothing', () =>
    withApiServer(async (server) => {
      const { status, body } = await server.post('/api/v1/namespaces', { metadata: { name: 'odd', labels: label({ enforce: 'strict' }) } });
      expect([status, body.message]).toEqual([
        422,
        'Namespace "odd" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
      ]);
    }).then(() => {}));
});
