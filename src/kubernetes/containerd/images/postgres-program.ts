/**
 * postgres as the image's entrypoint starts it, and the clients `psql` and `pg_isready`.
 *
 * Here simplified: the SQL of `sql.ts`, databases but no schemas or roles, and a protocol of its own between the two.
 * What it holds is one file of its data directory, and so outlives the container where a volume is mounted.
 */
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { seconds } from '../../../sim/clock.ts';
import { timestamp } from '../../api/time.ts';
import { answerLines, askLine } from './line-protocol.ts';
import { service } from './service.ts';
import { type Result, runSql, SqlError, statementsOf, type Tables, type Value } from './sql.ts';

type Databases = Record<string, Tables>;
interface Answer extends Partial<Result> {
  /** The server is there, and does not let this client in. */
  readonly fatal?: string;
  readonly error?: string;
}
interface Question {
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  readonly sql: string;
}

export const postgresServer = (version: string): Program =>
  service(async (it) => {
    const { self } = it;
    const { env, files } = self;
    const data = env['PGDATA'] ?? '/var/lib/postgresql/data';
    const store = `${data}/base/tables.json`;
    const log = (text: string): void => it.err(`${timestamp(self.process.clock.now()).slice(0, 23).replace('T', ' ').replace('Z', '')} UTC [1] LOG:  ${text}`);
    const owner = env['POSTGRES_USER'] ?? 'postgres';
    const trusted = env['POSTGRES_HOST_AUTH_METHOD'] === 'trust';
    const fileOf = env['POSTGRES_PASSWORD_FILE'];
    const password = env['POSTGRES_PASSWORD'] ?? (fileOf && files.exists(fileOf) ? files.read(fileOf).trimEnd() : '');
    if (!files.exists(`${data}/PG_VERSION`)) {
      if (password === '' && !trusted) {
        it.err(
          'Error: Database is uninitialized and superuser password is not specified.\n       You must specify POSTGRES_PASSWORD to a non-empty value for the\n       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".\n\n       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all\n       connections without a password. This is *not* recommended.\n\n       See PostgreSQL documentation about "trust":\n       https://www.postgresql.org/docs/current/auth-trust.html',
        );
        return it.exit(1);
      }
      if (files.exists(data) && files.list(data).length > 0) {
        it.err(
          `initdb: error: directory "${data}" exists but is not empty\ninitdb: hint: If you want to create a new database system, either remove or empty the directory "${data}" or run initdb with an argument other than "${data}".`,
        );
        return it.exit(1);
      }
      it.out(`The files belonging to this database system will be owned by user "postgres".`);
      it.out(`fixing permissions on existing directory ${data} ... ok`);
      await self.process.clock.sleep(seconds(2));
      files.write(`${data}/PG_VERSION`, `${version.split('.')[0]}\n`);
      files.write(`${data}/global/pg_auth.json`, JSON.stringify({ [owner]: password }));
      files.write(store, JSON.stringify({ postgres: {}, [env['POSTGRES_DB'] ?? owner]: {} }));
      it.out('\nPostgreSQL init process complete; ready for start up.\n');
    } else it.out('\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n');
    await self.process.clock.sleep(seconds(1));
    log(`starting PostgreSQL ${version} on x86_64-pc-linux-gnu, compiled by gcc, 64-bit`);
    log('listening on IPv4 address "0.0.0.0", port 5432');
    answerLines(self, 5432, (line, from) => {
      const { user, password: given, database, sql } = JSON.parse(line) as Question;
      const accounts = JSON.parse(files.read(`${data}/global/pg_auth.json`)) as Record<string, string>;
      const say = (answer: Answer): string => JSON.stringify(answer);
      const local = from.remote.ip === '127.0.0.1' || from.remote.ip === from.local.ip;
      if (!local && !trusted) {
        if (given === undefined) return say({ fatal: 'fe_sendauth: no password supplied' });
        if (accounts[user] !== given) return say({ fatal: `FATAL:  password authentication failed for user "${user}"` });
      }
      if (accounts[user] === undefined) return say({ fatal: `FATAL:  role "${user}" does not exist` });
      const held = JSON.parse(files.read(store)) as Databases;
      if (!held[database]) return say({ fatal: `FATAL:  database "${database}" does not exist` });
      const answer = execute(held, database, owner, sql, version);
      if (!answer.error && !/^\s*(select|show|\\)/i.test(sql)) files.write(store, JSON.stringify(held));
      return say(answer);
    });
    log('database system is ready to accept connections');
  });

