/**
 * kubectl's JSONPath (client-go util/jsonpath), which is a template language: text outside braces is
 * printed as it is; inside there are paths, quoted texts, `range … end` and filters. It is not RFC 9535.
 */
import type { Json } from '../api/json.ts';

export class JsonPathError extends Error {}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'slice'; readonly from: number | undefined; readonly to: number | undefined; readonly step: number | undefined; readonly index: boolean }
  | { readonly kind: 'filter'; readonly left: readonly Node[]; readonly operator: string; readonly right: readonly Node[] }
  | { readonly kind: 'union'; readonly items: readonly (readonly Node[])[] }
  | { readonly kind: 'root' }
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'range' }
  | { readonly kind: 'end' };

/** Each element is one `{…}` (a list of steps) or a piece of text. */
export type Template = readonly (readonly Node[])[];

export function parseJsonPath(template: string): Template {
  const parts: Node[][] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    if (open < 0) {
      parts.push([{ kind: 'text', text: template.slice(at) }]);
      break;
    }
    if (open > at) parts.push([{ kind: 'text', text: template.slice(at, open) }]);
    const close = closingBrace(template, open);
    if (close < 0) throw new JsonPathError('unclosed action');
    parts.push(parseAction(template.slice(open + 1, close).trim()));
    at = close + 1;
  }
  return parts;
}

function closingBrace(text: string, open: number): number {
  let quote = '';
  for (let i = open + 1; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== '') {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '}') return i;
  }
  return -1;
}

function parseAction(text: string): Node[] {
  if (text === 'end') return [{ kind: 'end' }];
  if (/^range(\s|$)/.test(text)) return [{ kind: 'range' }, ...parsePath(text.slice(5).trim())];
  if (text === '') return [];
  return parsePath(text);
}

function unquote(text: string): string {
  const inner = text.slice(1, -1);
  return inner.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, c: string) => (c.length > 1 ? String.fromCharCode(Number.parseInt(c.slice(1), 16)) : ({ n: '\n', t: '\t', r: '\r' }[c] ?? c)));
}

export function parsePath(text: string): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const quoted = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/.exec(rest);
    if (quoted) {
      nodes.push({ kind: 'literal', value: unquote(quoted[0]) });
      at += quoted[0].length;
    } else if (rest.startsWith('..')) {
      nodes.push({ kind: 'recursive' });
      at += /^\.\.\.?(?=[[\w*])/.test(rest) ? 2 : 2;
      const field = /^[^\s.[\]{}()'"=!<>*]+/.exec(text.slice(at));
      if (field) {
        nodes.push({ kind: 'field', name: field[0] });
        at += field[0].length;
      } else if (text[at] === '*') {
        nodes.push({ kind: 'wildcard' });
        at++;
      }
    } else if (rest[0] === '.') {
      at++;
      if (text[at] === '*') {
        nodes.push({ kind: 'wildcard' });
        at++;
        continue;
      }
      let name = '';
      while (at < text.length && !/[\s.[\]{}()'"=!<>*,|&]/.test(text[at]!)) {
        if (text[at] === '\\') at++;
        name += text[at++] ?? '';
      }
      if (name !== '') nodes.push({ kind: 'field', name });
    } else if (rest[0] === '[') {
      const close = closingBracket(text, at);
      if (close < 0) throw new JsonPathError('unterminated array');
      nodes.push(parseBracket(text.slice(at + 1, close)));
      at = close + 1;
    } else if (rest[0] === '$') {
      nodes.push({ kind: 'root' });
      at++;
    } else if (rest[0] === '@') {
      at++;
    } else if (/^\s/.test(rest)) {
      at++;
    } else {
      const number = /^-?\d+(\.\d+)?/.exec(rest);
      const word = /^[A-Za-z_][\w-]*/.exec(rest);
      if (number) {
        nodes.push({ kind: 'literal', value: Number(number[0]) });
        at += number[0].length;
      } else if (word && (word[0] === 'true' || word[0] === 'false')) {
        nodes.push({ kind: 'literal', value: word[0] === 'true' });
        at += word[0].length;
      } else if (word) {
        if (nodes.length > 0) throw new JsonPathError(`unrecognized identifier ${word[0]}`);
        nodes.push({ kind: 'field', name: word[0] });
        at += word[0].length;
      } else throw new JsonPathError(`unrecognized character in action: U+${rest.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')} '${rest[0]}'`);
    }
  }
  return nodes;
}

function closingBracket(text: string, open: number): number {
  let depth = 0;
  let quote = '';
  for (let i = open; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== '') {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '[') depth++;
    else if (c === ']' && --depth === 0) return i;
  }
  return -1;
}

