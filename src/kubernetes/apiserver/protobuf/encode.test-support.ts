/** Protobuf written by hand, for tests: texts whose characters are bytes. */

export const bytes = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');

function varint(value: number): string {
  let left = BigInt.asUintN(64, BigInt(value));
  let out = '';
  for (; left > 127n; left >>= 7n) out += String.fromCharCode(Number(left & 127n) | 128);
  return out + String.fromCharCode(Number(left));
}

export const number = (tag: number, value: number): string => varint(tag * 8) + varint(value);
export const field = (tag: number, value: string): string => varint(tag * 8 + 2) + varint(value.length) + value;
/** A message within a message is a field like a text. */
export const nested = (tag: number, message: string): string => field(tag, message);

/** `runtime.Unknown` around a message. */
export const envelope = (apiVersion: string, kind: string, message: string): string =>
  `k8s\0${nested(1, field(1, apiVersion) + field(2, kind))}${nested(2, message)}${field(3, '')}${field(4, '')}`;
