/**
 * Label selectors, as text (`app=web,tier in (a,b),!old`) and as LabelSelector objects: apimachinery pkg/labels
 * and metav1.LabelSelectorAsSelector.
 */
import { labelValueErrors, qualifiedNameErrors } from './names.ts';
import type { LabelSelector } from './types.gen.ts';

type Labels = Readonly<Record<string, string | undefined>>;
export type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** The shape of a LabelSelector, whether or not its arrays are frozen. */
export interface LabelSelectorLike {
  readonly matchLabels?: Readonly<Record<string, string | undefined>> | undefined;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[] | undefined;
}

export class SelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SelectorError';
  }
}

/** All requirements must hold; no requirements match everything. */
export class Selector {
  constructor(
    readonly requirements: readonly Requirement[],
    private readonly never = false,
  ) {}

  matches(labels: Labels | undefined): boolean {
    if (this.never) return false;
    for (const requirement of this.requirements) if (!holds(requirement, labels ?? NO_LABELS)) return false;
    return true;
  }

  /** True for a selector without requirements: it matches everything (labels.Selector.Empty). */
  get empty(): boolean {
    return !this.never && this.requirements.length === 0;
  }

  /** `app=web,tier in (a,b)`; what `scale` reports and `-l` accepts. */
  toString(): string {
    return this.requirements.map(requirementText).join(',');
  }
}

const NO_LABELS: Labels = {};
export const EVERYTHING = new Selector([]);
export const NOTHING = new Selector([], true);

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default: {
      if (value === undefined || !/^[-+]?\d+$/.test(value)) return false;
      const left = BigInt(value.replace('+', ''));
      const right = BigInt((values[0] ?? '').replace('+', ''));
      return operator === 'gt' ? left > right : left < right;
    }
  }
}

function requirementText({ key, operator, values }: Requirement): string {
  const sorted = [...values].sort();
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${sorted.join(',')})`;
    case 'gt':
      return `${key}>${sorted[0] ?? ''}`;
    case 'lt':
      return `${key}<${sorted[0] ?? ''}`;
    default:
      return `${key}${operator}${sorted[0] ?? ''}`;
  }
}

// --- text ---------------------------------------------------------------------------------------------

type TokenKind = 'end' | 'error' | 'identifier' | ',' | '(' | ')' | '!' | '=' | '==' | '!=' | '<' | '>' | 'in' | 'notin';
interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}
const SYMBOLS = new Set(['=', '==', '!=', '<', '>', '(', ')', '!', ',']);
const SPECIAL = new Set([...'=!(),><']);
const SPACE = new Set([' ', '\t', '\r', '\n']);
const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt';

class Lexer {
  private at = 0;
  constructor(private readonly source: string) {}

  next(): Token {
    while (SPACE.has(this.source[this.at] ?? '')) this.at += 1;
    const first = this.source[this.at];
    if (first === undefined) return { kind: 'end', text: '' };
    const start = this.at;
    if (SPECIAL.has(first)) {
      // The longest symbol wins; symbols are one or two characters.
      const two = this.source.slice(start, start + 2);
      const text = SYMBOLS.has(two) ? two : first;
      this.at += text.length;
      return { kind: text as TokenKind, text };
    }
    let ch: string | undefined = first;
    while (ch !== undefined && !SPECIAL.has(ch) && !SPACE.has(ch)) {
      this.at += 1;
      ch = this.source[this.at];
    }
    const text = this.source.slice(start, this.at);
    return text === 'in' || text === 'notin' ? { kind: text, text } : { kind: 'identifier', text };
  }
}

class Parser {
  private readonly tokens: Token[] = [];
  private at = 0;

  constructor(source: string) {
    const lexer = new Lexer(source);
    for (;;) {
      const token = lexer.next();
      this.tokens.push(token);
      if (token.kind === 'end') break;
    }
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const first = this.peek();
      if (first.kind === 'end') return requirements;
      if (first.kind !== 'identifier' && first.kind !== '!') throw new SelectorError(`found '${first.text}', expected: !, identifier, or 'end of string'`);
      try {
        requirements.push(this.requirement());
      } catch (error) {
        throw new SelectorError(`unable to parse requirement: ${(error as Error).message}`);
      }
      const separator = this.take();
      if (separator.kind === 'end') return requirements;
      if (separator.kind !== ',') throw new SelectorError(`found '${separator.text}', expected: ',' or 'end of string'`);
      const after = this.peek();
      if (after.kind !== 'identifier' && after.kind !== '!') throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
    }
  }

  /** `in` and `notin` are keywords only where an operator is expected. */
  private peek(operators = false): Token {
    const token = this.tokens[this.at] ?? { kind: 'end', text: '' };
    return !operators && (token.kind === 'in' || token.kind === 'notin') ? { kind: 'identifier', text: token.text } : token;
  }

  private take(operators = false): Token {
    const token = this.peek(operators);
    this.at += 1;
    return token;
  }

  private requirement(): Requirement {
    let token = this.take();
    const negated = token.kind === '!';
    if (negated) token = this.take();
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const errors = qualifiedNameErrors(key);
    if (errors.length > 0) throw new SelectorError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${errors.join('; ')}`);
    const after = this.peek();
    if (negated) return { key, operator: '!', values: [] };
    if (after.kind === 'end' || after.kind === ',') return { key, operator: 'exists', values: [] };
    const operator = this.operator();
    const values = operator === 'in' || operator === 'notin' ? this.values() : [this.exactValue()];
    return requirementOf(key, operator, values);
  }

  private operator(): Operator {
    const token = this.take(true);
    switch (token.kind) {
      case 'in':
      case 'notin':
      case '=':
      case '==':
      case '!=':
        return token.kind;
      case '>':
        return 'gt';
      case '<':
        return 'lt';
      default:
        throw new SelectorError(`found '${token.text}', expected: ${BINARY_OPERATORS}`);
    }
  }

  private values(): string[] {
    const open = this.take();
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.peek();
    if (first.kind === ')') {
      this.take();
      return [''];
    }
    if (first.kind !== 'identifier' && first.kind !== ',') throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    const values = new Set<string>();
    for (;;) {
      const token = this.take();
      if (token.kind === 'identifier') {
        values.add(token.text);
        const after = this.peek();
        if (after.kind === ',') continue;
        if (after.kind === ')') break;
        throw new SelectorError(`found '${after.text}', expected: ',' or ')'`);
      }
      if (token.kind !== ',') throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
      if (values.size === 0) values.add('');
      const after = this.peek();
      if (after.kind === ')') {
        values.add('');
        break;
      }
      if (after.kind === ',') {
        this.take();
        values.add('');
      }
    }
    this.take();
    return [...values].sort();
  }

  private exactValue(): string {
    const next = this.peek();
    if (next.kind === 'end' || next.kind === ',') return '';
    const token = this.take();
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`);
    return token.text;
  }
}

/** labels.NewRequirement: throws SelectorError in its words. */
function requirementOf(key: string, operator: Operator, values: readonly string[]): Requirement {
  const list = `[${values.map((v) => JSON.stringify(v)).join(',')}]`;
  const errors: string[] = [];
  if ((operator === 'in' || operator === 'notin') && values.length === 0)
    errors.push(`values: Invalid value: ${list}: for 'in', 'notin' operators, values set can't be empty`);
  if ((operator === 'exists' || operator === '!') && values.length > 0)
    errors.push(`values: Invalid value: ${list}: values set must be empty for exists and does not exist`);
  if (operator === 'gt' || operator === 'lt') {
    values.forEach((value, i) => {
      if (!/^[-+]?\d+$/.test(value))
        errors.push(`values[${i}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`);
    });
  }
  values.forEach((value, i) => {
    const wrong = labelValueErrors(value);
    if (wrong.length > 0) errors.push(`values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong.join('; ')}`);
  });
  if (errors.length === 1) throw new SelectorError(errors[0] ?? '');
  if (errors.length > 1) throw new SelectorError(`[${errors.join(', ')}]`);
  return { key, operator, values };
}

