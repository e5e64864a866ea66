// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a key cap said by aria-keyshortcuts
// biome-ignore-all lint/a11y/useSemanticElements: search is a role of a form everywhere
import { useEffect, useRef, useState } from 'react';
import { useApp, useCluster, useUi } from '../app-context.ts';
import { Icon } from '../look/icons.tsx';
import { isEtcdOnly } from '../map/layout.ts';
import { IconButton } from './icon-button.tsx';
import css from './top-bar.module.css';

export function TopBar() {
  const app = useApp();
  const filter = useUi((ui) => ui.filter);
  const theme = useUi((ui) => ui.theme);
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  return (
    <header className={css['bar']} data-region="top">
      <h1 className={css['brand']}>
        <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
          <ellipse cx="16" cy="16" rx="13.500" ry="5.500" fill="none" stroke="var(--line-strong)" strokeWidth="2" transform="rotate(-28 16 16)" />
          <circle cx="16" cy="16" r="4.500" fill="var(--ink)" />
          <circle cx="27" cy="10" r="3.200" fill="var(--status-healthy)" />
        </svg>
        <span>Orrery</span>
      </h1>
      <span className={css['scene']} title="The cluster this session began with">
        {app.cluster.topology}
      </span>
      {!isEtcdOnly(app.cluster.topology) && <Namespaces />}
      <form className={css['filter']} hidden={isEtcdOnly(app.cluster.topology)} role="search" onSubmit={(event) => event.preventDefault()}>
        <Icon name="search" size={14} />
        <input
          id="filter"
          type="search"
          aria-label="Filter pods"
          placeholder={matchMedia('(max-width: 640px)').matches ? 'Filter' : 'Filter: status:failed app=web'}
          value={text}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
            app.ui.set({ filter: event.target.value });
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.preventDefault();
            if (text === '') event.currentTarget.blur();
            app.ui.set({ filter: '' });
            setText('');
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </form>
      <div className={css['right']}>
        <button
          type="button"
          className={css['palette']}
          onClick={() => app.ui.set({ dialog: 'palette' })}
          aria-label="Command palette"
          aria-keyshortcuts="Control+K"
        >
          <span>Commands</span> <kbd aria-hidden="true">Ctrl K</kbd>
        </button>
        <IconButton icon={dark ? 'sun' : 'moon'} label={dark ? 'Light theme' : 'Dark theme'} onClick={() => app.ui.set({ theme: dark ? 'light' : 'dark' })} />
        <IconButton icon="help" label="Keys and help" onClick={() => app.ui.set({ dialog: 'help' })} />
      </div>
    </header>
  );
}

/** Namespaces dim, they never wall off: choosing some leaves the others in place at 15 %. */
function Namespaces() {
  const { ui } = useApp();
  const all = useCluster((state) => state.namespaces);
  const chosen = useUi((state) => state.namespaces);
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      if (details.current?.open && !details.current.contains(event.target as Node)) details.current.open = false;
    };
    addEventListener('pointerdown', close);
    return () => removeEventListener('pointerdown', close);
  }, []);
  const label = chosen.length === 1 ? chosen[0] : `${chosen.length} namespaces`;
  return (
    <details
      ref={details}
      className={css['namespaces']}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && details.current?.open) {
          event.preventDefault();
          details.current.open = false;
          details.current.querySelector('summary')?.focus();
        }
      }}
    >
      <summary>
        <span>
          {chosen.length === 0 ? (
            <>
              All<span className={css['more']}> namespaces</span>
            </>
          ) : (
            label
          )}
        </span>{' '}
        <Icon name="down" size={12} />
      </summary>
      <fieldset>
        <legend>Show brightly</legend>
        {all.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={(event) => ui.set({ namespaces: event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name) })}
            />
            {name}
          </label>
        ))}
        {all.length === 0 && <p>No pods yet.</p>}
        <button type="button" disabled={chosen.length === 0} onClick={() => ui.set({ namespaces: [] })}>
          All namespaces
        </button>
      </fieldset>
    </details>
  );
}
