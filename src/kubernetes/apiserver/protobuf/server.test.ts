import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pod, type TestServer, withApiServer } from '../testing.test-support.ts';
import { bytes, envelope, field, nested, number } from './encode.test-support.ts';
import recorded from './fixtures/kubectl-1.33.json';

const TYPE = { headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } };
const CONFIG = '/api/v1/namespaces/default/configmaps';
const post = (server: TestServer, url: string, body: string) => server.post(url, body, TYPE);

it('serves what kubectl sends', () =>
  withApiServer(async (server) => {
    await server.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'sax' } });
    for (const { command, method, path, protobuf } of recorded) {
      if (method !== 'POST' || path.endsWith('/token')) continue;
      // A quota of best-effort pods cannot count their CPU. An account that is there already, an autoscaler that 1.32 made already, and the pods of debug, for whom no controller makes an account here.
      const status =
        /sa sax$/.test(command) || (/autoscale/.test(command) && !/1\.32/.test(command))
          ? 409
          : /debug/.test(command)
            ? 403
            : /BestEffort/.test(command)
              ? 422
              : 201;
      expect([command, (await post(server, path, bytes(protobuf))).status]).toEqual([command, status]);
    }
    const { body: deployment } = await server.get('/apis/apps/v1/namespaces/default/deployments/zero');
    expect([deployment.spec.replicas, deployment.spec.template.spec.containers[0].command]).toEqual([0, ['sleep', '1d']]);
    const { body: hpa } = await server.get('/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/d2');
    expect(hpa.spec.metrics[0].resource.target).toEqual({ type: 'Utilization', averageUtilization: 80 });
    const { body: config } = await server.get(`${CONFIG}/cmx`);
    expect(config.data).toEqual({ a: 'b', empty: '', greeting: 'grüße✓', 'hello.txt': 'hello' });
  }));

it('answers reviews, and deletes with options', () =>
  withApiServer(async (server) => {
    const one = (command: string) => bytes(recorded.find((row) => row.command === command)!.protobuf);
    const allowed = await post(server, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', one('kubectl auth can-i create pods'));
    expect(allowed.body.status.allowed).toBe(true);
    const me = await post(server, '/apis/authentication.k8s.io/v1/selfsubjectreviews', one('kubectl auth whoami'));
    expect(me.body.status.userInfo.username).toBe('kubernetes-admin');

    await server.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    await server.post('/api/v1/namespaces/default/pods', pod('p', { nodeName: 'n' }));
    const dry = await server.delete('/api/v1/namespaces/default/pods/p', envelope('v1', 'DeleteOptions', number(1, 0) + field(5, 'All')), TYPE);
    expect(dry.status).toBe(200);
    const gone = await server.delete('/api/v1/namespaces/default/pods/p', envelope('v1', 'DeleteOptions', number(1, 7)), TYPE);
    expect(gone.body.metadata.deletionGracePeriodSeconds).toBe(7);
    const wrong = await server.delete('/api/v1/namespaces/default/pods/p', envelope('v1', 'DeleteOptions', field(1, 'x')), TYPE);
    expect([wrong.status, wrong.body.message]).toEqual([
      400,
      'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: proto: wrong wireType = 2 for field GracePeriodSeconds',
    ]);
  }));

it('says what is wrong', () =>
  withApiServer(async (server) => {
    const told = async (url: string, body: string) => {
      const answer = await post(server, url, body);
      return [answer.status, answer.body.message];
    };
    expect(await told(CONFIG, 'x')).toEqual([
      400,
      'the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (78)',
    ]);
    expect(await told(CONFIG, '')).toEqual([400, 'the object provided is unrecognized (must be of type ConfigMap): empty data (<empty>)']);
    expect((await told(CONFIG, envelope('v1', 'Secret', nested(1, field(1, 'a')))))[1]).toContain('Secret in version "v1" cannot be handled as a ConfigMap');
    expect(await told(CONFIG, envelope('example.com/v1', 'Thing', ''))).toEqual([
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
    ]);
    expect((await server.post(CONFIG, 'x', { headers: { 'content-type': 'text/plain' } })).body.message).toBe(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  }));

it('survives any bytes', () =>
  withApiServer(async (server) => {
    const noise = fc.sample(fc.uint8Array({ maxLength: 80 }), { numRuns: 150, seed: 1 }).map((array) => Buffer.from(array).toString('latin1'));
    for (const body of noise) {
      for (const whole of [body, `k8s\0${body}`]) expect([400, 415, 422]).toContain((await post(server, CONFIG, whole)).status);
      expect((await server.delete(`${CONFIG}/nothing`, `k8s\0${body}`, TYPE)).status).toBeLessThan(500);
    }
    const mutations = fc.sample(fc.tuple(fc.constantFrom(...recorded), fc.nat(), fc.nat(255)), { numRuns: 300, seed: 1 });
    for (const [{ method, path, protobuf }, at, byte] of mutations) {
      if (method !== 'POST') continue;
      const body = bytes(protobuf);
      const i = at % body.length;
      const answer = await post(server, path, body.slice(0, i) + String.fromCharCode(byte) + body.slice(i + 1));
      expect(answer.status, `${path} ${i} ${byte}`).toBeLessThan(500);
    }
  }));
