/** What get, del and watch have in common: which keys are meant. */
import { badArgs } from '../errors.ts';
import type { Flags } from '../flags.ts';

/** The end of the range of keys that begin with `prefix` (clientv3.GetPrefixRangeEnd). */
export function prefixEnd(prefix: string): string {
  if (prefix === '') return '\0';
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}

/** An empty key with `--prefix` or `--from-key` means every key, which begins at `\0`. Throws CtlError. */
export function rangeOf(flags: Flags, [key = '', end]: readonly string[]): { readonly key: string; readonly rangeEnd?: string } {
  const prefix = flags.bool('prefix');
  const fromKey = flags.bool('from-key');
  if (prefix && fromKey) throw badArgs('`--prefix` and `--from-key` cannot be set at the same time, choose one');
  if (end !== undefined) {
    if (prefix || fromKey) throw badArgs('too many arguments, only accept one argument when `--prefix` or `--from-key` is set');
    return { key, rangeEnd: end };
  }
  if (prefix) return { key: key === '' ? '\0' : key, rangeEnd: prefixEnd(key) };
  if (fromKey) return { key: key === '' ? '\0' : key, rangeEnd: '\0' };
  return { key };
}
