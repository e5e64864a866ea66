/**
 * mysqld and mariadbd as their images' entrypoints start them, and the clients `mysql`, `mysqladmin` and their namesakes.
 *
 * Here simplified: the SQL of `sql.ts`, databases, SHOW and USE, and a protocol of its own. What it holds is in one file
 * of its data directory, and so outlives the container where a volume is mounted.
 */
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { seconds } from '../../../sim/clock.ts';
import { timestamp } from '../../api/time.ts';
import { answerLines, askLine } from './line-protocol.ts';
import { service } from './service.ts';
import { runSql, SqlError, statementsOf, type Tables } from './sql.ts';

const DATA = '/var/lib/mysql';
const STORE = `${DATA}/ibdata1`;

interface Held {
  readonly users: Record<string, string>;
  readonly databases: Record<string, Tables>;
}
interface Answer {
  readonly error?: string;
  readonly columns?: readonly string[];
  readonly rows?: readonly (readonly (string | number | boolean | null)[])[];
  readonly database?: string;
}

const SYSTEM = ['information_schema', 'mysql', 'performance_schema', 'sys'];

export const mysqlServer = (version: string, brand: 'MySQL' | 'MariaDB' = 'MySQL'): Program =>
  service(async (it) => {
    const { self } = it;
    const { env, files } = self;
    const upper = brand.toUpperCase();
    const at = (): string => timestamp(self.process.clock.now()).slice(0, 19).replace('T', ' ');
    const note = (text: string): void => it.err(`${at()}+00:00 [Note] [Entrypoint]: ${text}`);
    /** MariaDB's image takes its own names and MySQL's. */
    const setting = (name: string): string | undefined => {
      for (const prefix of brand === 'MySQL' ? ['MYSQL'] : ['MARIADB', 'MYSQL']) {
        const file = env[`${prefix}_${name}_FILE`];
        const value = env[`${prefix}_${name}`] ?? (file !== undefined && files.exists(file) ? files.read(file).trimEnd() : undefined);
        if (value) return value;
      }
      return undefined;
    };
    note(`Entrypoint script for ${brand} Server ${version} started.`);
    const password = setting('ROOT_PASSWORD');
    if (!files.exists(STORE)) {
      const allowed =
        brand === 'MySQL' ? ['ALLOW_EMPTY_PASSWORD', 'RANDOM_ROOT_PASSWORD'] : ['ALLOW_EMPTY_ROOT_PASSWORD', 'ALLOW_EMPTY_PASSWORD', 'RANDOM_ROOT_PASSWORD'];
      if (!password && !allowed.some((name) => setting(name))) {
        const names =
          brand === 'MySQL' ? ['ROOT_PASSWORD', ...allowed] : ['ROOT_PASSWORD', 'ROOT_PASSWORD_HASH', 'ALLOW_EMPTY_ROOT_PASSWORD', 'RANDOM_ROOT_PASSWORD'];
        it.err(
          `${at()}+00:00 [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n    You need to specify one of the following as an environment variable:\n${names.map((name) => `    - ${upper}_${name}`).join('\n')}`,
        );
        return it.exit(1);
      }
      note('Initializing database files');
      await self.process.clock.sleep(seconds(6));
      const [user, database] = [setting('USER'), setting('DATABASE')];
      const first: Held = {
        users: {
          root: setting('RANDOM_ROOT_PASSWORD') ? self.process.rng.text(32, 'abcdefghijkmnopqrstuvwxyz23456789') : (password ?? ''),
          ...(user && { [user]: setting('PASSWORD') ?? '' }),
        },
        databases: database ? { [database]: {} } : {},
      };
      files.write(STORE, JSON.stringify(first));
      files.write(`${DATA}/auto.cnf`, `[auto]\nserver-uuid=${self.process.rng.text(32, '0123456789abcdef')}\n`);
      note(`${brand} init process done. Ready for start up.`);
    }
    await self.process.clock.sleep(seconds(1));
    answerLines(self, 3306, (line) => {
      const { user, password: given, database, sql } = JSON.parse(line) as { user: string; password: string; database?: string; sql: string };
      const held = JSON.parse(files.read(STORE)) as Held;
      if (held.users[user] === undefined || held.users[user] !== given)
        return JSON.stringify({ error: `ERROR 1045 (28000): Access denied for user '${user}'@'%' (using password: ${given ? 'YES' : 'NO'})` });
      if (database !== undefined && !held.databases[database] && !SYSTEM.includes(database))
        return JSON.stringify({ error: `ERROR 1049 (42000): Unknown database '${database}'` });
      const before = JSON.stringify(held);
      const answer = execute(held, sql, database, version);
      const after = JSON.stringify(held);
      if (after !== before && answer.error === undefined) files.write(STORE, after);
      return JSON.stringify(answer);
    });
    it.err(
      brand === 'MySQL'
        ? `${timestamp(self.process.clock.now())} 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '${version}'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL.`
        : `${at()} 0 [Note] mariadbd: ready for connections.\nVersion: '${version}-MariaDB-ubu2404'  socket: '/run/mysqld/mysqld.sock'  port: 3306  mariadb.org binary distribution`,
    );
  });

