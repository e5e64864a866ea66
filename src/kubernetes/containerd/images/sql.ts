/**
 * The SQL of exercises, for the databases that stand in for PostgreSQL, MySQL and MariaDB: tables are made, filled, read,
 * changed and dropped.
 *
 * Here simplified: one table a query, no joins, groups, expressions or transactions; a type only decides whether a value
 * is a number. Everything held is plain JSON, so that it can lie in a file of the data directory.
 */
export type Value = string | number | boolean | null;
export interface Column {
  readonly name: string;
  /** As written: `varchar(20)`. */
  readonly type: string;
  /** Takes the next number when none is given. */
  readonly serial?: boolean;
  readonly unique?: boolean;
  readonly required?: boolean;
}
export interface Table {
  readonly columns: Column[];
  rows: Value[][];
  next: number;
}
export type Tables = Record<string, Table>;
export interface Result {
  /** What was done, as PostgreSQL's command tag: `INSERT 0 2`. */
  readonly tag: string;
  readonly columns?: readonly string[];
  readonly rows?: readonly (readonly Value[])[];
}
export type SqlProblem = 'syntax' | 'no-table' | 'table-exists' | 'no-column' | 'duplicate' | 'null' | 'type' | 'count';
/** What cannot be done; each database words it in its own way. */
export class SqlError extends Error {
  constructor(
    readonly problem: SqlProblem,
    /** The table, column, value or text it is about. */
    readonly subject: string,
    readonly table = '',
  ) {
    super(`${problem}: ${subject}`);
  }
}

/** What stands in double quotes: a name, as the standard has it, or text, as MySQL does. */
export type Quoted = 'name' | 'string';
interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'sign';
  readonly text: string;
  readonly at: number;
}
function tokens(sql: string, quoted: Quoted): Token[] {
  const found: Token[] = [];
  const pattern = /\s+|--[^\n]*|("[^"]*"|`[^`]*`)|('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|(@*[A-Za-z_][\w$]*)|(<>|!=|<=|>=|::|[^\s\w])/gy;
  for (let m = pattern.exec(sql); m; m = pattern.exec(sql)) {
    const at = m.index;
    if (m[1]) found.push({ kind: quoted === 'string' && m[1].startsWith('"') ? 'string' : 'word', text: m[1].slice(1, -1), at });
    else if (m[2]) found.push({ kind: 'string', text: m[2].slice(1, -1).replaceAll("''", "'"), at });
    else if (m[3]) found.push({ kind: 'number', text: m[3], at });
    else if (m[4]) found.push({ kind: 'word', text: m[4], at });
    else if (m[5]) found.push({ kind: 'sign', text: m[5], at });
  }
  return found;
}

