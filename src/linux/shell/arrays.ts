/**
 * bash's indexed arrays. An element is a variable of its own, `name[3]`; the first is the variable of the name itself, as
 * `$name` means `${name[0]}`. Nothing of an array is ever exported.
 */
import type { Shell } from './state.ts';

export const elementName = (name: string, index: number): string => (index === 0 ? name : `${name}[${index}]`);

/** Ascending. */
export function indexesOf(shell: Shell, name: string): number[] {
  const found: number[] = shell.variables.has(name) ? [0] : [];
  for (const key of shell.variables.keys()) {
    const index = key.startsWith(`${name}[`) ? Number(key.slice(name.length + 1, -1)) : 0;
    if (index > 0) found.push(index);
  }
  return found.sort((a, b) => a - b);
}

export const elementsOf = (shell: Shell, name: string): string[] => indexesOf(shell, name).map((index) => shell.get(elementName(name, index)) ?? '');

/** A negative index counts from the end. */
export function elementAt(shell: Shell, name: string, index: number): string {
  return elementName(name, index < 0 ? (indexesOf(shell, name).at(-1) ?? -1) + 1 + index : index);
}

export function setElements(shell: Shell, name: string, values: readonly string[], append: boolean): void {
  const start = append ? (indexesOf(shell, name).at(-1) ?? -1) + 1 : 0;
  if (!append) removeElements(shell, name);
  for (const [i, value] of values.entries()) shell.set(elementName(name, start + i), value, false);
}

/** The array with all that is in it. */
export function removeElements(shell: Shell, name: string): void {
  for (const index of indexesOf(shell, name)) shell.variables.delete(elementName(name, index));
}
