/** A menu of actions at the pointer or at a thing; as the page's own, for what only this view knows. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useApp } from '../app-context.ts';
import css from '../shell/context-menu.module.css';
import type { RaftAction } from './actions.ts';

export interface MenuAt {
  readonly title: string;
  readonly actions: readonly RaftAction[];
  readonly x: number;
  readonly y: number;
}

export function Menu({ menu, onClose }: { readonly menu: MenuAt; onClose(): void }) {
  const app = useApp();
  const box = useRef<HTMLDivElement>(null);
  const cameFrom = useRef(document.activeElement);
  const [place, setPlace] = useState({ left: menu.x, top: menu.y });
  const close = (): void => {
    onClose();
    if (cameFrom.current instanceof HTMLElement || cameFrom.current instanceof SVGElement) cameFrom.current.focus();
  };
  useLayoutEffect(() => {
    const rect = box.current?.getBoundingClientRect();
    if (rect) setPlace({ left: Math.max(8, Math.min(menu.x, innerWidth - rect.width - 8)), top: Math.max(8, Math.min(menu.y, innerHeight - rect.height - 8)) });
    box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  }, [menu]);
  useEffect(() => {
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) onClose();
    };
    addEventListener('pointerdown', outside, true);
    return () => removeEventListener('pointerdown', outside, true);
  }, [onClose]);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={box} className={css['menu']} style={place} role="menu" aria-label={menu.title} onKeyDown={onKeyDown} tabIndex={-1}>
      <div className={css['title']} aria-hidden="true">
        {menu.title}
      </div>
      {menu.actions.map((action) => (
        <button
          key={action.id}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={css['item']}
          onClick={() => {
            close();
            action.run(app);
          }}
        >
          {action.label}
        </button>
      ))}
    </div>
  );
}
