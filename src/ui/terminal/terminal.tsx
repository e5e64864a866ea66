/** The terminal on the laptop, in the dock: kept alive behind other tabs, opened in the world when it is first seen. */
import { useEffect, useRef, useState } from 'react';
import type { World } from '../../hosts/connect.ts';
import { useCluster } from '../app-context.ts';
import { Screen } from './screen.ts';
import css from './terminal.module.css';

export interface TerminalProps {
  readonly world: World;
  readonly name: string;
  /** Whether the tab is in front: then it may take the focus and measure itself. */
  readonly visible: boolean;
}

/** A person walking along the tabs by keyboard keeps the focus there. */
const walkingTabs = (): boolean => document.activeElement?.matches('[role=tab]:focus-visible') ?? false;

export default function TerminalPane({ world, name, visible }: TerminalProps) {
  const box = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen>(undefined);
  const [focused, setFocused] = useState(false);
  const booted = useCluster((state) => state.booted);
  const opened = useRef(false);

  useEffect(() => {
    const made = new Screen(box.current!, world, name, () => document.getElementById('dock-panel-terminal')?.focus());
    screen.current = made;
    opened.current = false;
    return () => made.dispose();
  }, [world, name]);

  useEffect(() => {
    if (!visible || !booted) return;
    const steal = !walkingTabs();
    if (opened.current) {
      if (steal) screen.current?.focus();
      return;
    }
    opened.current = true;
    const made = screen.current;
    void made?.open().then(() => {
      if (steal) made.focus();
    });
  }, [visible, booted]);

  return (
    <section
      className={css['pane']}
      aria-label="Terminal"
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
      // The page's own keys are not for what is typed here; F6 and the palette (on a Mac, where the shell has no use for it) still are.
      onKeyDown={(event) => {
        if (event.key !== 'F6' && !(event.metaKey && event.key.toLowerCase() === 'k')) event.stopPropagation();
      }}
    >
      <div ref={box} className={css['screen']} data-testid="terminal" />
      <p className={css['hint']} data-shown={focused} aria-hidden="true">
        <kbd>Esc</kbd> <kbd>Esc</kbd> or <kbd>F6</kbd> leaves
      </p>
    </section>
  );
}