/** Statements of a script; semicolons within quotes part nothing. */
export function statementsOf(script: string): string[] {
  return [...script.matchAll(/(?:'(?:[^']|'')*'|"[^"]*"|--[^\n]*|[^;'"])+/g)]
    .map(([text]) => text.trim())
    .filter((text) => text.replace(/--[^\n]*/g, '').trim() !== '');
}

const NUMERIC = /^(small|big|tiny|medium)?(int|serial)|^(numeric|decimal|real|double|float)/i;

class Statement {
  private i = 0;
  private readonly all: readonly Token[];
  constructor(
    private readonly sql: string,
    private readonly tables: Tables,
    /** What functions and words without a table are. */
    private readonly constants: Readonly<Record<string, Value>>,
    quoted: Quoted,
  ) {
    this.all = tokens(sql.replace(/;\s*$/, ''), quoted);
  }
  private peek(): Token | undefined {
    return this.all[this.i];
  }
  private wrong(): SqlError {
    const token = this.peek();
    return new SqlError('syntax', token ? this.sql.slice(token.at) : '');
  }
  private take(kind?: Token['kind']): string {
    const token = this.peek();
    if (!token || (kind && token.kind !== kind)) throw this.wrong();
    this.i++;
    return token.text;
  }
  private is(...words: readonly string[]): boolean {
    return words.every((word, j) => this.all[this.i + j]?.text.toLowerCase() === word && this.all[this.i + j]?.kind !== 'string');
  }
  private accept(...words: readonly string[]): boolean {
    if (!this.is(...words)) return false;
    this.i += words.length;
    return true;
  }
  private expect(...words: readonly string[]): void {
    if (!this.accept(...words)) throw this.wrong();
  }
  private list<T>(one: () => T): T[] {
    const found = [one()];
    while (this.accept(',')) found.push(one());
    return found;
  }
  private end(): void {
    if (this.peek()) throw this.wrong();
  }
  /** A name; of `schema.name` the last part. */
  private name(): string {
    let name = this.take('word');
    while (this.accept('.')) name = this.take('word');
    return name;
  }
  private table(): { readonly name: string; readonly table: Table } {
    const name = this.name();
    const table = this.tables[name];
    if (!table) throw new SqlError('no-table', name);
    return { name, table };
  }
  private column(table: Table, name: string, tableName: string): number {
    const at = table.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
    if (at < 0) throw new SqlError('no-column', name, tableName);
    return at;
  }
  /** A literal or a constant. */
  private value(): Value {
    const token = this.peek();
    if (token?.kind === 'number') return Number(this.take());
    if (token?.kind === 'string') return this.take();
    const word = token?.text.toLowerCase() ?? '';
    if (word === 'null' || word === 'default') {
      this.i++;
      return null;
    }
    if (word === 'true' || word === 'false') {
      this.i++;
      return word === 'true';
    }
    if (!(word in this.constants)) throw this.wrong();
    this.i++;
    if (this.accept('(')) this.expect(')');
    return this.constants[word] ?? null;
  }

  run(): Result {
    const verb = this.take('word').toLowerCase();
    if (verb === 'create' && this.accept('table')) return this.create();
    if (verb === 'drop' && this.accept('table')) return this.drop();
    if (verb === 'truncate') {
      this.accept('table');
      const { table } = this.table();
      this.end();
      table.rows = [];
      return { tag: 'TRUNCATE TABLE' };
    }
    if (verb === 'insert' && this.accept('into')) return this.insert();
    if (verb === 'update') return this.update();
    if (verb === 'delete' && this.accept('from')) return this.remove();
    if (verb === 'select') return this.select();
    this.i = 0;
    throw this.wrong();
  }

  private create(): Result {
    const soft = this.accept('if', 'not', 'exists');
    const name = this.name();
    const columns: Column[] = [];
    this.expect('(');
    do {
      if (this.is('primary') || this.is('unique') || this.is('constraint') || this.is('foreign') || this.is('key') || this.is('index')) {
        const keys =
          this.definition()
            .match(/primary key \(([^)]*)\)/i)?.[1]
            ?.split(',') ?? [];
        if (keys.length === 1)
          for (const [i, column] of columns.entries()) if (column.name === keys[0]!.trim()) columns[i] = { ...column, unique: true, required: true };
        continue;
      }
      const column = this.take('word');
      const words = this.definition();
      const type = /^(\w+(?: varying| precision)?(?: ?\([^)]*\))?)/.exec(words)?.[1]?.replace(' (', '(');
      if (!type) throw this.wrong();
      const serial = /serial|auto_increment|generated .*identity/i.test(words);
      const key = /primary key/i.test(words);
      columns.push({
        name: column,
        type,
        ...(serial && { serial }),
        ...((key || /\bunique\b/i.test(words)) && { unique: true }),
        ...((key || /not null/i.test(words)) && { required: true }),
      });
    } while (this.accept(','));
    this.expect(')');
    // ENGINE=… and the like change nothing here.
    if (this.tables[name]) {
      if (!soft) throw new SqlError('table-exists', name);
    } else this.tables[name] = { columns, rows: [], next: 1 };
    return { tag: 'CREATE TABLE' };
  }
  /** The words up to the comma or parenthesis that ends them, with what they hold in parentheses. */
  private definition(): string {
    const words: string[] = [];
    for (let depth = 0; this.peek() && (depth > 0 || !(this.is(',') || this.is(')'))); ) {
      const word = this.take();
      if (word === '(') depth++;
      if (word === ')') depth--;
      words.push(word);
    }
    return words.join(' ').replaceAll('( ', '(').replaceAll(' )', ')').replaceAll(' ,', ',');
  }
  private drop(): Result {
    const soft = this.accept('if', 'exists');
    for (const name of this.list(() => this.name())) {
      if (!this.tables[name] && !soft) throw new SqlError('no-table', name);
      delete this.tables[name];
    }
    return { tag: 'DROP TABLE' };
  }

  private insert(): Result {
    const { name, table } = this.table();
    let order = table.columns.map((_, i) => i);
    if (this.accept('(')) {
      order = this.list(() => this.column(table, this.take('word'), name));
      this.expect(')');
    }
    if (!this.accept('values')) this.expect('value');
    const given = this.list(() => {
      this.expect('(');
      const row = this.list(() => this.value());
      this.expect(')');
      return row;
    });
    this.end();
    const rows = given.map((values) => {
      if (values.length > order.length) throw new SqlError('count', name);
      const row: Value[] = table.columns.map(() => null);
      for (const [i, value] of values.entries()) row[order[i]!] = this.typed(table.columns[order[i]!]!, value);
      for (const [i, column] of table.columns.entries()) {
        if (row[i] === null && column.serial) row[i] = table.next;
        if (column.serial && typeof row[i] === 'number') table.next = Math.max(table.next, (row[i] as number) + 1);
        if (row[i] === null && column.required) throw new SqlError('null', column.name, name);
      }
      return row;
    });
    for (const row of rows) {
      for (const [i, column] of table.columns.entries())
        if (column.unique && row[i] !== null && table.rows.some((other) => other[i] === row[i]))
          throw new SqlError('duplicate', `${column.name}=${row[i]}`, name);
      table.rows.push(row);
    }
    return { tag: `INSERT 0 ${rows.length}` };
  }
  private typed(column: Column, value: Value): Value {
    if (value === null || typeof value === 'boolean' || !NUMERIC.test(column.type)) return typeof value === 'number' ? String(value) : value;
    const number = Number(value);
    if (Number.isNaN(number)) throw new SqlError('type', String(value), column.type);
    return number;
  }

  /** WHERE, as a test of a row. */
  private where(table: Table, name: string): (row: readonly Value[]) => boolean {
    if (!this.accept('where')) return () => true;
    const all: ((row: readonly Value[]) => boolean)[][] = [[]];
    for (let more = true; more; ) {
      const at = this.column(table, this.take('word'), name);
      const no = this.accept('is', 'not', 'null');
      if (no || this.accept('is', 'null')) {
        all.at(-1)!.push((row) => (row[at] === null) !== no);
      } else {
        const how = this.take().toLowerCase();
        const value = this.typed(table.columns[at]!, this.value());
        const like = new RegExp(
          `^${String(value)
            .replace(/[.+*?^${}()|[\]\\]/g, '\\$&')
            .replaceAll('%', '.*')
            .replaceAll('_', '.')}$`,
          's',
        );
        const tests: Readonly<Record<string, (held: Value) => boolean>> = {
          '=': (held) => held === value,
          '<>': (held) => held !== value,
          '!=': (held) => held !== value,
          '<': (held) => held! < value!,
          '>': (held) => held! > value!,
          '<=': (held) => held! <= value!,
          '>=': (held) => held! >= value!,
          like: (held) => like.test(String(held)),
        };
        const test = tests[how];
        if (!test) throw this.wrong();
        all.at(-1)!.push((row) => row[at] !== null && value !== null && test(row[at] ?? null));
      }
      const or = this.accept('or');
      if (or) all.push([]);
      more = or || this.accept('and');
    }
    return (row) => all.some((group) => group.every((one) => one(row)));
  }
  private update(): Result {
    const { name, table } = this.table();
    this.expect('set');
    const changes = this.list(() => {
      const at = this.column(table, this.take('word'), name);
      this.expect('=');
      return [at, this.typed(table.columns[at]!, this.value())] as const;
    });
    const chosen = this.where(table, name);
    this.end();
    let count = 0;
    table.rows = table.rows.map((row) => {
      if (!chosen(row)) return row;
      count++;
      return row.map((value, i) => {
        const change = changes.find(([at]) => at === i);
        return change ? change[1] : value;
      });
    });
    return { tag: `UPDATE ${count}` };
  }
  private remove(): Result {
    const { name, table } = this.table();
    const chosen = this.where(table, name);
    this.end();
    const before = table.rows.length;
    table.rows = table.rows.filter((row) => !chosen(row));
    return { tag: `DELETE ${before - table.rows.length}` };
  }

  private select(): Result {
    const from = this.all.findIndex((token, i) => i > this.i && token.kind === 'word' && token.text.toLowerCase() === 'from');
    if (from < 0) {
      const columns: string[] = [];
      const row = this.list(() => {
        const token = this.peek();
        const value = this.value();
        columns.push(this.accept('as') ? this.take('word') : token?.kind === 'word' ? token.text.toLowerCase() : '?column?');
        return value;
      });
      this.end();
      return { tag: 'SELECT 1', columns, rows: [row] };
    }
    const start = this.i;
    this.i = from + 1;
    const { name, table } = this.table();
    const after = this.i;
    this.i = start;
    let counted = false;
    const columns: string[] = [];
    const picked = this.list((): number[] => {
      if (this.accept('*')) {
        columns.push(...table.columns.map((column) => column.name));
        return table.columns.map((_, i) => i);
      }
      if (this.accept('count', '(')) {
        this.take();
        this.expect(')');
        counted = true;
        columns.push(this.accept('as') ? this.take('word') : 'count');
        return [];
      }
      const at = this.column(table, this.name(), name);
      columns.push(this.accept('as') ? this.take('word') : table.columns[at]!.name);
      return [at];
    }).flat();
    if (this.i !== from) throw this.wrong();
    this.i = after;
    const chosen = this.where(table, name);
    let rows: readonly (readonly Value[])[] = table.rows.filter(chosen);
    if (this.accept('order', 'by')) {
      const keys = this.list(() => {
        const at = this.column(table, this.name(), name);
        const down = this.accept('desc');
        if (!down) this.accept('asc');
        return [at, down ? -1 : 1] as const;
      });
      rows = [...rows].sort((a, b) => {
        for (const [at, way] of keys) if (a[at] !== b[at]) return a[at]! < b[at]! ? -way : way;
        return 0;
      });
    }
    if (this.accept('limit')) rows = rows.slice(0, Number(this.take('number')));
    this.end();
    if (counted) return { tag: 'SELECT 1', columns, rows: [[rows.length]] };
    return { tag: `SELECT ${rows.length}`, columns, rows: rows.map((row) => picked.map((at) => row[at] ?? null)) };
  }
}

/** One statement on the tables of a database, which it changes. Throws SqlError, having changed nothing. */
export function runSql(tables: Tables, sql: string, constants: Readonly<Record<string, Value>> = {}, quoted: Quoted = 'name'): Result {
  return new Statement(sql, tables, constants, quoted).run();
}
