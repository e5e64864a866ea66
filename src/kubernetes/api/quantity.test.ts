import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addQuantities, canonicalQuantity, compareQuantities, fromMilli, fromWhole, milliValue, subtractQuantities, wholeValue } from './quantity.ts';

describe('quantities', () => {
  test.each([
    ['0', '0'],
    ['0Mi', '0'],
    ['1', '1'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1.5', '1500m'],
    ['100m', '100m'],
    ['1500m', '1500m'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1e3', '1e3'],
    ['12e4', '120e3'],
    ['1E', '1E'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1000Mi', '1000Mi'],
    ['1Ki', '1Ki'],
    ['0.5Ki', '512'],
    ['128974848', '128974848'],
    ['129e6', '129e6'],
    ['-1.5Gi', '-1536Mi'],
    ['+5', '5'],
    ['1n', '1n'],
    ['0.0000000001', '1n'],
    ['100u', '100u'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
    expect(canonicalQuantity(canonical)).toBe(canonical);
  });
  test('a number is its text', () => {
    expect(canonicalQuantity(1)).toBe('1');
    expect(canonicalQuantity(0.25)).toBe('250m');
  });
  test.each(['', 'abc', '1 Gi', 'Mi', '1.2.3', '--1'])('%j is none', (text) => {
    expect(() => canonicalQuantity(text)).toThrow("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  });
  test('a suffix nobody knows', () => {
    expect(() => canonicalQuantity('1KKi')).toThrow("unable to parse quantity's suffix");
  });
  test('values round up', () => {
    expect(milliValue('100m')).toBe(100);
    expect(milliValue('0.0001')).toBe(1);
    expect(milliValue(undefined)).toBe(0);
    expect(wholeValue('1Gi')).toBe(1_073_741_824);
    expect(wholeValue('100m')).toBe(1);
  });
  test('arithmetic keeps the format of the first', () => {
    expect(addQuantities('1Gi', '512Mi')).toBe('1536Mi');
    expect(addQuantities('0', '512Mi')).toBe('512Mi');
    expect(subtractQuantities('4', '250m')).toBe('3750m');
    expect(compareQuantities('1Gi', '1G')).toBe(1);
    expect(compareQuantities('1', '1000m')).toBe(0);
    expect(fromMilli(1500)).toBe('1500m');
    expect(fromWhole(8 * 1024 ** 3, 'BinarySI')).toBe('8Gi');
  });
  test('canonical texts keep the amount', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.constantFrom('', 'm', 'k', 'Ki', 'Mi', 'Gi', 'e3', 'n'), (n, suffix) => {
        expect(compareQuantities(`${n}${suffix}`, canonicalQuantity(`${n}${suffix}`))).toBe(0);
      }),
    );
  });
});
