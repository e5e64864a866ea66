import type { App } from '../app-context.ts';

/** The lesson slot at the left of the stage. Contract: default export, loaded when first opened; fills a column of `--lessons` width; `onClose` folds it away. */
export interface LessonPanelProps {
  readonly app: App;
  onClose(): void;
}
export default function LessonPanel(_: LessonPanelProps) {
  return <p style={{ padding: 16, color: 'var(--ink-2)' }}>No lessons are built in yet.</p>;
}
