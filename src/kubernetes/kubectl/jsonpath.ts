/**
 * kubectl's JSONPath templates (client-go util/jsonpath): `{.items[*].metadata.name}`, `{range .items[*]}…{end}`.
 * What `-o jsonpath`, `--sort-by`, `custom-columns` and `wait --for=jsonpath` read objects with.
 */
import { goJson, goNumber, goPrint, goQuote, goSyntax, goType, sortedEntries } from './gostring.ts';
import { type Bound, type Node, parseTemplate } from './jsonpath-parser.ts';

export interface JsonPath {
  /** The template filled in: arrays and objects as JSON, strings bare, several results of one action joined by spaces. Throws Error in kubectl's words. */
  print(value: unknown): string;
  /** Everything found, action by action; missing keys find nothing. Throws Error with the engine's bare text. */
  find(value: unknown): unknown[];
  /** The same, kept apart by action. */
  findGroups(value: unknown): unknown[][];
}

/**
 * Reads a template. Throws Error `error parsing jsonpath TEMPLATE, …`. With `allowMissingKeys` false, a key that is
 * nowhere found is an error, as with `--allow-missing-template-keys=false`.
 */
export function parseJsonPath(template: string, allowMissingKeys = true): JsonPath {
  try {
    return compileJsonPath(template, allowMissingKeys);
  } catch (error) {
    throw new Error(`error parsing jsonpath ${template}, ${(error as Error).message}\n`);
  }
}

/** parseJsonPath with the parser's bare error, as `--sort-by` and custom-columns report it. */
export function compileJsonPath(template: string, allowMissingKeys = true): JsonPath {
  const nodes = parseTemplate(template);
  const findGroups = (value: unknown): unknown[][] => new Evaluation(nodes, allowMissingKeys).run(value, 0);
  return {
    findGroups,
    find: (value) => findGroups(value).flat(),
    print: (value) => {
      try {
        return findGroups(value)
          .map((results) => results.map(resultText).join(' '))
          .join('');
      } catch (error) {
        const more = `Error executing template: ${(error as Error).message}. Printing more information for debugging the template:\n`;
        const given = `\ttemplate was:\n\t\t${template}\n\tobject given to jsonpath engine was:\n\t\t${goSyntax(value)}\n\n`;
        throw new Error(`error executing jsonpath ${goQuote(template)}: ${more}${given}\n`);
      }
    },
  };
}

/**
 * `.metadata.name`, `metadata.name`, `{metadata.name}` → `{.metadata.name}`: what `--sort-by`, custom-columns and
 * `wait` accept (kubectl's RelaxedJSONPathExpression). Throws Error.
 */
export function relaxedPath(expression: string): string {
  if (expression === '') return '';
  const m = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(expression);
  if (!m) throw new Error("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'");
  return `{.${m[1] ?? m[2]}}`;
}

function resultText(value: unknown): string {
  if (typeof value === 'object') return goJson(value);
  return typeof value === 'number' ? goNumber(value) : String(value);
}

/** One filling in of a template. A JSON null is found but has nothing inside; what is missing is undefined and not found. */
class Evaluation {
  private beginRange = 0;
  private inRange = 0;
  private endRange = 0;
  /** Where the latest `{end}` was met. */
  private lastEnd = -1;

  constructor(
    private readonly nodes: readonly Node[],
    private readonly allowMissingKeys: boolean,
  ) {}

  /** Results of the nodes from `from` to the end of the template or of the range. */
  run(value: unknown, from: number): unknown[][] {
    const groups: unknown[][] = [];
    for (let i = from; i < this.nodes.length; i += 1) {
      const results = this.walk([value], this.nodes[i] as Node);
      if (this.endRange > 0 && this.endRange <= this.inRange) {
        this.endRange -= 1;
        this.lastEnd = i;
        break;
      }
      if (this.beginRange > 0) {
        this.beginRange -= 1;
        this.inRange += 1;
        for (const result of results) groups.push(...this.run(result, i + 1));
        // Without results the body is still walked once, to find its end.
        if (results.length === 0) this.run(undefined, i + 1);
        this.inRange -= 1;
        if (this.lastEnd > i) i = this.lastEnd;
        continue;
      }
      groups.push(results);
    }
    return groups;
  }

  private all(input: readonly unknown[], nodes: readonly Node[]): unknown[] {
    let values: unknown[] = [...input];
    for (const node of nodes) values = this.walk(values, node);
    return values;
  }

