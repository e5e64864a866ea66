/** What the product needs of a text editor for YAML. Monaco is one; on touch screens a plain text area is another. */
export interface Mark {
  /** From 1. */
  readonly line: number;
  /** From 1; without one the whole line is marked. */
  readonly column?: number;
  readonly severity: 'error' | 'warning' | 'info';
  readonly text: string;
}
export interface YamlEditor {
  text(): string;
  /** Replaces everything; can be undone. */
  setText(text: string): void;
  /** What the API server or the parser said, on its lines; an empty list removes it. */
  mark(marks: readonly Mark[]): void;
  goTo(line: number): void;
  focus(): void;
  onChange(listener: () => void): void;
  /** Frees the view. The text lives on with whoever keeps it. */
  dispose(): void;
}
export interface YamlEditorOptions {
  readonly text: string;
  /** Ctrl/⌘+Enter. */
  onApply(): void;
  /** Ctrl/⌘+K, which an editor may keep for itself. */
  onPalette(): void;
}
export type OpenYamlEditor = (parent: HTMLElement, options: YamlEditorOptions) => YamlEditor;