/** One statement; changes `held`. */
export function execute({ databases, users }: Held, sql: string, database: string | undefined, version: string): Answer {
  const text = sql.trim().replace(/;$/, '').trim();
  const failed = (code: string, message: string): Answer => ({ error: `ERROR ${code} at line 1: ${message}` });
  const bare = (raw: string): string => raw.replaceAll('`', '');
  const unknown = (name: string): Answer => failed('1049 (42000)', `Unknown database '${name}'`);
  let m = /^(create|drop)\s+(?:database|schema)\s+(if\s+(?:not\s+)?exists\s+)?([\w`]+)/i.exec(text);
  if (m) {
    const [, verb, soft, raw] = m;
    const name = bare(raw!);
    if (verb!.toLowerCase() === 'create') {
      if (databases[name] && !soft) return failed('1007 (HY000)', `Can't create database '${name}'; database exists`);
      databases[name] ??= {};
      return {};
    }
    if (!databases[name] && !soft) return failed('1008 (HY000)', `Can't drop database '${name}'; database doesn't exist`);
    delete databases[name];
    return {};
  }
  if (/^show\s+databases/i.test(text)) return { columns: ['Database'], rows: [...Object.keys(databases), ...SYSTEM].sort().map((each) => [each]) };
  m = /^use\s+([\w`]+)/i.exec(text);
  if (m) return databases[bare(m[1]!)] || SYSTEM.includes(m[1]!) ? { database: bare(m[1]!) } : unknown(bare(m[1]!));
  m = /^create\s+user\s+(?:if\s+not\s+exists\s+)?'([^']*)'(?:@'[^']*')?(?:\s+identified\s+by\s+'([^']*)')?/i.exec(text);
  if (m) {
    users[m[1]!] = m[2] ?? '';
    return {};
  }
  // Here simplified: whoever has an account may do everything.
  if (/^(grant|flush)\s/i.test(text)) return {};
  const tablesOf = (name: string): readonly string[] => (name === 'mysql' ? ['user'] : Object.keys(databases[name] ?? {}).sort());
  if (/^show\s+tables/i.test(text)) {
    if (!database) return failed('1046 (3D000)', 'No database selected');
    return { columns: [`Tables_in_${database}`], rows: tablesOf(database).map((each) => [each]) };
  }
  if (/^select\s/i.test(text) && /\bfrom\s+`?mysql`?\.`?user\b/i.test(text))
    return { columns: ['User', 'Host'], rows: Object.keys(users).map((user) => [user, '%']) };
  const place = bare(/\b(?:into|from|table|update|exists)\s+(`?\w+`?)\.`?\w+/i.exec(text)?.[1] ?? database ?? '');
  const tables = databases[place];
  const named = /^(?:create|drop|insert|update|delete|truncate)\b|\bfrom\s/i.test(text);
  if (named && !tables) return place === '' ? failed('1046 (3D000)', 'No database selected') : unknown(place);
  try {
    const { columns, rows } = runSql(tables ?? {}, text, { version, '@@version': version, database: database ?? null, '@@hostname': null }, 'string');
    if (!columns) return {};
    // What has no name is called as it was written.
    return {
      columns: columns.map((column) => (column === '?column?' || column === 'count' || column === 'version' ? written(text, column) : column)),
      rows: rows ?? [],
    };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return wording(error, place, text);
  }

  function written(select: string, column: string): string {
    if (column === 'count') return /count\([^)]*\)/i.exec(select)![0];
    return /^select\s+(.*?)$/is.exec(select)![1]!.split(',')[0]!.trim();
  }
  function wording({ problem, subject, table }: SqlError, where: string, statement: string): Answer {
    if (problem === 'no-table') return failed('1146 (42S02)', `Table '${where}.${subject}' doesn't exist`);
    if (problem === 'table-exists') return failed('1050 (42S01)', `Table '${subject}' already exists`);
    if (problem === 'no-column') return failed('1054 (42S22)', `Unknown column '${subject}' in 'field list'`);
    if (problem === 'duplicate') return failed('1062 (23000)', `Duplicate entry '${subject.split('=')[1]}' for key '${table}.PRIMARY'`);
    if (problem === 'null') return failed('1048 (23000)', `Column '${subject}' cannot be null`);
    if (problem === 'type') return failed('1366 (HY000)', `Incorrect integer value: '${subject}'`);
    if (problem === 'count') return failed('1136 (21S01)', "Column count doesn't match value count at row 1");
    return failed(
      '1064 (42000)',
      `You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '${subject || statement}' at line 1`,
    );
  }
}

interface Flags {
  readonly host: string;
  readonly user: string;
  readonly password: string;
  readonly sql: string | undefined;
  readonly words: readonly string[];
}

function flagsOf({ argv, env }: ProgramContext): Flags {
  let [host, user, password] = ['127.0.0.1', 'root', env['MYSQL_PWD'] ?? ''];
  let sql: string | undefined;
  const words: string[] = [];
  for (let i = 1; i < argv.length; i++) {
    const arg = argv[i]!;
    const long = /^--(host|user|password|execute)=(.*)$/s.exec(arg);
    if (long?.[1] === 'host') host = long[2]!;
    else if (long?.[1] === 'user') user = long[2]!;
    else if (long?.[1] === 'password') password = long[2]!;
    else if (long) sql = long[2]!;
    else if (arg === '-h') host = argv[++i] ?? host;
    else if (arg === '-u') user = argv[++i] ?? user;
    else if (arg === '-D') words.push(argv[++i] ?? '');
    else if (arg === '-e') sql = argv[++i];
    else if (/^-h./.test(arg)) host = arg.slice(2);
    else if (/^-u./.test(arg)) user = arg.slice(2);
    else if (/^-p./.test(arg)) password = arg.slice(2);
    else if (!arg.startsWith('-')) words.push(arg);
  }
  return { host: host === 'localhost' ? '127.0.0.1' : host, user, password, sql, words };
}

const unreachable = (host: string): string => `ERROR 2003 (HY000): Can't connect to MySQL server on '${host}:3306' (111)\n`;

export const mysqlClient: Program = async (self) => {
  const { host, user, password, sql, words } = flagsOf(self);
  let database = words[0];
  let text = sql;
  const bare = self.argv.some((arg) => arg === '-N' || arg === '-sN' || arg === '--skip-column-names');
  if (text === undefined) {
    text = '';
    for (let more = await self.stdin.read(); more !== undefined; more = await self.stdin.read()) text += more;
  }
  for (const statement of statementsOf(text)) {
    let answer: Answer;
    try {
      answer = JSON.parse(await askLine(self, host, 3306, JSON.stringify({ user, password, database, sql: statement.replaceAll('\n', ' ') }))) as Answer;
    } catch {
      self.stderr(unreachable(host));
      return 1;
    }
    if (answer.error) {
      self.stderr(`${answer.error}\n`);
      return 1;
    }
    database = answer.database ?? database;
    // Batch mode: nothing at all when there are no rows; -N leaves the names out.
    if (answer.columns && (answer.rows ?? []).length > 0) {
      const rows = (answer.rows ?? []).map((row) => row.map((value) => (value === null ? 'NULL' : String(value))));
      self.stdout(`${[...(bare ? [] : [answer.columns]), ...rows].map((row) => row.join('\t')).join('\n')}\n`);
    }
  }
  return 0;
};

export const mysqlAdmin: Program = async (self) => {
  const { host, user, password, words } = flagsOf(self);
  try {
    await askLine(self, host, 3306, JSON.stringify({ user, password, sql: 'SELECT 1' }));
  } catch {
    self.stderr(`mysqladmin: connect to server at '${host}' failed\nerror: 'Can't connect to MySQL server on '${host}:3306' (111)'\n`);
    return 1;
  }
  if (words[0] === 'ping') self.stdout('mysqld is alive\n');
  return 0;
};
