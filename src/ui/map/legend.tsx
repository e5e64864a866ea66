import { useApp, useUi } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { STATUS_WORDS, type Status } from '../look/glyphs.ts';
import { Icon } from '../look/icons.tsx';
import css from './map.module.css';

const MEANING: readonly string[] = [
  'running and ready',
  'starting, pulling, scheduled',
  'not ready, or waiting for a node',
  'crash loop, failed',
  'ran to its end',
  'the node is silent',
];

export function Legend() {
  const { ui } = useApp();
  const open = useUi((state) => state.legend);
  return (
    <div className={css['legendBox']} data-open={open}>
      <button type="button" className={css['legendButton']} aria-expanded={open} onClick={() => ui.set({ legend: !open })}>
        <Icon name="legend" size={14} /> Legend
      </button>
      {open && (
        <dl className={css['legendList']}>
          {STATUS_WORDS.map((word, status) => (
            <div key={word}>
              <dt>
                <Glyph status={status as Status} size={16} /> {word}
              </dt>
              <dd>{MEANING[status]}</dd>
            </div>
          ))}
          <div>
            <dt>
              <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
                <circle cx="8" cy="8" r="5" fill="var(--status-healthy)" opacity=".3" />
                <path d="M2 14L14 2" stroke="var(--ink-2)" strokeWidth="1.4" />
              </svg>{' '}
              Struck
            </dt>
            <dd>terminating</dd>
          </div>
          <div>
            <dt>
              <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
                <path d="M1 5h14v6H1Z" fill="var(--sunken)" />
                <path d="M1 5h5v6H1Z" fill="var(--line-strong)" />
                <path d="M1.5 5.500h9v5h-9Z" fill="none" stroke="var(--ink)" />
              </svg>{' '}
              Bars
            </dt>
            <dd>CPU and memory: outlined what pods asked for, filled what they use</dd>
          </div>
          <div>
            <dt>
              <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
                <circle cx="8" cy="9" r="5" fill="none" stroke="var(--ink)" strokeWidth="2.4" />
                <path d="M4.500 3.500V.8l1.700 1.300L8 .5l1.800 1.600L11.500.8v2.700Z" fill="var(--ink)" />
              </svg>{' '}
              Crown
            </dt>
            <dd>etcd leader; the digit is the term</dd>
          </div>
        </dl>
      )}
    </div>
  );
}
