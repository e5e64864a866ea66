/**
 * YAML as kubectl reads it. Kubernetes uses go-yaml v2 (sigs.k8s.io/yaml), whose plain scalars follow neither YAML
 * 1.2 nor 1.1: `0644` is octal, `yes` is true, but `22:22` and `2026-01-05` stay texts. js-yaml parses; the scalar
 * rules here are ours. The writer is `yaml-dump.ts`.
 */
import { boolYaml11Tag, defineScalarTag, FAILSAFE_SCHEMA, load, mergeTag, NOT_RESOLVED, nullYaml11Tag, Schema, YAMLException } from 'js-yaml';
import type { Json } from './json.ts';
import { goFloat, goInteger } from './yaml-scalars.ts';

export { dump } from './yaml-dump.ts';

const FIRST = ['-', '+', '.', ...'0123456789'];
const intTag = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: FIRST,
  resolve: (source) => goInteger(source) ?? NOT_RESOLVED,
  identify: (data) => Number.isInteger(data),
});
const floatTag = defineScalarTag('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: FIRST,
  resolve: (source) => goFloat(source) ?? NOT_RESOLVED,
  identify: (data) => typeof data === 'number',
});

const KUBECTL_SCHEMA = new Schema([...FAILSAFE_SCHEMA.tags, nullYaml11Tag, boolYaml11Tag, intTag, floatTag, mergeTag]);

/** Not YAML; the message is as kubectl prints it: `yaml: line 3: mapping values are not allowed in this context`. */
export class YamlError extends Error {
  constructor(
    message: string,
    /** From 1, in the whole text. */
    readonly line: number,
    readonly column: number,
  ) {
    super(message);
    this.name = 'YamlError';
  }
}

export interface YamlDocument {
  readonly value: Json;
  /** Line of the text, from 1, on which the document's first content stands. */
  readonly line: number;
  /** The document's own source. */
  readonly text: string;
}

/**
 * All documents of a text. Split at lines that begin with `---`, as kubectl does before it parses, so that one broken
 * document is reported with its place; empty documents are left out. Throws YamlError.
 */
export function loadDocuments(text: string): YamlDocument[] {
  const documents: YamlDocument[] = [];
  for (const part of splitDocuments(text)) {
    const value = parseOne(part.text, part.line);
    if (value === undefined || value === null) continue;
    documents.push({ value, line: part.line + leadingLines(part.text), text: part.text });
  }
  return documents;
}

/** One document; an empty text is null. Throws YamlError. JSON is YAML. */
export const parseYaml = (text: string): Json => parseOne(text.replace(/^---[^\n]*\n/, '\n'), 1) ?? null;

function splitDocuments(text: string): { text: string; line: number }[] {
  const parts: { text: string; line: number }[] = [];
  let current: string[] = [];
  let start = 1;
  const lines = text.split(/\r?\n/);
  lines.forEach((line, i) => {
    if (line.startsWith('---')) {
      parts.push({ text: current.join('\n'), line: start });
      // The separator may carry a comment or even content: `--- # web`, `--- {a: 1}`.
      const rest = line.slice(3).trim();
      current = rest !== '' && !rest.startsWith('#') ? [line.slice(3)] : [];
      start = current.length > 0 ? i + 1 : i + 2;
    } else current.push(line);
  });
  parts.push({ text: current.join('\n'), line: start });
  return parts;
}

const leadingLines = (text: string): number => {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
  return Math.max(0, at);
};

function parseOne(text: string, firstLine: number): Json | undefined {
  if (!/^[^\S\n]*[^\s#]/m.test(text)) return undefined;
  try {
    return stringKeys(load(text, { schema: KUBECTL_SCHEMA, json: true }));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = (error.mark?.line ?? 0) + 1;
    const source = text.split('\n')[line - 1] ?? '';
    let reason = goReason(error.reason);
    if (/^ *\t/.test(source)) reason = 'found character that cannot start any token';
    // js-yaml has one reason for both; libyaml tells a second `: ` on a line from a wrong indentation.
    else if (/bad indentation of a mapping/.test(error.reason) && /: [^'"#]*: /.test(`${source} `)) reason = 'mapping values are not allowed in this context';
    // go-yaml names the line of the problem's mark only where that is not the first.
    throw new YamlError(line === 1 ? `yaml: ${reason}` : `yaml: line ${line}: ${reason}`, firstLine + line - 1, (error.mark?.column ?? 0) + 1);
  }
}

/** js-yaml's reasons in libyaml's words, where they are the same thing. */
function goReason(reason: string): string {
  if (/bad indentation of a mapping/i.test(reason)) return 'did not find expected key';
  if (/mapping values|implicit keys|multiline key/i.test(reason)) return 'mapping values are not allowed in this context';
  if (/bad indentation of a sequence/i.test(reason)) return "did not find expected '-' indicator";
  if (/tab characters/i.test(reason)) return 'found character that cannot start any token';
  if (/unexpected end of the stream within a (single|double) quoted/i.test(reason)) return 'found unexpected end of stream';
  if (/unidentified alias/i.test(reason)) return 'unknown anchor referenced';
  return reason;
}

/** JSON's keys are texts: `1: a` and `true: a` become `"1"` and `"true"`, as sigs.k8s.io/yaml has it. */
function stringKeys(value: unknown): Json {
  if (Array.isArray(value)) return value.map(stringKeys);
  if (typeof value !== 'object' || value === null) return value as Json;
  const out: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(value)) out[key] = stringKeys(inner);
  return out;
}
