/** What components' own writes leave behind, and what people are shown of it. */
import { describe, expect, it } from 'vitest';
import { type Loose, pod, type TestServer, withApiServer } from '../testing.test-support.ts';
import { entriesOf, ledgerOf } from './ledger.ts';
import { keyElement } from './path-set.ts';
import { listKeys } from './record.ts';
import { associativeLists } from './shapes.ts';

const PODS = '/api/v1/namespaces/default/pods';
const as = (agent: string, typed = true) => ({ headers: { 'user-agent': `${agent}/v1.33.0 (linux/amd64)` }, typed });
const ready = (server: TestServer) =>
  server.post('/api/v1/namespaces/default/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
const fieldsOf = (object: Loose, manager: string, subresource = ''): Loose =>
  object.metadata.managedFields?.find((one: Loose) => one.manager === manager && (one.subresource ?? '') === subresource)?.fieldsV1;

const status = (transition: string) => ({
  phase: 'Running',
  conditions: [
    { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-05T08:00:00Z' },
    { type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: transition },
  ],
  podIP: '10.244.1.2',
  podIPs: [{ ip: '10.244.1.2' }],
  containerStatuses: [{ name: 'c', ready: true, restartCount: 0, image: 'nginx:1.27', imageID: '', state: { running: {} } }],
  qosClass: 'BestEffort',
});

describe('a component', () => {
  it('owns what it sent, not what the server added', async () => {
    await withApiServer(async (server) => {
      await ready(server);
      const wanted = {
        ...pod('web'),
        metadata: {
          name: 'web',
          generateName: 'web-',
          labels: { app: 'web' },
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u1' }],
        },
      };
      expect((await server.post(PODS, wanted, as('kube-controller-manager'))).status).toBe(201);
      const { body } = await server.get(`${PODS}/web`);
      expect(body.metadata.managedFields).toHaveLength(1);
      expect(body.metadata.managedFields[0]).toMatchObject({
        manager: 'kube-controller-manager',
        operation: 'Update',
        apiVersion: 'v1',
        fieldsType: 'FieldsV1',
        time: expect.stringMatching(/Z$/),
      });
      expect(fieldsOf(body, 'kube-controller-manager')).toEqual({
        'f:metadata': {
          'f:generateName': {},
          'f:labels': { '.': {}, 'f:app': {} },
          'f:ownerReferences': { '.': {}, 'k:{"uid":"u1"}': {} },
        },
        'f:spec': {
          'f:containers': {
            'k:{"name":"c"}': {
              '.': {},
              'f:image': {},
              'f:imagePullPolicy': {},
              'f:name': {},
              'f:resources': {},
              'f:terminationMessagePath': {},
              'f:terminationMessagePolicy': {},
            },
          },
          'f:dnsPolicy': {},
          'f:enableServiceLinks': {},
          'f:restartPolicy': {},
          'f:schedulerName': {},
          'f:securityContext': {},
          'f:terminationGracePeriodSeconds': {},
        },
      });
    });
  });

  it('owns what it changes; what is bound is nobody’s', async () => {
    await withApiServer(async (server) => {
      await ready(server);
      await server.post(PODS, pod('web'), as('kube-controller-manager'));
      const bound = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'web' }, target: { kind: 'Node', name: 'node-1' } };
      await server.post(`${PODS}/web/binding`, bound, as('kube-scheduler'));
      const { body: before } = await server.get(`${PODS}/web`, as('kubelet'));
      await server.put(`${PODS}/web/status`, { ...before, status: status('2026-01-05T08:00:01Z') }, as('kubelet'));
      const { body: seen } = await server.get(`${PODS}/web`);
      expect(seen.metadata.managedFields.map((one: Loose) => [one.manager, one.subresource ?? ''])).toEqual([
        ['kube-controller-manager', ''],
        ['kubelet', 'status'],
      ]);
      expect(fieldsOf(seen, 'kube-controller-manager')['f:spec']['f:nodeName']).toBeUndefined();
      expect(fieldsOf(seen, 'kube-controller-manager')['f:status']).toBeUndefined();
      expect(fieldsOf(seen, 'kubelet', 'status')).toEqual({
        'f:status': {
          'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:lastProbeTime': {}, 'f:lastTransitionTime': {}, 'f:status': {}, 'f:type': {} } },
          'f:containerStatuses': {},
          'f:phase': {},
          'f:podIP': {},
          'f:podIPs': { '.': {}, 'k:{"ip":"10.244.1.2"}': { '.': {}, 'f:ip': {} } },
        },
      });
      // Later its own, again: the same set, another time.
      await server.sleep(5_000_000);
      const { body: later } = await server.get(`${PODS}/web`, as('kubelet'));
      const first = ledgerOf(later)!;
      await server.put(`${PODS}/web/status`, { ...later, status: status('2026-01-05T08:00:06Z') }, as('kubelet'));
      const { body: last } = await server.get(`${PODS}/web`, as('kubelet'));
      const [old, now] = [entriesOf(first)[1]!, entriesOf(ledgerOf(last))[1]!];
      expect(now.line.replace(now.time, '')).toBe(old.line.replace(old.time, ''));
      expect(now.time > old.time).toBe(true);
      // Somebody else takes one field over.
      await server.patch(`${PODS}/web`, { metadata: { labels: { app: 'other', tier: 'x' } } }, 'merge', {
        headers: { 'content-type': 'application/merge-patch+json', 'user-agent': 'taker/1' },
      });
      const { body: taken } = await server.get(`${PODS}/web`);
      expect(fieldsOf(taken, 'taker')).toEqual({ 'f:metadata': { 'f:labels': { 'f:app': {}, 'f:tier': {} } } });
      expect(fieldsOf(taken, 'kube-controller-manager')['f:metadata']).toEqual({ 'f:labels': {} });
    });
  });

  it('writes nothing when nothing changes', async () => {
    await withApiServer(async (server) => {
      await ready(server);
      await server.post(PODS, pod('web'), as('kube-controller-manager'));
      const { body: mine } = await server.get(`${PODS}/web`, as('kube-controller-manager'));
      await server.sleep(5_000_000);
      await server.put(`${PODS}/web`, mine, as('kube-controller-manager'));
      await server.put(`${PODS}/web`, mine, as('another'));
      const { body: shown } = await server.get(`${PODS}/web`);
      await server.put(`${PODS}/web`, shown, as('kubectl', false));
      const { body: after } = await server.get(`${PODS}/web`, as('kube-controller-manager'));
      expect(after.metadata.resourceVersion).toBe(mine.metadata.resourceVersion);
    });
  });

  it('leaves the same in etcd whether anybody looks or not, and what another server reads', async () => {
    const run = async (look: boolean): Promise<string> => {
      let text = '';
      let shown: Loose;
      const { store } = await withApiServer(async (server) => {
        await ready(server);
        await server.post(PODS, pod('web'), as('kube-controller-manager'));
        if (look) JSON.stringify((await server.get(`${PODS}/web`)).body);
        else await server.get(`${PODS}/web`);
        const { body } = await server.get(`${PODS}/web`, as('kubelet'));
        await server.put(`${PODS}/web/status`, { ...body, status: status('2026-01-05T08:00:01Z') }, as('kubelet'));
        shown = JSON.parse(JSON.stringify((await server.get(`${PODS}/web`)).body));
        text = server.store.get(`/registry/pods/default/web`)!.value;
      });
      await withApiServer(
        async (server) => {
          expect(JSON.parse(JSON.stringify((await server.get(`${PODS}/web`)).body)).metadata.managedFields).toEqual(shown.metadata.managedFields);
        },
        { store },
      );
      return text;
    };
    expect(await run(true)).toBe(await run(false));
  });
});

describe('the names of lists', () => {
  it.each(associativeLists().map(([model, field, keys]) => [`${model}.${field}`, field, keys] as const))('%s', (_, field, keys) => {
    const item = Object.fromEntries(keys.map((key) => [key, 'x']));
    expect(listKeys(field, [item])).toEqual(keys);
    expect(keyElement(keys.map((key) => [key, 'x'] as const))).toContain('k:{');
  });
});
