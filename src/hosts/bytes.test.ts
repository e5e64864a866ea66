import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, toBytes } from './bytes.ts';

test('any bytes, cut anywhere, come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (pieces) => {
      const reader = new ByteReader();
      const text = pieces.map((piece) => reader.read(piece)).join('') + reader.end();
      expect(toBytes(text)).toEqual(Buffer.concat(pieces));
    }),
  );
});

test('text stays text, though its characters are cut', () => {
  const bytes = Buffer.from('Grüße, 世界 👋', 'utf8');
  const reader = new ByteReader();
  const text = [...bytes].map((byte) => reader.read(Uint8Array.of(byte))).join('') + reader.end();
  expect(text).toBe('Grüße, 世界 👋');
});

test('what is no UTF-8 becomes lone surrogates, which JSON carries', () => {
  const reader = new ByteReader();
  const text = reader.read(Uint8Array.of(0x41, 0xff, 0xc3, 0x28)) + reader.end();
  expect(text).toBe('A\udcff\udcc3(');
  expect(toBytes(JSON.parse(JSON.stringify(text)))).toEqual(Buffer.from([0x41, 0xff, 0xc3, 0x28]));
});