/** Reads a selector's text; throws SelectorError with upstream's message. The empty text selects everything. */
export function parseSelector(text: string): Selector {
  const requirements = new Parser(text).parse();
  return requirements.length === 0 ? EVERYTHING : new Selector(sortByKey(requirements));
}

const sortByKey = (requirements: readonly Requirement[]): Requirement[] => [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

// --- objects ------------------------------------------------------------------------------------------

const OPERATORS: Readonly<Record<string, Operator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };
const compiled = new WeakMap<object, Selector>();

/**
 * metav1.LabelSelectorAsSelector: none selects nothing, an empty one everything. Objects are never edited, so the
 * compiled form is kept by identity. Throws SelectorError for an operator or value that is not allowed.
 */
export function selectorOf(selector: LabelSelectorLike | undefined | null): Selector {
  if (!selector) return NOTHING;
  const known = compiled.get(selector);
  if (known) return known;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) requirements.push(requirementOf(key, '=', [value ?? '']));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const op = OPERATORS[operator];
    if (!op) throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    requirements.push(requirementOf(key, op, [...(values ?? [])].sort()));
  }
  const result = requirements.length === 0 ? EVERYTHING : new Selector(sortByKey(requirements));
  compiled.set(selector, result);
  return result;
}

/** A plain map, as in Service.spec.selector: every pair must be there; an empty or missing map selects nothing. */
export function matchesSet(selector: Labels | undefined, labels: Labels | undefined): boolean {
  if (!selector) return false;
  let any = false;
  for (const key in selector) {
    any = true;
    if (labels?.[key] !== selector[key]) return false;
  }
  return any;
}

/** metav1.FormatLabelSelector: what tables print; `<none>` when it selects everything. */
export function formatLabelSelector(selector: LabelSelectorLike | LabelSelector | undefined): string {
  try {
    return selectorOf(selector as LabelSelectorLike | undefined).toString() || '<none>';
  } catch {
    return '<error>';
  }
}
