/** When requests are forgotten, and how cluster-info is signed. */
import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { hours, minutes } from '../../../sim/clock.ts';
import { timestamp } from '../../api/time.ts';
import { detached } from './cluster-info.ts';
import { isOld } from './security.ts';

const csr = (created: number, conditions: readonly { type: string; at: number }[] = []) =>
  ({
    metadata: { name: 'c', creationTimestamp: timestamp(created) },
    spec: {},
    status: { conditions: conditions.map(({ type, at }) => ({ type, lastUpdateTime: timestamp(at) })) },
  }) as never;

it.each([
  ['a young one', csr(0), hours(23), false],
  ['one nobody answered', csr(0), hours(24) + minutes(1), true],
  ['just approved', csr(0, [{ type: 'Approved', at: hours(30) }]), hours(30) + minutes(59), false],
  ['approved an hour ago', csr(0, [{ type: 'Approved', at: 0 }]), minutes(61), true],
  ['denied an hour ago', csr(0, [{ type: 'Denied', at: 0 }]), minutes(61), true],
] as const)('%s', (_, request, now, expected) => expect(isOld(request, now)).toBe(expected));

it('signatures are detached JWS', () => {
  const [head, body, signature] = detached('kubeconfig text', 'abcdef', '0123456789abcdef').split('.');
  expect([JSON.parse(Buffer.from(head!, 'base64url').toString()), body]).toEqual([{ alg: 'HS256', kid: 'abcdef' }, '']);
  const expected = createHmac('sha256', 'abcdef.0123456789abcdef').update(`${head}.${Buffer.from('kubeconfig text').toString('base64url')}`);
  expect(signature).toBe(expected.digest('base64url'));
});
