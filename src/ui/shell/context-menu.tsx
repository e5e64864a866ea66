/** What can be done to a thing, at the pointer or at the thing. Opened by right click, Shift+F10 and the ⋯ buttons. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { actionsFor } from '../actions.ts';
import { useApp } from '../app-context.ts';
import { Icon } from '../look/icons.tsx';
import { summaryOf, thingOf } from '../objects.ts';
import css from './context-menu.module.css';

export function ContextMenu({ menu }: { menu: { readonly id: string; readonly x: number; readonly y: number } }) {
  const app = useApp();
  const box = useRef<HTMLDivElement>(null);
  const cameFrom = useRef(document.activeElement);
  const [place, setPlace] = useState({ left: menu.x, top: menu.y });
  const thing = thingOf(app.cluster, menu.id);
  const summary = thing && summaryOf(app.cluster, thing);
  const close = (): void => {
    app.ui.set({ menu: undefined });
    if (cameFrom.current instanceof HTMLElement) cameFrom.current.focus();
  };
  useLayoutEffect(() => {
    const rect = box.current?.getBoundingClientRect();
    if (rect) setPlace({ left: Math.max(8, Math.min(menu.x, innerWidth - rect.width - 8)), top: Math.max(8, Math.min(menu.y, innerHeight - rect.height - 8)) });
    box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  }, [menu]);
  useEffect(() => {
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) app.ui.set({ menu: undefined });
    };
    addEventListener('pointerdown', outside, true);
    addEventListener('wheel', outside, true);
    return () => {
      removeEventListener('pointerdown', outside, true);
      removeEventListener('wheel', outside, true);
    };
  }, [app]);
  if (!thing || !summary) return null;
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items[(to + items.length) % items.length]?.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  return (
    <div ref={box} className={css['menu']} style={place} role="menu" aria-label={`${summary.kind} ${summary.title}`} onKeyDown={onKeyDown} tabIndex={-1}>
      <div className={css['title']} aria-hidden="true">
        {summary.title}
      </div>
      {actionsFor(app, thing).map((action) => (
        <button
          key={action.id}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={css['item']}
          data-danger={action.danger}
          onClick={() => {
            close();
            action.run(app);
          }}
        >
          <Icon name={action.icon} />
          {action.label}
        </button>
      ))}
    </div>
  );
}
