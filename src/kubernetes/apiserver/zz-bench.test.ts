import { it } from 'vitest';
import { withApiServer, pod, deployment } from '/work/main/src/kubernetes/apiserver/testing.test-support.ts';
import { ms } from '/work/main/src/sim/clock.ts';
it('bench', async () => {
  await withApiServer(async (server) => {
    await server.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    for (let i = 0; i < 5000; i++) await server.watch(`/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dnode-${i}`);
    const lease = (n: number) => ({ apiVersion:'coordination.k8s.io/v1', kind:'Lease', metadata: { name: 'n', namespace: 'kube-node-lease' }, spec: { holderIdentity: 'n', leaseDurationSeconds: 40, renewTime: `2026-01-05T08:00:00.${String(n).padStart(6, '0')}Z` } });
    const url = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    let cur = (await server.post(url, lease(0))).body;
    for (let round = 0; round < 4; round++) {
      let t = performance.now();
      for (let i = 1; i <= 3000; i++) { cur = (await server.put(`${url}/n`, { ...lease(i + round * 3000), metadata: cur.metadata }, {certificate: {commonName: 'system:node:n', organizations: ['system:nodes']}})).body; }
      console.log('lease put us', (performance.now() - t) / 3000 * 1000, cur.kind);
      t = performance.now();
      for (let i = 0; i < 1000; i++) await server.post('/api/v1/namespaces/default/pods', pod(`p-${round}-${i}`));
      console.log('pod create us', (performance.now() - t) / 1000 * 1000);
      t = performance.now();
      for (let i = 0; i < 1000; i++) await server.patch(`/api/v1/namespaces/default/pods/p-${round}-${i}/status`, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } });
      console.log('pod status patch us', (performance.now() - t) / 1000 * 1000);
      t = performance.now();
      for (let i = 0; i < 3000; i++) await server.sleep(ms(1));
      console.log('sleep us', (performance.now() - t) / 3000 * 1000);
    }
  });
}, 60000);