/** One statement, or one of psql's backslash commands that ask the server. */
function execute(held: Databases, database: string, owner: string, sql: string, version: string): Answer {
  const tables = held[database]!;
  const m = /^(create|drop)\s+database\s+(?:if\s+exists\s+)?"?(\w+)"?/i.exec(sql);
  if (m) {
    const name = m[2]!;
    if (m[1]!.toLowerCase() === 'drop') {
      if (!held[name]) return { error: `ERROR:  database "${name}" does not exist` };
      delete held[name];
      return { tag: 'DROP DATABASE' };
    }
    if (held[name]) return { error: `ERROR:  database "${name}" already exists` };
    held[name] = {};
    return { tag: 'CREATE DATABASE' };
  }
  if (sql === '\\l')
    return { tag: 'List of databases', columns: ['Name', 'Owner'], rows: [...Object.keys(held), 'template0', 'template1'].sort().map((name) => [name, owner]) };
  if (sql === '\\dt') {
    const rows = Object.keys(tables).sort();
    if (rows.length === 0) return { error: 'Did not find any relations.' };
    return { tag: 'List of relations', columns: ['Schema', 'Name', 'Type', 'Owner'], rows: rows.map((name) => ['public', name, 'table', owner]) };
  }
  try {
    return runSql(tables, sql, {
      version: `PostgreSQL ${version} on x86_64-pc-linux-gnu, compiled by gcc, 64-bit`,
      current_database: database,
      current_user: owner,
    });
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return { error: `ERROR:  ${wording(error)}` };
  }
}

function wording({ problem, subject, table }: SqlError): string {
  if (problem === 'no-table') return `relation "${subject}" does not exist`;
  if (problem === 'table-exists') return `relation "${subject}" already exists`;
  if (problem === 'no-column') return `column "${subject}" does not exist`;
  if (problem === 'duplicate')
    return `duplicate key value violates unique constraint "${table}_pkey"\nDETAIL:  Key (${subject.replace('=', ')=(')}) already exists.`;
  if (problem === 'null') return `null value in column "${subject}" of relation "${table}" violates not-null constraint`;
  if (problem === 'type') return `invalid input syntax for type ${table.toLowerCase()}: "${subject}"`;
  if (problem === 'count') return 'INSERT has more expressions than target columns';
  return subject === '' ? 'syntax error at end of input' : `syntax error at or near "${subject.split(/[\s(,]/)[0] || subject[0]}"`;
}

interface Options {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}
const LONG: Readonly<Record<string, string>> = {
  host: 'h',
  port: 'p',
  username: 'U',
  dbname: 'd',
  command: 'c',
  file: 'f',
  'tuples-only': 't',
  'no-align': 'A',
  list: 'l',
  timeout: 't',
};
/** As getopt reads them; `flags` take no value. */
function optionsOf(argv: readonly string[], flags: string): Options {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const add = (name: string, value: string): void => void values.set(name, [...(values.get(name) ?? []), value]);
  for (let i = 1; i < argv.length; i++) {
    const arg = argv[i]!;
    const long = /^--([\w-]+)(?:=(.*))?$/s.exec(arg);
    if (long) {
      const name = LONG[long[1]!] ?? long[1]!;
      add(name, flags.includes(name) || name.length > 1 ? '' : (long[2] ?? argv[++i] ?? ''));
    } else if (/^-[A-Za-z]/.test(arg)) {
      for (let j = 1; j < arg.length; j++) {
        const name = arg[j]!;
        if (flags.includes(name)) add(name, '');
        else {
          add(name, arg.slice(j + 1) || (argv[++i] ?? ''));
          break;
        }
      }
    } else words.push(arg);
  }
  return { values, words };
}

