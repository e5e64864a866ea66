/**
 * Monaco with Kubernetes' schema: completion, hover texts and diagnostics by monaco-yaml in a worker. The only file that
 * knows Monaco; loaded when the editor is first opened. The last import is needed beside `register.all`, which brings
 * completion only by way of inline completions.
 */

import * as monaco from 'monaco-editor/editor';
import EditorWorker from 'monaco-editor/editor/editor.worker?worker';
import { configureMonacoYaml } from 'monaco-yaml';
import 'monaco-editor/features/register.all';
import 'monaco-editor/languages/definitions/yaml/register';
import 'monaco-editor/editor/contrib/suggest/browser/suggestController';
import { onLookChange, readPalette } from '../look/palette.ts';
import type { Mark, OpenYamlEditor } from './code-editor.ts';
import YamlWorker from './yaml.worker.ts?worker';

const OWNER = 'orrery';
const MODEL = monaco.Uri.parse('file:///manifest.yaml');
const SCHEMA = 'schemas/k8s.gen.json';

self.MonacoEnvironment = { getWorker: (_id, label) => (label === 'yaml' ? new YamlWorker() : new EditorWorker()) };

/**
 * monaco-yaml asks for its worker as Monaco gave it before 0.55: by name, with the data to create it. Since then Monaco
 * wants the Worker itself and sends no data, so both messages are sent here, in the order monaco-worker-manager awaits.
 */
const facade = {
  ...monaco,
  editor: {
    ...monaco.editor,
    createWebWorker(options: { readonly createData?: unknown }) {
      const worker = new YamlWorker();
      worker.postMessage('ignore');
      worker.postMessage(options.createData);
      return monaco.editor.createWebWorker({ worker });
    },
  },
};
configureMonacoYaml(facade as unknown as Parameters<typeof configureMonacoYaml>[0], {
  enableSchemaRequest: true,
  // kubectl reads YAML 1.1: yes and on are booleans, 0644 is octal.
  yamlVersion: '1.1',
  schemas: [{ uri: new URL(SCHEMA, document.baseURI).href, fileMatch: ['**/*.yaml'] }],
});

/** `rgb(20, 32, 43)` as Monaco takes it. */
function hex(colour: string): string {
  const parts = colour
    .match(/[\d.]+/g)
    ?.slice(0, 3)
    .map(Number);
  return parts?.length === 3 ? `#${parts.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}` : '#808080';
}

