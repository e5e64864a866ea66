/** Commands typed into a terminal from elsewhere on the page: a menu, a lesson. They wait until the terminal has been opened and has its size. */
import type { World } from '../../hosts/connect.ts';

const opened = new Set<string>();
const waiting = new Map<string, string[]>();

/** Ctrl-U first, so that a half-typed line is not run with it. */
const keysFor = (command: string): string => `\x15${command}\r`;

/** Types `command` and Enter, now or as soon as the terminal is open. Opening it (the dock's tab) is the caller's part. */
export function typeCommand(world: World, name: string, command: string): void {
  if (opened.has(name)) world.terminal(name).write(keysFor(command));
  else waiting.set(name, [...(waiting.get(name) ?? []), command]);
}

/** The terminal has told the world its size: what waited is typed. */
export function terminalOpened(world: World, name: string): void {
  opened.add(name);
  for (const command of waiting.get(name) ?? []) world.terminal(name).write(keysFor(command));
  waiting.delete(name);
}
