import { describe, expect, test } from 'vitest';
import { type ConditionLike, findCondition, isTrue, removeCondition, setCondition } from './condition.ts';
import { canonicalJson, computeHash, fnv32a } from './hash.ts';
import { controllerOf, isControlledBy, newControllerRef } from './owner.ts';

describe('conditions', () => {
  const ready: ConditionLike = { type: 'Ready', status: 'True', lastTransitionTime: 't1' };
  test('the time stays while the status stays', () => {
    expect(setCondition([ready], { type: 'Ready', status: 'True', reason: 'New', lastTransitionTime: 't2' })).toEqual([{ ...ready, reason: 'New' }]);
    expect(setCondition([ready], { type: 'Ready', status: 'False', lastTransitionTime: 't2' })).toEqual([
      { type: 'Ready', status: 'False', lastTransitionTime: 't2' },
    ]);
  });
  test('nothing new is the same list', () => {
    const list = [ready];
    expect(setCondition(list, { type: 'Ready', status: 'True', lastTransitionTime: 't9' })).toBe(list);
    expect(removeCondition(list, 'Other')).toBe(list);
    expect(isTrue(list, 'Ready')).toBe(true);
    expect(findCondition(list, 'Other')).toBeUndefined();
  });
});

test('owners', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web', uid: 'u1' } };
  const pod = { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u0' }, newControllerRef(owner)] } };
  expect(controllerOf(pod)?.uid).toBe('u1');
  expect(isControlledBy(pod, owner)).toBe(true);
  expect(isControlledBy({ metadata: {} }, { metadata: {} })).toBe(false);
});

describe('hashes', () => {
  test('FNV-1a', () => {
    expect(fnv32a('')).toBe(0x811c9dc5);
    expect(fnv32a('a')).toBe(0xe40c292c);
    expect(fnv32a('foobar')).toBe(0xbf9cf968);
  });
  test('the order of keys does not matter, contents and collisions do', () => {
    expect(canonicalJson({ b: 1, a: [undefined, { d: undefined, c: 2 }] })).toBe('{"a":[null,{"c":2}],"b":1}');
    expect(computeHash({ a: 1, b: 2 })).toBe(computeHash({ b: 2, a: 1 }));
    expect(computeHash({ a: 1 })).not.toBe(computeHash({ a: 2 }));
    expect(computeHash({ a: 1 }, 1)).not.toBe(computeHash({ a: 1 }));
    expect(computeHash({ a: 1 })).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]+$/);
  });
});
