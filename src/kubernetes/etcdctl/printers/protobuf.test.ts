import { expect, test } from 'vitest';
import { ProtobufPrinter } from './protobuf.ts';

/** Bytes of what was printed, a lone surrogate being one of its own. */
const bytesOf = (text: string): number[] => [...text].flatMap((c) => (/[\udc80-\udcff]/u.test(c) ? [c.charCodeAt(0) - 0xdc00] : [...Buffer.from(c)]));
const printed = (print: (printer: ProtobufPrinter) => void): number[] => {
  let out = '';
  print(new ProtobufPrinter((text) => (out += text)));
  return bytesOf(out);
};
const header = { clusterId: '2037210783374497686', memberId: '13195394291058371180', revision: 8, raftTerm: 2 };

test('a put is the message etcd 3.4 printed for it', () => {
  // `etcdctl put b 1 -w protobuf | od -c` of the real one.
  const real = '0a 19 08 96 af 87 9d 9f 8d e8 a2 1c 10 ec d4 81 ee a0 a6 dd 8f b7 01 18 08 20 02';
  expect(
    printed((printer) => printer.put({ header }))
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join(' '),
  ).toBe(real);
});

test('keys, values and their lengths are counted in bytes; what is zero is left out', () => {
  const kv = { key: 'é', value: '', createRevision: 0, modRevision: 300, version: 1, lease: 0 };
  const out = printed((printer) =>
    printer.get({ header: { ...header, clusterId: '0', memberId: '0', revision: 0, raftTerm: 0 }, kvs: [kv], more: false, count: 1 }),
  );
  expect(out).toEqual([0x0a, 0, 0x12, 9, 0x0a, 2, 0xc3, 0xa9, 0x18, 0xac, 0x02, 0x20, 1, 0x20, 1]);
});

test('what etcdctl has no message for is refused', () => {
  expect(() => new ProtobufPrinter(() => {}).health()).toThrow('protobuf not supported as output format');
});
