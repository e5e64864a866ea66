/** One apply at a time: read, rehearse, apply; what it found, as marks and as a list. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { World } from '../../hosts/connect.ts';
import { applyAll, type Progress, type Report, type Result } from './apply.ts';
import type { Mark, YamlEditor } from './code-editor.ts';
import type { Problem } from './manifest.ts';
import { ManifestReader } from './reader.ts';

export type Outcome =
  | { readonly type: 'idle' }
  | { readonly type: 'reading' }
  | { readonly type: 'working'; readonly progress: Progress }
  | { readonly type: 'broken'; readonly problems: readonly Problem[]; readonly documents: number }
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'failed'; readonly message: string };

/** Progress is shown at most so often. */
const TELL_MS = 80;

export function useApply(world: World, editor: () => YamlEditor | undefined) {
  const [outcome, setOutcome] = useState<Outcome>({ type: 'idle' });
  const reader = useRef<ManifestReader>(undefined);
  const run = useRef(0);
  const busy = useRef(false);
  useEffect(() => () => reader.current?.close(), []);

  const apply = useCallback(async (): Promise<void> => {
    const view = editor();
    if (!view || busy.current) return;
    busy.current = true;
    const mine = ++run.current;
    const stopped = (): boolean => run.current !== mine;
    setOutcome({ type: 'reading' });
    view.mark([]);
    try {
      reader.current ??= new ManifestReader();
      const read = await reader.current.read(view.text());
      const problems = read.flatMap((one) => ('problem' in one ? [one.problem] : []));
      const manifests = read.flatMap((one) => ('manifest' in one ? [one.manifest] : []));
      if (problems.length > 0 || manifests.length === 0) {
        view.mark(
          problems.map((one): Mark => ({ line: one.line, ...(one.column === undefined ? {} : { column: one.column }), severity: 'error', text: one.message })),
        );
        setOutcome({ type: 'broken', problems, documents: read.length });
        return;
      }
      let told = 0;
      const report = await applyAll(
        manifests,
        (request) => world.request(request),
        reader.current,
        (progress) => {
          const now = performance.now();
          if (progress.done !== 0 && now - told < TELL_MS) return;
          told = now;
          setOutcome({ type: 'working', progress });
        },
        stopped,
      );
      view.mark(report.results.flatMap(marksOf));
      setOutcome({ type: 'report', report });
    } catch (error) {
      setOutcome({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    } finally {
      busy.current = false;
    }
  }, [world, editor]);

  const stop = useCallback(() => {
    run.current++;
  }, []);
  return { outcome, apply, stop };
}

const marksOf = (result: Result): Mark[] =>
  result.notes.map((note) => ({
    line: note.line,
    severity: result.what === 'refused' ? 'error' : 'warning',
    text: result.code ? `${result.code}: ${note.text}` : note.text,
  }));
