/** The API server over three etcd members that come and go. */
import { expect, it } from 'vitest';
import { ms, seconds } from '../../sim/clock.ts';
import { forever } from '../../sim/process.ts';
import type { ApiRequest } from '../api/request.ts';
import { TestCluster } from '../etcd/testing.test-support.ts';
import { createApiServer } from './apiserver.ts';
import { ADMIN, type Loose } from './testing.test-support.ts';

it('writes need a majority, reads from the cache do not', async () => {
  const cluster = new TestCluster(1);
  const answers: unknown[] = [];
  const seen: string[] = [];
  const URL = '/api/v1/namespaces/default/configmaps';
  cluster.loop.spawn('kube-apiserver', async (self) => {
    const api = createApiServer(self, { etcd: cluster.client(self), kubelet: () => undefined, serviceCidr: '10.96.0.0/12' });
    while (!api.ready()) await self.clock.sleep(ms(10));
    const call = async (method: ApiRequest['method'], path: string, body?: Loose, query: Record<string, string> = {}): Promise<Loose> => {
      const response = await api.handle({ method, path, query, headers: { 'content-type': 'application/merge-patch+json' }, certificate: ADMIN, body });
      return response;
    };
    await call('POST', URL, { metadata: { name: 'a' } });
    (await call('GET', URL, undefined, { watch: 'true' })).stream.read({
      value: ({ type, object }: Loose) => seen.push(`${type} ${object.data?.n ?? ''}`),
      end: () => {},
    });
    for (const member of cluster.members.slice(0, 2)) cluster.kill(member);
    const refused = await call('PATCH', `${URL}/a`, { data: { n: '1' } });
    answers.push([refused.status, refused.body.message.slice(0, 29)]);
    answers.push((await call('GET', URL, undefined, { resourceVersion: '0' })).body.items.length);
    cluster.start(cluster.members[0]!);
    await self.clock.sleep(seconds(10));
    answers.push((await call('PATCH', `${URL}/a`, { data: { n: '2' } })).status);
    await self.clock.sleep(seconds(1));
    cluster.loop.stop();
    await forever();
  });
  await cluster.loop.run(seconds(120));
  expect(answers).toEqual([[500, 'etcdserver: request timed out'], 1, 200]);
  expect([seen[0], seen.at(-1)]).toEqual(['ADDED ', 'MODIFIED 2']);
});
