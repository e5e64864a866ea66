/** The small Markdown of lessons: paragraphs, lists, `code`, *emphasis*, **strong**. Text only ever becomes text. */
import { createElement, Fragment, type ReactNode } from 'react';
import css from './lessons.module.css';

/** Nodes that never change place need no keys. */
const all = (nodes: readonly ReactNode[]): ReactNode => createElement(Fragment, null, ...nodes);

export function Prose({ text }: { text: string }) {
  const blocks = text.trim().split(/\n\s*\n/);
  return createElement('div', { className: css['prose'] }, ...blocks.map(block));
}

function block(text: string): ReactNode {
  const lines = text.split('\n').map((line) => line.trim());
  if (!lines.every((line) => line.startsWith('- '))) return createElement('p', null, ...inline(lines.join(' ')));
  return createElement('ul', null, ...lines.map((line) => createElement('li', null, ...inline(line.slice(2)))));
}

export function Inline({ text }: { text: string }) {
  return all(inline(text));
}

function inline(text: string): ReactNode[] {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/)
    .filter((part) => part !== '')
    .map((part) => {
      if (part.length > 2 && part.startsWith('`') && part.endsWith('`')) return createElement('code', null, part.slice(1, -1));
      if (part.length > 4 && part.startsWith('**') && part.endsWith('**')) return createElement('strong', null, ...inline(part.slice(2, -2)));
      if (part.length > 2 && part.startsWith('*') && part.endsWith('*')) return createElement('em', null, ...inline(part.slice(1, -1)));
      return part;
    });
}
