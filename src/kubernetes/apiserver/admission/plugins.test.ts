/** The smaller plugins, each on an API server of its own. */
import { describe, expect, it } from 'vitest';
import { ms } from '../../../sim/clock.ts';
import type { ApiRequest } from '../../api/request.ts';
import { type Loose, pod, type TestServer, withApiServer } from '../testing.test-support.ts';
import { pluginsFor } from './index.ts';

const NS = '/api/v1/namespaces/default';
const as = (commonName: string, ...organizations: string[]): Partial<ApiRequest> => ({ certificate: { commonName, organizations } });

async function withAccount(story: (server: TestServer) => Promise<void>, enable: readonly string[] = [], account: object = {}): Promise<void> {
  await withApiServer(
    async (server) => {
      await server.post(`${NS}/serviceaccounts`, { metadata: { name: 'default' }, ...account });
      await server.sleep(ms(10));
      await story(server);
    },
    { admissionPlugins: { enable } },
  );
}
const said = (answer: Loose): unknown => answer.body.message;

describe('order', () => {
  it('is upstream’s, and what nobody knows is refused', () => {
    const names = [...new Set(pluginsFor().map(({ name }) => name))];
    expect(names.slice(0, 4)).toEqual(['NamespaceLifecycle', 'LimitRanger', 'ServiceAccount', 'NodeRestriction']);
    expect(names.slice(-4)).toEqual(['MutatingAdmissionWebhook', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionWebhook', 'ResourceQuota']);
    expect(names).not.toContain('AlwaysPullImages');
    expect(() => pluginsFor({ enable: ['Nonsense'] })).toThrow('enable-admission-plugins plugin "Nonsense" is unknown');
  });

  it('asks for the namespace before anything else', () =>
    withAccount(async (server) => {
      const { status, body } = await server.post('/api/v1/namespaces/nowhere/pods', pod('x'));
      expect([status, body.message]).toEqual([404, 'namespaces "nowhere" not found']);
    }));
});

describe('RuntimeClass', () => {
  const SPEC = { containers: [{ name: 'c', image: 'nginx' }], runtimeClassName: 'vm' };
  const withClass = (story: (server: TestServer) => Promise<void>): Promise<void> =>
    withAccount(async (server) => {
      await server.post('/apis/node.k8s.io/v1/runtimeclasses', {
        metadata: { name: 'vm' },
        handler: 'kata',
        overhead: { podFixed: { cpu: '250m' } },
        scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
      });
      await server.sleep(ms(10));
      await story(server);
    });
  it('adds what its runtime needs', () =>
    withClass(async (server) => {
      const { spec } = (await server.post(`${NS}/pods`, pod('x', SPEC))).body;
      expect([spec.overhead, spec.nodeSelector, spec.tolerations.at(-1)]).toEqual([{ cpu: '250m' }, { vm: 'yes' }, { key: 'vm', operator: 'Exists' }]);
    }));
  it.each([
    ['no such class', { runtimeClassName: 'none' }, 'pod rejected: RuntimeClass "none" not found'],
    ['another overhead', { overhead: { cpu: '1' } }, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"],
    ['another node', { nodeSelector: { vm: 'no' } }, 'conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no'],
    [
      'an overhead of its own',
      { runtimeClassName: undefined, overhead: { cpu: '1' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
  ])('refuses %s', (_, more, why) =>
    withClass(async (server) => {
      expect(said(await server.post(`${NS}/pods`, pod('x', { ...SPEC, ...more })))).toBe(`pods "x" is forbidden: ${why}`);
    }),
  );
});

describe('storage', () => {
  const claim = (storage: string): object => ({
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'slow', resources: { requests: { storage } } },
  });
  it('protects claims and volumes, and lets them grow only where that works', () =>
    withAccount(async (server) => {
      const at = `${NS}/persistentvolumeclaims`;
      expect((await server.post(at, claim('1Gi'))).body.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
      const grow = () => server.patch(`${at}/data`, { spec: { resources: { requests: { storage: '2Gi' } } } });
      await server.sleep(ms(10));
      // What validation says of an unbound claim comes first.
      expect((await grow()).status).toBe(422);
      await server.patch(`${at}/data`, { spec: { volumeName: 'pv' } });
      await server.patch(`${at}/data/status`, { status: { phase: 'Bound', capacity: { storage: '1Gi' } } }, 'merge');
      await server.sleep(ms(10));
      expect(said(await grow())).toBe(
        'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      );
      await server.post('/apis/storage.k8s.io/v1/storageclasses', { metadata: { name: 'slow' }, provisioner: 'x.io/y', allowVolumeExpansion: true });
      await server.sleep(ms(10));
      expect((await grow()).status).toBe(200);
    }));
});

describe('ServiceAccount', () => {
  const SECRET = { containers: [{ name: 'c', image: 'nginx' }], volumes: [{ name: 'v', secret: { secretName: 'key' } }] };
  const strict = {
    metadata: { name: 'default', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
    secrets: [{ name: 'mine' }],
    imagePullSecrets: [{ name: 'pull' }],
  };
  const env = (name: string): object => ({
    containers: [{ name: 'c', image: 'nginx', env: [{ name: 'A', valueFrom: { secretKeyRef: { name, key: 'a' } } }] }],
  });
  it.each([
    ['a volume', SECRET, 'volume with secret.secretName="key" is not allowed because service account default does not reference that secret'],
    [
      'a variable',
      env('key'),
      'container c with envVar A referencing secret.secretName="key" is not allowed because service account default does not reference that secret',
    ],
    [
      'a pull secret',
      { ...env('mine'), imagePullSecrets: [{ name: 'other' }] },
      'imagePullSecrets[0].name="other" is not allowed because service account default does not reference that imagePullSecret',
    ],
    ['none of others', env('mine'), undefined],
  ] as const)('of strict accounts: %s', (_, spec, why) =>
    withAccount(
      async (server) => {
        const answer = await server.post(`${NS}/pods`, pod('x', spec));
        expect(said(answer)).toBe(why && `pods "x" is forbidden: ${why}`);
        if (!why) expect(answer.body.spec.imagePullSecrets).toEqual([{ name: 'pull' }]);
      },
      [],
      strict,
    ),
  );
  it('of others: any secret', () =>
    withAccount(async (server) => {
      expect((await server.post(`${NS}/pods`, pod('x', SECRET))).status).toBe(201);
    }));
});

describe('off by default', () => {
  it('AlwaysPullImages', () =>
    withAccount(
      async (server) => {
        const { body } = await server.post(`${NS}/pods`, pod('x', { containers: [{ name: 'c', image: 'nginx:1', imagePullPolicy: 'Never' }] }));
        expect(body.spec.containers[0].imagePullPolicy).toBe('Always');
      },
      ['AlwaysPullImages'],
    ));

  it('ExtendedResourceToleration', () =>
    withAccount(
      async (server) => {
        const gpu = { 'nvidia.com/gpu': '1' };
        const { body } = await server.post(`${NS}/pods`, pod('x', { containers: [{ name: 'c', image: 'nginx', resources: { limits: gpu, requests: gpu } }] }));
        expect(body.spec.tolerations.at(-1)).toEqual({ key: 'nvidia.com/gpu', operator: 'Exists' });
      },
      ['ExtendedResourceToleration'],
    ));

  it('PodTolerationRestriction', () =>
    withAccount(
      async (server) => {
        const list = (...keys: string[]) => JSON.stringify(keys.map((key) => ({ key, operator: 'Exists' })));
        await server.patch('/api/v1/namespaces/default', {
          metadata: {
            annotations: {
              'scheduler.alpha.kubernetes.io/defaultTolerations': list('a'),
              'scheduler.alpha.kubernetes.io/tolerationsWhitelist': list('a', 'node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'),
            },
          },
        });
        await server.sleep(ms(10));
        expect((await server.post(`${NS}/pods`, pod('x'))).body.spec.tolerations.map(({ key }: Loose) => key)).toContain('a');
        const refused = await server.post(
          `${NS}/pods`,
          pod('y', { tolerations: [{ key: 'b', operator: 'Exists' }], containers: [{ name: 'c', image: 'nginx' }] }),
        );
        expect(said(refused)).toBe(
          'pods "y" is forbidden: pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
        );
      },
      ['PodTolerationRestriction'],
    ));

  it('OwnerReferencesPermissionEnforcement', () =>
    withAccount(
      async (server) => {
        const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
        await server.post(`${rbac}/roles`, { metadata: { name: 'maker' }, rules: [{ verbs: ['create'], apiGroups: [''], resources: ['configmaps'] }] });
        await server.post(`${rbac}/rolebindings`, {
          metadata: { name: 'maker' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maker' },
          subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }],
        });
        await server.sleep(ms(10));
        const owned = { metadata: { name: 'x', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] } };
        expect(said(await server.post(`${NS}/configmaps`, owned, as('jane')))).toBe(
          'configmaps "x" is forbidden: cannot set an ownerRef on a resource you can\'t delete: , <nil>',
        );
        expect((await server.post(`${NS}/configmaps`, owned)).status).toBe(201);
      },
      ['OwnerReferencesPermissionEnforcement'],
    ));

  it('DenyServiceExternalIPs', () =>
    withAccount(
      async (server) => {
        const service = { metadata: { name: 's' }, spec: { ports: [{ port: 80 }], externalIPs: ['1.2.3.4'] } };
        expect(said(await server.post(`${NS}/services`, service))).toBe('services "s" is forbidden: Use of external IPs is denied by admission control.');
      },
      ['DenyServiceExternalIPs'],
    ));
});

describe('facts', () => {
  it('tell which plugin changed and which refused what, by reference', () =>
    withAccount(async (server) => {
      await server.post(`${NS}/limitranges`, { metadata: { name: 'l' }, spec: { limits: [{ type: 'Container', default: { cpu: '1' }, max: { cpu: '2' } }] } });
      await server.sleep(ms(10));
      const { newest } = server.loop.trace;
      await server.post(`${NS}/pods`, pod('x'));
      await server.post(`${NS}/pods`, pod('y', { containers: [{ name: 'c', image: 'nginx', resources: { limits: { cpu: '4' } } }] }));
      const facts = server.loop.trace.since(newest + 1);
      const mutate = facts.find(({ type, about }) => type === 'api.mutate' && about === 'Pod/default/x')!.data as Loose;
      expect(mutate.plugins).toEqual(['LimitRanger', 'ServiceAccount', 'Priority', 'DefaultTolerationSeconds']);
      expect(mutate.steps[0].after).toBe(mutate.steps[1].before);
      const deny = facts.find(({ type }) => type === 'api.deny')!;
      expect([deny.about, (deny.data as Loose).plugin]).toEqual(['Pod/default/y', 'LimitRanger']);
    }));
});