function parseBracket(inside: string): Node {
  const text = inside.trim();
  const filter = /^\?\(([\s\S]*)\)$/.exec(text);
  if (filter) return parseFilter(filter[1]!);
  if (text === '*' || text === '') return { kind: 'wildcard' };
  const slice = /^(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(-?\d*))?$/.exec(text);
  if (slice) return { kind: 'slice', from: slice[1] ? Number(slice[1]) : undefined, to: slice[2] ? Number(slice[2]) : undefined, step: slice[3] ? Number(slice[3]) : undefined, index: false };
  if (/^-?\d+$/.test(text)) return { kind: 'slice', from: Number(text), to: undefined, step: undefined, index: true };
  if (/^'[^']*'$|^"[^"]*"$/.test(text)) return { kind: 'field', name: unquote(text) };
  if (text.includes(',')) return { kind: 'union', items: splitUnion(text).map((part) => [parseBracket(part)]) };
  throw new JsonPathError(`invalid array index ${text}`);
}

const splitUnion = (text: string): string[] => text.match(/(?:'[^']*'|"[^"]*"|[^,])+/g) ?? [];

function parseFilter(text: string): Node {
  let quote = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== '') {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
      continue;
    }
    if (c === '"' || c === "'") quote = c;
    else if (c === '[' || c === '(') depth++;
    else if (c === ']' || c === ')') depth--;
    const operator = depth === 0 ? /^(==|!=|<=|>=|<|>)/.exec(text.slice(i)) : null;
    if (operator) return { kind: 'filter', left: parsePath(text.slice(0, i).trim()), operator: operator[1]!, right: parsePath(text.slice(i + operator[1]!.length).trim()) };
  }
  return { kind: 'filter', left: parsePath(text.trim()), operator: 'exists', right: [] };
}

/** The values a path leads to. Missing fields give nothing when `allowMissing`, else an error. */
export function findValues(nodes: readonly Node[], root: Json, current: Json, allowMissing: boolean): Json[] {
  let values: Json[] = [current];
  for (const node of nodes) values = step(node, values, root, allowMissing);
  return values;
}

