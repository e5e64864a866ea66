import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteLength, byteOffset } from './bytes.ts';
import { formatTarEntry, readTar, TAR_END, TarError } from './tar.ts';

test('bytes are counted as on a disk', () => {
  expect(byteLength('aü世👋\udcff')).toBe(1 + 2 + 3 + 4 + 1);
  expect(byteOffset('aü世', 3)).toBe(2);
  expect(byteOffset('aü世', 4)).toBe(2);
  expect(byteOffset('aü', 4)).toBeUndefined();
});

test('what is written is what is read', () => {
  const name = fc.array(fc.stringMatching(/^[a-zü世]{1,40}$/), { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(fc.array(fc.record({ name, text: fc.string({ unit: 'grapheme', maxLength: 1200 }) }), { maxLength: 6 }), (files) => {
      const archive = files.map((file) => formatTarEntry({ ...file, type: 'file', mode: 0o644, time: 1_700_000_000 })).join('') + TAR_END;
      expect(byteLength(archive) % 512).toBe(0);
      expect(readTar(archive).map(({ name, text }) => ({ name, text }))).toEqual(files);
    }),
  );
});

test('directories, and names longer than a header', () => {
  const long = `${'d'.repeat(160)}/${'f'.repeat(120)}`;
  const archive =
    formatTarEntry({ name: 'dir', type: 'directory', mode: 0o755, time: 0 }) +
    formatTarEntry({ name: long, type: 'file', mode: 0o600, time: 0, text: 'x' }) +
    TAR_END;
  expect(readTar(archive)).toEqual([
    { name: 'dir/', type: 'directory', mode: 0o755, time: 0, text: '', link: '' },
    { name: long, type: 'file', mode: 0o600, time: 0, text: 'x', link: '' },
  ]);
});

test('what is no archive is refused', () => {
  expect(() => readTar('x'.repeat(512))).toThrow(TarError);
  expect(() => readTar(formatTarEntry({ name: 'a', type: 'file', mode: 0o644, time: 0, text: 'abc' }).slice(0, 700))).toThrow('unexpected EOF');
});
