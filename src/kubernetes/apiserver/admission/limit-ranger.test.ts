/** LimitRanges: what they fill in and what they refuse, in upstream's words. */
import { describe, expect, it } from 'vitest';
import { ms } from '../../../sim/clock.ts';
import { type Loose, pod, type TestServer, withApiServer } from '../testing.test-support.ts';

const NS = '/api/v1/namespaces/default';
const SA = { metadata: { name: 'default' } };

async function withRange(limits: object[], story: (server: TestServer) => Promise<void>): Promise<void> {
  await withApiServer(async (server) => {
    await server.post(`${NS}/serviceaccounts`, SA);
    expect((await server.post(`${NS}/limitranges`, { metadata: { name: 'limits' }, spec: { limits } })).status).toBe(201);
    await server.sleep(ms(10));
    await story(server);
  });
}

const container = (resources: object | undefined, more: object = {}): object =>
  pod('x', { containers: [{ name: 'c', image: 'nginx', ...(resources ? { resources } : {}) }], ...more });

describe('LimitRanger', () => {
  it('fills in defaults, and says so in an annotation', () =>
    withRange([{ type: 'Container', default: { cpu: '500m', memory: '512Mi' }, defaultRequest: { cpu: '100m' } }], async (server) => {
      const { body } = await server.post(
        `${NS}/pods`,
        container(undefined, { initContainers: [{ name: 'i', image: 'busybox', resources: { limits: { cpu: '1' } } }] }),
      );
      expect(body.spec.containers[0].resources).toEqual({ limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '512Mi' } });
      expect(body.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
        'LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c; memory request for init container i; memory limit for init container i',
      );
    }));

  const cases: readonly (readonly [string, object, object | undefined, string])[] = [
    ['too little', { type: 'Container', min: { cpu: '100m' } }, { requests: { cpu: '50m' } }, 'minimum cpu usage per Container is 100m, but request is 50m'],
    ['a pod without requests', { type: 'Pod', min: { cpu: '1' } }, undefined, 'minimum cpu usage per Pod is 1.  No request is specified'],
    [
      'several at once',
      { type: 'Container', min: { cpu: '100m', memory: '64Mi' } },
      { requests: { cpu: '50m', memory: '32Mi' } },
      '[minimum cpu usage per Container is 100m, but request is 50m, minimum memory usage per Container is 64Mi, but request is 32Mi]',
    ],
    [
      'too high a limit',
      { type: 'Container', max: { memory: '1Gi' } },
      { limits: { memory: '1536Mi' } },
      'maximum memory usage per Container is 1Gi, but limit is 1536Mi',
    ],
    [
      'too wide a ratio',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '100m' }, limits: { cpu: '250m' } },
      'cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000',
    ],
    [
      'no request for a ratio',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '0' }, limits: { cpu: '250m' } },
      'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
    ],
    ['a pod as a whole', { type: 'Pod', max: { cpu: '1' } }, { limits: { cpu: '1500m' } }, 'maximum cpu usage per Pod is 1, but limit is 1500m'],
    ['a pod without limits', { type: 'Pod', max: { cpu: '1' } }, undefined, 'maximum cpu usage per Pod is 1.  No limit is specified'],
  ];
  it.each(cases)('refuses: %s', (_, limit, resources, why) => {
    return withRange([limit], async (server) => {
      const { status, body } = await server.post(`${NS}/pods`, container(resources));
      expect([status, body.message]).toEqual([403, `pods "x" is forbidden: ${why}`]);
      expect(body.details).toEqual({ name: 'x', kind: 'pods' });
    });
  });

  it('looks at claims', () =>
    withRange([{ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '5Gi' } }], async (server) => {
      const claim = (storage: string): object => ({
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      });
      const answer = async (storage: string): Promise<Loose> => (await server.post(`${NS}/persistentvolumeclaims`, claim(storage))).body;
      expect((await answer('500Mi')).message).toBe(
        'persistentvolumeclaims "data" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi',
      );
      expect((await answer('6Gi')).message).toBe(
        'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi',
      );
      expect((await answer('2Gi')).metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    }));

  it('leaves other namespaces and later updates alone', () =>
    withRange([{ type: 'Container', max: { cpu: '1' } }], async (server) => {
      await server.post('/api/v1/namespaces', { metadata: { name: 'free' } });
      await server.post('/api/v1/namespaces/free/serviceaccounts', SA);
      const { status } = await server.post('/api/v1/namespaces/free/pods', container({ limits: { cpu: '4' } }));
      expect(status).toBe(201);
      expect((await server.post(`${NS}/pods`, container({ limits: { cpu: '1' } }))).status).toBe(201);
      await server.put(`${NS}/limitranges/limits`, { metadata: { name: 'limits' }, spec: { limits: [{ type: 'Container', max: { cpu: '100m' } }] } });
      await server.sleep(ms(10));
      expect((await server.patch(`${NS}/pods/x`, { metadata: { labels: { a: 'b' } } })).status).toBe(200);
    }));
});
