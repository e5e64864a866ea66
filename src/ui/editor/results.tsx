/** What became of an apply: one sentence for everybody, and a row for each document that has something to say. */
import { Glyph } from '../look/glyph.tsx';
import type { Status } from '../look/glyphs.ts';
import { IconButton } from '../shell/icon-button.tsx';
import type { Report, Result } from './apply.ts';
import css from './editor.module.css';
import type { Outcome } from './use-apply.ts';

/** Rows shown at most; refusals come first. */
const SHOWN = 100;

const plural = (count: number, word: string): string => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;

export function sentenceOf(outcome: Outcome): string {
  switch (outcome.type) {
    case 'idle':
    case 'reading':
    case 'working':
      return '';
    case 'failed':
      return outcome.message;
    case 'broken':
      return outcome.problems.length === 0 ? 'There is no manifest in this text.' : `${plural(outcome.problems.length, 'problem')}; nothing was sent.`;
    case 'report':
      return reportSentence(outcome.report);
  }
}

function reportSentence({ applied, stopped, results }: Report): string {
  const count = (what: Result['what']): number => results.filter((one) => one.what === what).length;
  const refused = count('refused');
  if (!applied) {
    if (refused === 0) return 'Stopped. Nothing was applied.';
    return results.length === 1
      ? 'The API server refused it; nothing was applied.'
      : `${refused.toLocaleString('en')} of ${plural(results.length, 'document')} would be refused; nothing was applied.`;
  }
  const parts = (['created', 'configured', 'unchanged'] as const)
    .filter((what) => count(what) > 0)
    .map((what) => `${count(what).toLocaleString('en')} ${what}`);
  if (refused > 0) parts.push(`${refused.toLocaleString('en')} refused`);
  if (stopped) parts.push(`${count('not tried').toLocaleString('en')} not applied: stopped`);
  const [only] = results;
  if (results.length === 1 && only && refused === 0) return `${only.manifest.title} ${only.what}.`;
  return `${parts.join(', ')}.`;
}

const GLYPH: Readonly<Record<Result['what'], Status>> = { created: 0, configured: 0, unchanged: 4, refused: 3, 'not tried': 5 };

export function Results({ outcome, onGoTo, onDismiss }: { outcome: Outcome; onGoTo(line: number): void; onDismiss(): void }) {
  if (outcome.type === 'idle' || outcome.type === 'reading' || outcome.type === 'working') return null;
  const failed = outcome.type === 'failed' || outcome.type === 'broken' || outcome.report.results.some((one) => one.what === 'refused');
  const rows = rowsOf(outcome);
  const shown = rows.slice(0, SHOWN);
  return (
    <section className={css['results']} aria-label="What the API server said">
      <header className={css['verdict']}>
        <Glyph status={failed ? 3 : 0} size={14} />
        <p>{sentenceOf(outcome)}</p>
        <IconButton icon="close" label="Dismiss" size={14} onClick={onDismiss} />
      </header>
      {shown.length > 0 && (
        <ul className={css['rows']}>
          {shown.map((row) => (
            <li key={row.key}>
              <Glyph status={row.status} size={12} />
              <button type="button" className={css['line']} onClick={() => onGoTo(row.line)} aria-label={`Go to line ${row.line}`}>
                {row.line}
              </button>
              <p>
                <code>{row.title}</code> {row.word && <span className={css['word']}>{row.word}</span>} {row.text}
              </p>
            </li>
          ))}
          {rows.length > shown.length && <li className={css['more']}>and {(rows.length - shown.length).toLocaleString('en')} more</li>}
        </ul>
      )}
    </section>
  );
}

interface Row {
  readonly key: string;
  readonly line: number;
  readonly status: Status;
  readonly title: string;
  readonly word: string;
  readonly text: string;
}
function rowsOf(outcome: Outcome): Row[] {
  if (outcome.type === 'broken')
    return outcome.problems.map((one, i) => ({ key: String(i), line: one.line, status: 3, title: one.title, word: '', text: one.message }));
  if (outcome.type !== 'report') return [];
  const { results } = outcome.report;
  // One thing that went well is said in the sentence already.
  if (results.length === 1 && results[0]!.what !== 'refused' && results[0]!.notes.length === 0) return [];
  const important = [...results.filter((one) => one.what === 'refused'), ...results.filter((one) => one.what !== 'refused')];
  return important
    .filter((one) => outcome.report.applied || one.what === 'refused')
    .flatMap((one) => {
      const common = { status: GLYPH[one.what], title: one.manifest.title };
      if (one.notes.length === 0) return [{ ...common, key: String(one.manifest.id), line: one.manifest.line, word: '', text: one.what }];
      return one.notes.map((note, i) => ({ ...common, key: `${one.manifest.id}/${i}`, line: note.line, word: one.code ?? one.what, text: note.text }));
    });
}