/** `psql [-h host] [-U user] [-d database] [-c command]… [-tAql]`; without -c, statements come from standard input. */
export const psql: Program = async (self) => {
  const { env } = self;
  const { values, words } = optionsOf(self.argv, 'tAqlwWXn1ab');
  if (values.has('version') || values.has('V')) {
    self.stdout(`psql (PostgreSQL) ${env['PG_VERSION'] ?? ''}\n`);
    return 0;
  }
  const last = (name: string): string | undefined => values.get(name)?.at(-1);
  const url = /^postgres(?:ql)?:\/\/(?:([^:@/]+)(?::([^@/]*))?@)?([^:/]+)(?::(\d+))?(?:\/(\w+))?/.exec(last('d') ?? words[0] ?? '');
  const host = url?.[3] ?? last('h') ?? env['PGHOST'];
  const port = Number(url?.[4] ?? last('p') ?? env['PGPORT'] ?? 5432);
  // Without -U psql goes by the user of the operating system: root, in a container.
  const user = url?.[1] ?? last('U') ?? words[1] ?? env['PGUSER'] ?? 'root';
  const database = url ? (url[5] ?? user) : (last('d') ?? words[0] ?? env['PGDATABASE'] ?? user);
  const password = url?.[2] ?? env['PGPASSWORD'];
  let script: string[];
  if (values.has('l')) script = ['\\l'];
  else if (values.has('c')) script = values.get('c')!.flatMap((text) => (text.startsWith('\\') ? [text.trim()] : statementsOf(text)));
  else {
    let text = last('f') ? self.files.read(last('f')!) : '';
    if (!last('f')) for (let more = await self.stdin.read(); more !== undefined; more = await self.stdin.read()) text += more;
    script = text.split(/^(\\.*)$/m).flatMap((part) => (part.startsWith('\\') ? [part.trim()] : statementsOf(part)));
  }
  let failed = false;
  for (const sql of script) {
    if (sql === '\\q') break;
    let answer: Answer;
    const where = host === undefined ? 'on socket "/var/run/postgresql/.s.PGSQL.5432"' : `at "${host}", port ${port}`;
    try {
      answer = JSON.parse(
        await askLine(self, host ?? '127.0.0.1', port, JSON.stringify({ user, ...(password !== undefined && { password }), database, sql })),
      ) as Answer;
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOTFOUND')
        self.stderr(`psql: error: could not translate host name "${host}" to address: Name or service not known\n`);
      else if (host === undefined)
        self.stderr(
          `psql: error: connection to server ${where} failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?\n`,
        );
      else
        self.stderr(
          `psql: error: connection to server ${where} failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n`,
        );
      return 2;
    }
    if (answer.fatal) {
      self.stderr(`psql: error: connection to server ${where} failed: ${answer.fatal}\n`);
      return 2;
    }
    if (answer.error) {
      self.stderr(`${answer.error}\n`);
      failed ||= answer.error.startsWith('ERROR');
      if (failed && values.has('c')) return 1;
    } else if (answer.columns) self.stdout(show(answer as Required<Answer>, values.has('t'), values.has('A')));
    else if (!values.has('q')) self.stdout(`${answer.tag}\n`);
  }
  return 0;
};

/** As psql lays a result out: aligned, numbers to the right, or bare. */
function show({ tag, columns, rows }: Required<Pick<Answer, 'tag' | 'columns' | 'rows'>>, bare: boolean, unaligned: boolean): string {
  const text = (value: Value): string => (value === null ? '' : typeof value === 'boolean' ? (value ? 't' : 'f') : String(value));
  const cells = rows.map((row) => row.map(text));
  const count = `(${rows.length} row${rows.length === 1 ? '' : 's'})\n`;
  if (unaligned) return `${[...(bare ? [] : [columns]), ...cells].map((row) => `${row.join('|')}\n`).join('')}${bare ? '' : count}`;
  const widths = columns.map((column, i) => Math.max(bare ? 0 : column.length, ...cells.map((row) => row[i]!.length)));
  const body = cells
    .map(
      (row, r) =>
        ` ${row.map((cell, i) => (typeof rows[r]![i] === 'number' ? cell.padStart(widths[i]!) : i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join(' | ')}\n`,
    )
    .join('');
  if (bare) return `${body}\n`;
  const centre = (name: string, width: number): string => name.padStart(name.length + Math.floor((width - name.length) / 2)).padEnd(width);
  const total = widths.reduce((sum, width) => sum + width + 3, -1);
  const title = tag.startsWith('List') ? `${tag.padStart(tag.length + Math.max(0, Math.floor((total - tag.length) / 2)))}\n` : '';
  return `${title} ${columns.map((name, i) => centre(name, widths[i]!)).join(' | ')} \n${widths.map((width) => '-'.repeat(width + 2)).join('+')}\n${body}${count}\n`;
}

export const pgIsReady: Program = async (self: ProgramContext) => {
  const { values } = optionsOf(self.argv, 'q');
  const host = values.get('h')?.at(-1);
  const port = Number(values.get('p')?.at(-1) ?? 5432);
  const name = `${host ?? '/var/run/postgresql'}:${port}`;
  try {
    (await self.sockets.connect(host ?? '127.0.0.1', port, { timeout: seconds(3) })).close();
  } catch {
    if (!values.has('q')) self.stdout(`${name} - no response\n`);
    return 2;
  }
  if (!values.has('q')) self.stdout(`${name} - accepting connections\n`);
  return 0;
};
