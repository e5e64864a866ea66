/** The editor for touch screens, where Monaco's own caret and selection fight the system's: a plain text area, with marks told in the list below it. */
import type { OpenYamlEditor } from './code-editor.ts';

export const openTextArea: OpenYamlEditor = (parent, { text, onApply }) => {
  const area = document.createElement('textarea');
  area.value = text;
  area.spellcheck = false;
  area.autocapitalize = 'off';
  area.setAttribute('autocorrect', 'off');
  area.setAttribute('aria-label', 'Manifest');
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onApply();
  });
  parent.append(area);
  return {
    text: () => area.value,
    setText: (next) => {
      area.value = next;
      area.dispatchEvent(new Event('input'));
      area.scrollTop = 0;
    },
    mark: () => undefined,
    goTo: (line) => {
      const start =
        area.value
          .split('\n')
          .slice(0, line - 1)
          .join('\n').length + (line > 1 ? 1 : 0);
      const end = area.value.indexOf('\n', start);
      area.focus();
      area.setSelectionRange(start, end < 0 ? area.value.length : end);
      area.scrollTop = Math.max(0, (line - 4) * Number.parseFloat(getComputedStyle(area).lineHeight));
    },
    focus: () => area.focus(),
    onChange: (listener) => area.addEventListener('input', listener),
    dispose: () => area.remove(),
  };
};
