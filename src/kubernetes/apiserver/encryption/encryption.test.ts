/** Secrets in etcd, encrypted; checked with node:crypto. */
import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { createRng } from '../../../sim/rng.ts';
import { MvccStore } from '../../etcd/mvcc.ts';
import { seen } from '../stored-text.ts';
import { withApiServer } from '../testing.test-support.ts';
import { readEncryption } from './encryption.ts';

const KEY = Buffer.alloc(32, 7);
const keys = (...names: string[]) => ({ keys: names.map((name, i) => ({ name, secret: Buffer.alloc(32, 7 + i).toString('base64') })) });
const file = (...providers: object[]) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'EncryptionConfiguration',
  resources: [{ resources: ['secrets'], providers }],
});
const read = (value: unknown) => readEncryption(value, createRng(1));
const PATH = '/registry/secrets/default/s';
const stored = (store: MvccStore, key = PATH): string => store.get(key)?.value ?? '';
const make = { metadata: { name: 's' }, stringData: { password: 'hunter2' } };

describe('providers', () => {
  it.each([
    ['aescbc', { aescbc: keys('key1') }],
    ['aesgcm', { aesgcm: keys('key1') }],
    ['secretbox', { secretbox: keys('key1') }],
  ])('%s there and back', (name, provider) => {
    const transformer = read(file(provider, { identity: {} }));
    const value = transformer.toStorage(PATH, '{"grün":1}');
    expect(value.startsWith(`k8s:enc:${name}:v1:key1:`)).toBe(true);
    expect(transformer.fromStorage(PATH, value)).toBe('{"grün":1}');
    expect(transformer.fromStorage(PATH, '{"plain":1}')).toBe('{"plain":1}');
    expect(transformer.toStorage('/registry/configmaps/default/s', '{}')).toBe('{}');
  });
  it('aescbc is what OpenSSL takes it for', () => {
    const value = read(file({ aescbc: keys('key1') })).toStorage(PATH, 'text of some length, more than a block');
    const bytes = Buffer.from(value.slice('k8s:enc:aescbc:v1:key1:'.length), 'latin1');
    const cipher = createDecipheriv('aes-256-cbc', KEY, bytes.subarray(0, 16));
    expect(Buffer.concat([cipher.update(bytes.subarray(16)), cipher.final()]).toString()).toBe('text of some length, more than a block');
  });
  it('aesgcm binds a value to its place', () => {
    const transformer = read(file({ aesgcm: keys('key1') }));
    const value = transformer.toStorage(PATH, '{}');
    expect(() => transformer.fromStorage('/registry/secrets/default/other', value)).toThrow();
    const bytes = Buffer.from(value.slice('k8s:enc:aesgcm:v1:key1:'.length), 'latin1');
    const cipher = createDecipheriv('aes-256-gcm', KEY, bytes.subarray(0, 12)).setAAD(Buffer.from(PATH)).setAuthTag(bytes.subarray(-16));
    expect(Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]).toString()).toBe('{}');
  });
  it('the first key writes, the others read', () => {
    const old = read(file({ aescbc: keys('key1') })).toStorage(PATH, '{}');
    const rotated = read(file({ aescbc: { keys: [{ name: 'key2', secret: Buffer.alloc(16, 9).toString('base64') }, ...keys('key1').keys] } }));
    expect(rotated.fromStorage(PATH, old)).toBe('{}');
    expect(rotated.toStorage(PATH, '{}').startsWith('k8s:enc:aescbc:v1:key2:')).toBe(true);
    expect(() => read(file({ identity: {} })).fromStorage(PATH, old)).toThrow(`unable to transform key "${PATH}": no matching prefix found`);
  });
  it.each([
    [{ kind: 'X' }, /^error decoding encryption provider configuration file: no kind "X"/],
    [file({ aescbc: { keys: [] } }), /^resources\[0\].providers\[0\].aescbc.keys: Required value: at least one key is required$/],
    [
      file({ aescbc: { keys: [{ name: 'k', secret: 'YWJj' }] } }),
      /keys\[0\].secret: Invalid value: "REDACTED": secret is not of the expected length, got 3, expected one of \[16 24 32\]$/,
    ],
    [file({ aescbc: { keys: [{ name: 'a:b', secret: 'YWJj' }] } }), /name cannot contain ":"/],
    [file({ aescbc: keys('a'), identity: {} }), /more than one provider specified in a single element/],
  ])('%#', (value, message) => expect(() => read(value)).toThrow(message));
});

describe('a server', () => {
  it('writes what etcd cannot read, and reads it again', async () => {
    const store = new MvccStore();
    const SECRETS = '/api/v1/namespaces/default/secrets';
    await withApiServer(
      async (server) => {
        await server.post(SECRETS, make);
        await server.sleep(seconds(1));
      },
      { store },
    );
    expect(stored(store)).toContain('aHVudGVyMg==');
    const encryption = () => read(file({ aescbc: keys('key1') }, { identity: {} }));
    await withApiServer(
      async (server) => {
        // What was there before is read as it is, and encrypted when it is written again.
        const found = await server.get(`${SECRETS}/s`);
        expect(found.body.data.password).toBe('aHVudGVyMg==');
        await server.put(`${SECRETS}/s`, { ...found.body, metadata: { ...found.body.metadata, labels: { again: 'yes' } } });
        await server.post(SECRETS, { ...make, metadata: { name: 't' } });
        await server.sleep(seconds(1));
      },
      { store, encryption: encryption() },
    );
    expect(stored(store).startsWith('k8s:enc:aescbc:v1:key1:')).toBe(true);
    expect(stored(store)).not.toContain('aHVudGVyMg');
    await withApiServer(async (server) => expect((await server.get(`${SECRETS}?labelSelector=again=yes`)).body.items[0].data.password).toBe('aHVudGVyMg=='), {
      store,
      encryption: encryption(),
    });
    // Who only looks at etcd's members sees the object too: the page draws it.
    expect(seen(stored(store, '/registry/secrets/default/t'), '/registry/secrets/default/t').metadata.name).toBe('t');
  });
});