function step(node: Node, values: readonly Json[], root: Json, allowMissing: boolean): Json[] {
  const found: Json[] = [];
  switch (node.kind) {
    case 'root':
      return [root];
    case 'literal':
      return [node.value];
    case 'field':
      for (const value of values) {
        if (typeof value !== 'object' || value === null) {
          if (!allowMissing) throw new JsonPathError(`${node.name} is not found`);
        } else if (Array.isArray(value)) {
          // Only the objects of a list are looked into by a recursive descent.
          if (!allowMissing) throw new JsonPathError(`can't evaluate field ${node.name} in list`);
        } else {
          const inner = (value as { readonly [key: string]: Json | undefined })[node.name];
          if (inner !== undefined) found.push(inner);
          else if (!allowMissing) throw new JsonPathError(`${node.name} is not found`);
        }
      }
      return found;
    case 'wildcard':
      for (const value of values) {
        if (Array.isArray(value)) found.push(...value);
        else if (typeof value === 'object' && value !== null) for (const key of Object.keys(value).sort()) found.push((value as Record<string, Json>)[key]!);
      }
      return found;
    case 'recursive': {
      const visit = (value: Json) => {
        found.push(value);
        if (Array.isArray(value)) for (const item of value) visit(item);
        else if (typeof value === 'object' && value !== null) for (const key of Object.keys(value).sort()) visit((value as Record<string, Json>)[key]!);
      };
      for (const value of values) visit(value);
      return found.filter((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
    }
    case 'slice':
      for (const value of values) {
        if (!Array.isArray(value)) {
          if (!allowMissing) throw new JsonPathError('is not array or slice');
          continue;
        }
        const { length } = value;
        if (node.index) {
          const index = node.from! < 0 ? length + node.from! : node.from!;
          if (index >= length || index < 0) {
            if (!allowMissing) throw new JsonPathError(`array index out of bounds: index ${node.from}, length ${length}`);
          } else found.push(value[index] as Json);
          continue;
        }
        const place = (n: number) => Math.min(length, Math.max(0, n < 0 ? n + length : n));
        const size = node.step ?? 1;
        if (size <= 0) throw new JsonPathError('step must be > 0');
        for (let i = place(node.from ?? 0); i < place(node.to ?? length); i += size) found.push(value[i] as Json);
      }
      return found;
    case 'union':
      for (const value of values) for (const item of node.items) found.push(...findValues(item, root, value, allowMissing));
      return found;
    case 'filter':
      for (const value of values) {
        const items = Array.isArray(value) ? (value as readonly Json[]) : typeof value === 'object' && value !== null ? Object.values(value) : [];
        for (const item of items) if (item !== undefined && passes(node, item as Json, root)) found.push(item as Json);
      }
      return found;
    default:
      return [...values];
  }
}

function passes(node: Extract<Node, { kind: 'filter' }>, item: Json, root: Json): boolean {
  const left = findValues(node.left, root, item, true);
  if (node.operator === 'exists') return left.length > 0;
  if (left.length === 0) return false;
  const right = findValues(node.right, root, item, true);
  if (right.length === 0) return false;
  const [a, b] = [left[0]!, right[0]!];
  switch (node.operator) {
    case '==':
      return a === b || String(a) === String(b);
    case '!=':
      return String(a) !== String(b);
  }
  const [x, y] = typeof a === 'number' && typeof b === 'number' ? [a, b] : [String(a), String(b)];
  return { '<': x < y, '>': x > y, '<=': x <= y, '>=': x >= y }[node.operator] ?? false;
}

/** Prints the template over `value`. */
export function printJsonPath(template: Template, value: Json, allowMissing = true): string {
  let at = 0;
  const print = (current: Json, until: boolean): string => {
    let text = '';
    while (at < template.length) {
      const part = template[at++]!;
      const first = part[0];
      if (!first) continue;
      if (first.kind === 'text') text += first.text;
      else if (first.kind === 'end') {
        if (!until) throw new JsonPathError('not in range, nothing to end');
        return text;
      } else if (first.kind === 'range') {
        const items = findValues(part.slice(1), value, current, allowMissing).flatMap((item) => (Array.isArray(item) && part.length > 1 && part.at(-1)?.kind === 'field' ? (item as Json[]) : [item]));
        const body = at;
        if (items.length === 0) skipRange();
        for (const item of items) {
          at = body;
          text += print(item, true);
        }
      } else text += findValues(part, value, current, allowMissing).map(plain).join(' ');
    }
    if (until) throw new JsonPathError('unexpected end of template, range without end');
    return text;
  };
  const skipRange = () => {
    for (let depth = 1; at < template.length && depth > 0; at++) {
      const kind = template[at]![0]?.kind;
      if (kind === 'range') depth++;
      else if (kind === 'end') depth--;
    }
  };
  return print(value, false);
}

/** Texts as they are, everything else as JSON. */
export const plain = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** `.metadata.name`, `{.metadata.name}`, `metadata.name`: what --sort-by and custom-columns take (RelaxedJSONPathExpression). */
export function relaxed(text: string): Template {
  if (text === '') return [];
  const m = /^\{?\.?([^{}]+)\}?$/.exec(text);
  if (!m) throw new JsonPathError(`unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`);
  return parseJsonPath(`{.${m[1]}}`);
}

/** All values of a relaxed path's single action. */
export const valuesOf = (template: Template, value: Json): Json[] => template.flatMap((part) => (part[0]?.kind === 'text' ? [] : findValues(part, value, value, true)));
