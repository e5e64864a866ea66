// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
// biome-ignore-all lint/a11y/useSemanticElements: preformatted text that scrolls is a region of its own
/** An object before and after, as the lines of YAML that differ with some of those around them. */
import { structuredPatch } from 'diff';
import { dump } from 'js-yaml';
import { useMemo, useState } from 'react';
import type { JourneyChange } from '../../hosts/protocol.ts';
import css from './journey.module.css';

const AROUND = 3;

interface Line {
  readonly id: number;
  readonly kind: 'same' | 'added' | 'removed' | 'gap';
  readonly text: string;
}

/** Managed fields say who owns what, and drown everything else. */
export function toYaml(value: object | undefined, managed: boolean): string {
  if (value === undefined) return '';
  let shown = value as { metadata?: Record<string, unknown> };
  if (!managed && shown.metadata && 'managedFields' in shown.metadata) {
    const { managedFields: _, ...metadata } = shown.metadata;
    shown = { ...shown, metadata };
  }
  return dump(shown, { lineWidth: -1, noRefs: true });
}

export function linesOf({ before, after }: JourneyChange, managed: boolean): Line[] {
  const { hunks } = structuredPatch('', '', toYaml(before, managed), toYaml(after, managed), '', '', { context: AROUND });
  const lines: Line[] = [];
  const add = (kind: Line['kind'], text: string) => lines.push({ id: lines.length, kind, text });
  for (const [i, hunk] of hunks.entries()) {
    if (i > 0 || hunk.newStart > 1) add('gap', '');
    for (const line of hunk.lines) {
      if (line.startsWith('\\')) continue;
      add(line[0] === '+' ? 'added' : line[0] === '-' ? 'removed' : 'same', line.slice(1));
    }
  }
  return lines;
}

const SIGNS = { same: ' ', added: '+', removed: '−', gap: '⋯' } as const;
const SPOKEN = { same: '', added: 'added: ', removed: 'removed: ', gap: '' } as const;

export function YamlDiff({ change }: { change: JourneyChange }) {
  const [managed, setManaged] = useState(false);
  const lines = useMemo(() => linesOf(change, managed), [change, managed]);
  const added = lines.filter(({ kind }) => kind === 'added').length;
  const removed = lines.filter(({ kind }) => kind === 'removed').length;
  const made = change.before === undefined ? 'It came to be here.' : change.after === undefined ? 'It ceased to be here.' : `${removed} lines became ${added}.`;
  return (
    <figure className={css['diff']}>
      <figcaption>
        <span>
          {change.title} <small>{lines.length === 0 ? 'Nothing changed.' : made}</small>
        </span>
        <label>
          <input type="checkbox" checked={managed} onChange={(event) => setManaged(event.target.checked)} /> managed fields
        </label>
      </figcaption>
      {lines.length > 0 && (
        <pre tabIndex={0} aria-label={`${change.title}, as YAML`} role="region">
          {lines.map(({ id, kind, text }) => (
            <span key={id} data-line={kind}>
              <i aria-hidden="true">{SIGNS[kind]}</i>
              {SPOKEN[kind] && <span className="visually-hidden">{SPOKEN[kind]}</span>}
              {kind === 'added' ? <ins>{text}</ins> : kind === 'removed' ? <del>{text}</del> : text}
              {'\n'}
            </span>
          ))}
        </pre>
      )}
    </figure>
  );
}
