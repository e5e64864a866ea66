/** The manifest editor in the dock: write or load YAML, apply it, read the API server's answer on the line it is about. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { World } from '../../hosts/connect.ts';
import { useApp, useSession } from '../app-context.ts';
import { Icon } from '../look/icons.tsx';
import type { YamlEditor as View } from './code-editor.ts';
import { draft } from './draft.ts';
import css from './editor.module.css';
import { EXAMPLES } from './examples.ts';
import { editable } from './manifest.ts';
import { Results, sentenceOf } from './results.tsx';
import { type Outcome, useApply } from './use-apply.ts';

export interface EditorProps {
  readonly world: World;
  /** YAML of the selected object, when there is one. */
  readonly initial: string | undefined;
  readonly visible: boolean;
}

const touch = (): boolean => matchMedia('(pointer: coarse)').matches;
const mac = /Mac|iPhone|iPad/.test(navigator.platform);

export default function YamlEditor({ world, initial, visible }: EditorProps) {
  const app = useApp();
  const session = useSession();
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<View>(undefined);
  const [ready, setReady] = useState<'opening' | 'open' | string>('opening');
  const [dismissed, setDismissed] = useState<Outcome>();
  const [chars, setChars] = useState(draft.text.length);
  const getView = useCallback(() => view.current, []);
  const { outcome, apply, stop } = useApply(world, getView);
  const applyNow = useRef(apply);
  applyNow.current = apply;
  const palette = useRef(() => app.ui.set({ dialog: 'palette' }));

  const put = useCallback((text: string, unasked = false): void => {
    view.current?.setText(text);
    draft.loaded(view.current?.text() ?? text, unasked);
  }, []);

  useEffect(() => {
    let gone = false;
    const open = async (): Promise<void> => {
      const make = touch() ? (await import('./text-area.ts')).openTextArea : (await import('./monaco.ts')).openMonaco;
      if (gone || !box.current) return;
      const made = make(box.current, { text: draft.text, onApply: () => void applyNow.current(), onPalette: () => palette.current() });
      view.current = made;
      made.onChange(() => {
        const text = made.text();
        draft.keep(text);
        setChars(text.length);
      });
      setReady('open');
    };
    open().catch((error) => setReady(error instanceof Error ? error.message : String(error)));
    return () => {
      gone = true;
      view.current?.dispose();
      view.current = undefined;
      draft.save();
    };
  }, []);

  // The selected object comes by itself only where nothing would be lost.
  useEffect(() => {
    if (ready !== 'open' || !visible || initial === undefined || !draft.mayFollow) return;
    const text = editable(initial);
    if (text !== draft.text) put(text, true);
  }, [ready, visible, initial, put]);

  useEffect(() => {
    const tab = document.activeElement?.matches('[role=tab]:focus-visible') ?? false;
    if (ready === 'open' && visible && !tab) view.current?.focus();
  }, [ready, visible]);

  useEffect(() => {
    const said = sentenceOf(outcome);
    if (said !== '') app.say(said);
  }, [outcome, app]);

  const busy = outcome.type === 'reading' || outcome.type === 'working';
  const selectedName = /^ {2}name: (.+)$/m.exec(initial ?? '')?.[1];
  const insert = (text: string): void => {
    const now = view.current?.text() ?? '';
    // An example never throws away what was written: it becomes one more document.
    if (draft.isUntouched) put(text);
    else view.current?.setText(`${now.replace(/\s*$/, '\n')}---\n${text}`);
    view.current?.focus();
  };

  return (
    <section
      className={css['editor']}
      aria-label="YAML editor"
      // What is typed here is not for the page's single-letter keys; F6 leads on, and the palette opens.
      onKeyDown={(event) => {
        if (event.key !== 'F6' && !((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k')) event.stopPropagation();
      }}
    >
      <div className={css['bar']}>
        <label className={css['examples']}>
          <span className="visually-hidden">Insert an example</span>
          <select
            value=""
            disabled={ready !== 'open'}
            onChange={(event) => {
              const example = EXAMPLES.find((one) => one.file === event.target.value);
              if (example) insert(example.text);
            }}
          >
            <option value="">Examples</option>
            {EXAMPLES.map((example) => (
              <option key={example.file} value={example.file}>
                {example.label}
              </option>
            ))}
          </select>
          <Icon name="down" size={12} />
        </label>
        {initial !== undefined && (
          <button
            type="button"
            className={css['button']}
            disabled={ready !== 'open'}
            onClick={() => put(editable(initial))}
            title="Replace the text by the selected object, without what only the server writes"
          >
            Load <code>{selectedName ?? 'selected'}</code>
          </button>
        )}
        {chars > 0 && (
          <button type="button" className={css['button']} onClick={() => put('')}>
            Clear
          </button>
        )}
        <span className={css['space']} />
        {busy ? (
          <Working outcome={outcome} paused={session.value === 'paused'} onPlay={() => app.session.send({ type: 'play' })} onStop={stop} />
        ) : (
          <span className={css['hint']}>F6 leaves the editor</span>
        )}
        <button
          type="button"
          className={css['apply']}
          disabled={ready !== 'open' || busy || chars === 0}
          onClick={() => void apply()}
          aria-keyshortcuts={mac ? 'Meta+Enter' : 'Control+Enter'}
        >
          Apply <span aria-hidden="true">{mac ? '⌘' : 'Ctrl'} ↵</span>
        </button>
      </div>
      <div className={css['text']}>
        <div ref={box} className={css['view']} data-testid="yaml-editor" />
        {ready === 'opening' && <p className={css['quiet']}>Opening the editor…</p>}
        {ready !== 'opening' && ready !== 'open' && (
          <p className={css['quiet']} role="alert">
            The editor could not be opened: {ready}
          </p>
        )}
        {ready === 'open' && chars === 0 && <p className={css['empty']}>Write a manifest, or begin with an example.</p>}
      </div>
      {outcome !== dismissed && <Results outcome={outcome} onGoTo={(line) => view.current?.goTo(line)} onDismiss={() => setDismissed(outcome)} />}
    </section>
  );
}

function Working({ outcome, paused, onPlay, onStop }: { outcome: Outcome; paused: boolean; onPlay(): void; onStop(): void }) {
  if (paused)
    return (
      <span className={css['working']}>
        Time stands still, so the API server cannot answer.
        <button type="button" className={css['button']} onClick={onPlay}>
          Play
        </button>
      </span>
    );
  if (outcome.type !== 'working') return <span className={css['working']}>Reading…</span>;
  const { phase, done, of } = outcome.progress;
  return (
    <span className={css['working']}>
      {phase === 'checking' ? 'Checking' : 'Applying'} {done.toLocaleString('en')} of {of.toLocaleString('en')}
      <progress max={of} value={done} aria-label={phase === 'checking' ? 'Checked documents' : 'Applied documents'} />
      <button type="button" className={css['button']} onClick={onStop}>
        Stop
      </button>
    </span>
  );
}
