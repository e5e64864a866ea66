import type { World } from '../../hosts/connect.ts';

/**
 * The terminal slot. Contract: default export, loaded when the dock first shows it and kept mounted afterwards; fills its
 * parent; ships keys with `world.terminal(name).write` and prints what `onText` brings.
 */
export interface TerminalProps {
  readonly world: World;
  readonly name: string;
  /** Whether the tab is in front: then it may take the focus and measure itself. */
  readonly visible: boolean;
}
export default function TerminalPane({ name }: TerminalProps) {
  return <p style={{ padding: 16, color: 'var(--ink-2)' }}>The terminal on {name} is not built in yet.</p>;
}