  private walk(input: readonly unknown[], node: Node): unknown[] {
    switch (node.is) {
      case 'list':
        return this.all(input, node.nodes);
      case 'text':
        return [node.text];
      case 'int':
      case 'float':
      case 'bool':
        return input.map(() => node.value);
      case 'field':
        return this.field(input, node.name);
      case 'array':
        return input.flatMap((value) => (value === null ? [] : slice(value, node.bounds)));
      case 'filter':
        return input.flatMap((value) => this.filter(value, node));
      case 'wildcard':
        return input.flatMap(childrenOf);
      case 'recursive':
        return input.flatMap(descend);
      case 'union':
        return node.paths.flatMap((path) => this.all(input, path));
      case 'identifier':
        return this.keyword(input, node.name);
    }
  }

  private keyword(input: readonly unknown[], name: string): unknown[] {
    if (name === 'range') {
      this.beginRange += 1;
      return [...input];
    }
    if (name !== 'end') throw new Error(`unrecognized identifier ${name}`);
    if (this.inRange === 0) throw new Error('not in range, nothing to end');
    this.endRange += 1;
    return [];
  }

  private field(input: readonly unknown[], name: string): unknown[] {
    if (input.length === 0) return [];
    const found: unknown[] = [];
    for (const value of input) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
      const member = Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
      if (member !== undefined) found.push(member);
    }
    if (found.length === 0 && !this.allowMissingKeys) throw new Error(`${name} is not found`);
    return found;
  }

  private filter(value: unknown, node: Node & { is: 'filter' }): unknown[] {
    if (!Array.isArray(value)) throw new Error(`${goPrint(value)} is not array or slice and cannot be filtered`);
    return value.filter((item: unknown) => {
      if (node.operator === 'exists') return this.exists(item, node.left);
      const lefts = this.all([item], node.left);
      if (lefts.length === 0) return false;
      if (lefts.length > 1) throw new Error('can only compare one element at a time');
      const rights = this.all([item], node.right);
      if (rights.length === 0) return false;
      if (rights.length > 1) throw new Error('can only compare one element at a time');
      return compare(node.operator, lefts[0], rights[0]);
    });
  }

  private exists(item: unknown, path: readonly Node[]): boolean {
    try {
      return this.all([item], path).length > 0;
    } catch {
      return false;
    }
  }
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && value !== null) return sortedEntries(value).map(([, member]) => member);
  return typeof value === 'string' ? [...value].map((ch) => ch.codePointAt(0)) : [];
}

/** The value and all below it, as far as they hold anything: a string holds its characters, a number nothing. */
function descend(value: unknown): unknown[] {
  const children = childrenOf(value);
  return children.length === 0 ? [] : [value, ...children.flatMap(descend)];
}

function slice(value: unknown, [first, second, third]: readonly [Bound, Bound, Bound]): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${goType(value)} is not array or slice`);
  const { length } = value;
  let from = first.known ? first.value : 0;
  if (from < 0) from += length;
  let to = second.known ? second.value : length;
  if (to < 0 || (to === 0 && second.derived)) to += length;
  if (from === to) return [];
  if (from >= length || from < 0) throw new Error(`array index out of bounds: index ${from}, length ${length}`);
  if (to > length || to < 0) throw new Error(`array index out of bounds: index ${to - 1}, length ${length}`);
  if (from > to) throw new Error(`starting index ${from} is greater than ending index ${to}`);
  if (third.known && third.value <= 0) throw new Error('step must be > 0');
  const step = third.known ? third.value : 1;
  return value.slice(from, to).filter((_, i) => i % step === 0);
}

type Basic = 'bool' | 'int' | 'float' | 'string';

function basicKind(value: unknown): Basic {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  throw new Error('invalid type for comparison');
}

/** Text templates' comparison: only values of one kind, and no order among booleans. */
function compare(operator: string, left: unknown, right: unknown): boolean {
  switch (operator) {
    case '==':
      return same(left, right);
    case '!=':
      return !same(left, right);
    case '<':
      return less(left, right);
    case '<=':
      return less(left, right) || same(left, right);
    case '>':
      return !(less(left, right) || same(left, right));
    case '>=':
      return !less(left, right);
    default:
      throw new Error(`unrecognized filter operator ${operator}`);
  }
}

function same(left: unknown, right: unknown): boolean {
  if (basicKind(left) !== basicKind(right)) throw new Error('incompatible types for comparison');
  return left === right;
}

function less(left: unknown, right: unknown): boolean {
  const kind = basicKind(left);
  if (kind !== basicKind(right)) throw new Error('incompatible types for comparison');
  if (kind === 'bool') throw new Error('invalid type for comparison');
  return (left as string | number) < (right as string | number);
}
