import { describe, expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import type { Secret } from '../api/types.gen.ts';
import { credentialsOf, isFor } from './credentials.ts';
import { createTestNode } from './kubelet.test-support.ts';

// credentialprovider/keyring_test.go: TestURLsMatch and TestDockerKeyringForGlob.
test.each([
  ['registry.example.net', 'registry.example.net/private/app:1', true],
  ['registry.example.net/private', 'registry.example.net/private/app:1', true],
  ['registry.example.net/other', 'registry.example.net/private/app:1', false],
  ['*.example.net', 'registry.example.net/app', true],
  ['*.net', 'registry.example.net/app', false],
  ['prefix-*.example.net', 'prefix-a.example.net/app', true],
  ['registry.example.net:5000', 'registry.example.net/app', false],
  ['registry.example.net:5000', 'registry.example.net:5000/app', true],
  ['index.docker.io', 'nginx', true],
  ['index.docker.io', 'docker.io/library/nginx', true],
])('an entry for %s and the image %s: %s', (registry, image, wanted) => expect(isFor(registry, image)).toBe(wanted));

const base64 = (text: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let out = '';
  for (let i = 0; i < text.length; i += 3) {
    const bits = (text.charCodeAt(i) << 16) | ((text.charCodeAt(i + 1) || 0) << 8) | (text.charCodeAt(i + 2) || 0);
    for (let k = 0; k < 4; k++) out += i + k > text.length ? '=' : alphabet[(bits >> (18 - 6 * k)) & 63];
  }
  return out;
};
const secret = (name: string, auths: object): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
});

test('the more specific entry goes first; auth is a username and a password', () => {
  const of = credentialsOf([
    secret('a', { 'https://registry.example.net': { username: 'u', password: 'p' } }),
    secret('b', { 'registry.example.net/private': { auth: base64('w:x:y') } }),
  ]);
  expect(of('registry.example.net/private/app').map(({ username, password }) => [username, password])).toEqual([
    ['w', 'x:y'],
    ['u', 'p'],
  ]);
  expect(of('nginx')).toEqual([]);
  expect(credentialsOf([{ ...secret('c', {}), data: { '.dockerconfigjson': base64('{') } }])('x')).toEqual([]);
});

const IMAGE = 'registry.example.net/private/app:v1';
const SAID = `failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}": `;
const good = { 'registry.example.net': { username: 'learner', password: 'orrery-pull' } };
const spec = (more: object = {}) => ({ containers: [{ name: 'c', image: IMAGE, command: ['sleep', '3600'] }], ...more });

describe('an image of a private registry', () => {
  test.each([
    [
      'nobody asks',
      spec(),
      undefined,
      `${SAID}pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`,
    ],
    [
      'somebody else asks',
      spec({ imagePullSecrets: [{ name: 's' }] }),
      { 'registry.example.net': { username: 'learner', password: 'wrong' } },
      `${SAID}unexpected status from HEAD request to https://registry.example.net/v2/private/app/manifests/v1: 401 Unauthorized`,
    ],
  ])('is not given when %s', async (_, pod, auths, message) => {
    const node = await createTestNode();
    if (auths) node.api.put('secrets', secret('s', auths));
    node.create('p', pod);
    const seen = await node.watch(() => node.pod('p')?.status?.containerStatuses?.[0]?.state?.waiting, seconds(5));
    expect(seen.map(([, waiting]) => waiting)).toContainEqual({ reason: 'ErrImagePull', message });
    expect(node.events('p')).toEqual(expect.arrayContaining([`Failed: Failed to pull image "${IMAGE}": ${message}`, 'Failed: Error: ErrImagePull']));
    await node.run(seconds(8));
    expect(node.pod('p')?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('ImagePullBackOff');
  });

  test('is given to its account', async () => {
    const node = await createTestNode();
    node.api.put('secrets', secret('s', good));
    node.create('p', spec({ imagePullSecrets: [{ name: 's' }] }));
    await node.run(seconds(15));
    expect(node.pod('p')?.status?.phase).toBe('Running');
    expect(node.events('p').filter((line) => line.includes('FailedToRetrieve'))).toEqual([]);
  });

  test('a secret that is not there is told of, and found once it is', async () => {
    const node = await createTestNode();
    node.create('p', spec({ imagePullSecrets: [{ name: 's' }, { name: 't' }] }));
    await node.run(seconds(5));
    expect(node.events('p')).toContain(
      'FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (s, t); attempting to pull the image may not succeed.',
    );
    node.api.put('secrets', secret('t', good));
    await node.run(seconds(60));
    expect(node.pod('p')?.status?.phase).toBe('Running');
  });
});