function applyTheme(): void {
  const palette = readPalette();
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  const dark = scheme === 'dark' || (scheme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  if (matchMedia('(forced-colors: active)').matches) {
    monaco.editor.setTheme(dark ? 'hc-black' : 'hc-light');
    return;
  }
  const [paper, raised, sunken, ink, ink2, line, strong, focus] = [
    palette.paper,
    palette.raised,
    palette.sunken,
    palette.ink,
    palette.ink2,
    palette.line,
    palette.lineStrong,
    palette.focus,
  ].map(hex) as [string, string, string, string, string, string, string, string];
  const bare = (colour: string): string => colour.slice(1);
  monaco.editor.defineTheme('orrery', {
    base: dark ? 'vs-dark' : 'vs',
    inherit: true,
    rules: [
      { token: '', foreground: bare(ink) },
      { token: 'type', foreground: dark ? '7cc4ff' : '005fb8' },
      { token: 'string', foreground: dark ? '7fe0c8' : '0c675a' },
      { token: 'number', foreground: dark ? 'f7b108' : '8a5200' },
      { token: 'keyword', foreground: dark ? 'c9a8f2' : '6b3fa0' },
      { token: 'comment', foreground: bare(ink2) },
      { token: 'operators', foreground: bare(ink2) },
      { token: 'delimiter', foreground: bare(ink2) },
    ],
    colors: {
      'editor.background': paper,
      'editor.foreground': ink,
      'editorLineNumber.foreground': strong,
      'editorLineNumber.activeForeground': ink,
      'editor.lineHighlightBackground': raised,
      'editor.lineHighlightBorder': '#00000000',
      'editor.selectionBackground': dark ? '#1f4a70' : '#cfe6fb',
      'editorIndentGuide.background1': line,
      'editorCursor.foreground': focus,
      'editorWidget.background': raised,
      'editorWidget.border': line,
      'editorSuggestWidget.background': paper,
      'editorSuggestWidget.border': strong,
      'editorSuggestWidget.selectedBackground': sunken,
      'editorSuggestWidget.selectedForeground': ink,
      'editorSuggestWidget.highlightForeground': focus,
      'editorSuggestWidget.focusHighlightForeground': focus,
      'editorHoverWidget.background': paper,
      'editorHoverWidget.border': strong,
      'editorError.foreground': hex(palette.status[3]!),
      'editorWarning.foreground': hex(palette.status[2]!),
      'editorStickyScroll.background': paper,
      focusBorder: focus,
      'scrollbar.shadow': '#00000000',
    },
  });
  monaco.editor.setTheme('orrery');
}

export const openMonaco: OpenYamlEditor = (parent, { text, onApply, onPalette }) => {
  applyTheme();
  // The model outlives the view: folding the dock away keeps the text and its undo history.
  const model = monaco.editor.getModel(MODEL) ?? monaco.editor.createModel(text, 'yaml', MODEL);
  const editor = monaco.editor.create(parent, {
    model,
    automaticLayout: true,
    fontFamily: readPalette().mono,
    fontSize: 13,
    lineHeight: 20,
    fontLigatures: false,
    minimap: { enabled: false },
    scrollBeyondLastLine: false,
    tabSize: 2,
    insertSpaces: true,
    detectIndentation: false,
    renderLineHighlight: 'line',
    overviewRulerBorder: false,
    hideCursorInOverviewRuler: true,
    stickyScroll: { enabled: false },
    lineNumbersMinChars: 4,
    padding: { top: 8, bottom: 8 },
    // Suggestions may reach beyond the dock.
    fixedOverflowWidgets: true,
    quickSuggestions: { other: true, comments: false, strings: true },
    suggestSelection: 'first',
    // What is offered unasked is not chosen until an arrow key says so: Enter begins the next line.
    suggest: { selectionMode: 'never' },
    wordBasedSuggestions: 'off',
    occurrencesHighlight: 'off',
    lightbulb: { enabled: monaco.editor.ShowLightbulbIconMode.Off },
    unicodeHighlight: { ambiguousCharacters: false },
    accessibilityPageSize: 200,
    ariaLabel: 'Manifest. F6 leaves the editor; Control M makes Tab move the focus.',
    'semanticHighlighting.enabled': false,
  });
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter, onApply);
  // Monaco would wait for the second key of a chord.
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyK, onPalette);
  const stopLook = onLookChange(applyTheme);
  const severities = { error: monaco.MarkerSeverity.Error, warning: monaco.MarkerSeverity.Warning, info: monaco.MarkerSeverity.Info };
  void document.fonts.load('13px "JetBrains Mono"').then(() => monaco.editor.remeasureFonts());
  return {
    text: () => model.getValue(),
    setText: (next) => {
      model.pushStackElement();
      model.pushEditOperations([], [{ range: model.getFullModelRange(), text: next }], () => null);
      model.pushStackElement();
      editor.setPosition({ lineNumber: 1, column: 1 });
      editor.setScrollTop(0);
    },
    mark: (marks: readonly Mark[]) =>
      monaco.editor.setModelMarkers(
        model,
        OWNER,
        marks.map((mark) => {
          const line = Math.min(Math.max(1, mark.line), model.getLineCount());
          const from = mark.column ?? Math.max(1, model.getLineFirstNonWhitespaceColumn(line));
          const to = model.getLineMaxColumn(line);
          return {
            severity: severities[mark.severity],
            message: mark.text,
            source: 'API server',
            startLineNumber: line,
            startColumn: Math.min(from, to),
            endLineNumber: line,
            endColumn: to,
          };
        }),
      ),
    goTo: (line) => {
      editor.revealLineInCenter(line);
      editor.setPosition({ lineNumber: line, column: Math.max(1, model.getLineFirstNonWhitespaceColumn(Math.min(line, model.getLineCount()))) });
      editor.focus();
    },
    focus: () => editor.focus(),
    onChange: (listener) => {
      const subscription = model.onDidChangeContent(listener);
      editor.onDidDispose(() => subscription.dispose());
    },
    dispose: () => {
      stopLook();
      editor.dispose();
    },
  };
};
