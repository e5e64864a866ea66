/**
 * mongod, and the client `mongosh` (`mongo`).
 *
 * Here simplified: the shell reads commands of one call (`db.people.insertOne({name: 'Ada'})`), `use` and `show`;
 * filters match by equality; the protocol is its own. What it holds is one file under /data/db.
 */
import type { Program } from '../../../linux/program.ts';
import { timestamp } from '../../api/time.ts';
import { answerLines, askLine } from './line-protocol.ts';
import { service } from './service.ts';

const STORE = '/data/db/collections.json';
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type Document = Record<string, Json>;
type Databases = Record<string, Record<string, Document[]>>;
interface Held {
  readonly users: Record<string, string>;
  readonly databases: Databases;
}
interface Question {
  readonly user?: string;
  readonly password?: string;
  readonly database: string;
  /** `people.find`; a method of the database has no dot. */
  readonly call: string;
  readonly args: readonly Json[];
}
interface Answer {
  readonly error?: string;
  readonly value?: Json;
}

export const mongod = (version: string): Program =>
  service((it) => {
    const { self } = it;
    const { env, files, process } = self;
    const log = (text: string): void =>
      it.out(
        JSON.stringify({ t: { $date: timestamp(process.clock.now()) }, s: 'I', c: 'NETWORK', id: 23016, ctx: 'listener', msg: text, attr: { port: 27017 } }),
      );
    const root = env['MONGO_INITDB_ROOT_USERNAME'];
    const password = env['MONGO_INITDB_ROOT_PASSWORD'];
    if ((root === undefined) !== (password === undefined)) {
      it.err(
        `error: missing 'MONGO_INITDB_ROOT_${root === undefined ? 'USERNAME' : 'PASSWORD'}'\n       both 'MONGO_INITDB_ROOT_USERNAME' and 'MONGO_INITDB_ROOT_PASSWORD' must be specified for a user to be created`,
      );
      return it.exit(1);
    }
    if (!files.exists(STORE)) files.write(STORE, JSON.stringify({ users: root ? { [root]: password } : {}, databases: {} }));
    const at = self.argv.indexOf('--port');
    answerLines(self, at < 0 ? 27017 : Number(self.argv[at + 1]), (line) => {
      const question = JSON.parse(line) as Question;
      const held = JSON.parse(files.read(STORE)) as Held;
      const guarded = Object.keys(held.users).length > 0;
      if (question.user !== undefined && held.users[question.user] !== question.password)
        return JSON.stringify({ error: 'MongoServerError: Authentication failed.' });
      const free = ['ping', 'hello', 'version'].includes(question.call);
      if (guarded && question.user === undefined && !free)
        return JSON.stringify({ error: `MongoServerError: Command ${question.call.split('.').at(-1)} requires authentication` });
      const before = JSON.stringify(held);
      const answer = answerOf(held.databases, question, version, () => process.rng.text(24, '0123456789abcdef'));
      const after = JSON.stringify(held);
      if (after !== before) files.write(STORE, after);
      return JSON.stringify(answer);
    });
    log('Waiting for connections');
  });

const matches =
  (filter: Json | undefined) =>
  (document: Document): boolean =>
    Object.entries((filter ?? {}) as Document).every(([name, value]) => JSON.stringify(document[name]) === JSON.stringify(value));

/** One call; changes what is held. */
function answerOf(databases: Databases, { database, call, args }: Question, version: string, id: () => string): Answer {
  if (call === 'version') return { value: version };
  if (call === 'ping' || call === 'hello') return { value: { ok: 1 } };
  if (call === 'dbs')
    return { value: ['admin', 'config', 'local', ...Object.keys(databases).filter((name) => Object.keys(databases[name]!).length > 0)].sort() };
  const inside = databases[database] ?? {};
  if (call === 'getCollectionNames') return { value: Object.keys(inside).sort() };
  if (call === 'dropDatabase') {
    delete databases[database];
    return { value: { ok: 1, dropped: database } };
  }
  const dot = call.lastIndexOf('.');
  const [name, method] = [call.slice(0, dot), call.slice(dot + 1)];
  const documents = inside[name] ?? [];
  const chosen = documents.filter(matches(args[0]));
  const keep = (next: Document[]): void => {
    databases[database] = { ...inside, [name]: next };
  };
  const put = (given: Json | undefined): Document => ({ _id: id(), ...((given ?? {}) as Document) });
  const changed = (document: Document): Document => ({ ...document, ...(((args[1] as Document | undefined)?.['$set'] ?? {}) as Document) });
  switch (method) {
    case 'insertOne':
    case 'insert': {
      const document = put(args[0]);
      keep([...documents, document]);
      return { value: { acknowledged: true, insertedId: document['_id']! } };
    }
    case 'insertMany': {
      const added = (args[0] as readonly Json[]).map(put);
      keep([...documents, ...added]);
      return { value: { acknowledged: true, insertedIds: Object.fromEntries(added.map((document, i) => [String(i), document['_id']!])) } };
    }
    case 'find':
      return { value: chosen };
    case 'findOne':
      return { value: chosen[0] ?? null };
    case 'countDocuments':
    case 'count':
      return { value: chosen.length };
    case 'updateOne':
    case 'updateMany': {
      const touched = method === 'updateOne' ? chosen.slice(0, 1) : chosen;
      keep(documents.map((document) => (touched.includes(document) ? changed(document) : document)));
      return { value: { acknowledged: true, insertedId: null, matchedCount: touched.length, modifiedCount: touched.length, upsertedCount: 0 } };
    }
    case 'deleteOne':
    case 'deleteMany': {
      const gone = method === 'deleteOne' ? chosen.slice(0, 1) : chosen;
      keep(documents.filter((document) => !gone.includes(document)));
      return { value: { acknowledged: true, deletedCount: gone.length } };
    }
    case 'drop': {
      const { [name]: dropped, ...rest } = inside;
      databases[database] = rest;
      return { value: dropped !== undefined };
    }
    default:
      return { error: `TypeError: db.${call} is not a function` };
  }
}

/** Object literals of JavaScript: names without quotes, either quotes. Undefined when the text is something else. */
export function parseArguments(text: string): readonly Json[] | undefined {
  let json = '';
  const pattern = /\s+|"(?:[^"\\]|\\.)*"|'((?:[^'\\]|\\.)*)'|([A-Za-z_$][\w$.]*)(?=\s*:)|true|false|null|-?\d+(?:\.\d+)?|[[\]{},:]/gy;
  let end = 0;
  for (let m = pattern.exec(text); m; m = pattern.exec(text)) {
    json += m[1] !== undefined ? JSON.stringify(m[1].replace(/\\(.)/g, '$1')) : m[2] !== undefined ? JSON.stringify(m[2]) : m[0];
    end = pattern.lastIndex;
  }
  if (end < text.length) return undefined;
  try {
    return JSON.parse(`[${json.replace(/,(\s*[\]}])/g, '$1')}]`) as Json[];
  } catch {
    return undefined;
  }
}

/** As the shell shows a value: two blanks a level, names bare, text in single quotes. */
export function inspect(value: Json, indent = ''): string {
  if (typeof value === 'string') return `'${value}'`;
  if (value === null || typeof value !== 'object') return String(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((each) => `${inner}${inspect(each as Json, inner)}`).join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value as Document).map(([name, each]) =>
    name === '_id' || name === 'insertedId' ? `${name}: ${each === null ? 'null' : `ObjectId('${String(each)}')`}` : `${name}: ${inspect(each, inner)}`,
  );
  const line = `{ ${entries.join(', ')} }`;
  return line.length + indent.length <= 76 && !line.includes('\n') ? line : `{\n${inner}${entries.join(`,\n${inner}`)}\n${indent}}`;
}

export const mongosh: Program = async (self) => {
  const { argv } = self;
  let [host, port, database] = ['127.0.0.1', 27017, 'test'];
  let [user, password]: (string | undefined)[] = [];
  const scripts: string[] = [];
  for (let i = 1; i < argv.length; i++) {
    const arg = argv[i]!;
    const url = /^mongodb:\/\/(?:([^:@/]+):([^@/]*)@)?([^:/?,]+)(?::(\d+))?(?:\/(\w*))?/.exec(arg);
    if (url) {
      [host, port, database] = [url[3]!, Number(url[4] ?? port), url[5] || database];
      if (url[1] !== undefined) [user, password] = [url[1], url[2]];
    } else if (arg === '--eval') scripts.push(argv[++i] ?? '');
    else if (arg === '--host' || arg === '-h')
      [host = '', port = 27017] = ((text) => [text.split(':')[0]!, Number(text.split(':')[1] ?? port)] as const)(argv[++i] ?? '');
    else if (arg === '--port') port = Number(argv[++i]);
    else if (arg === '-u' || arg === '--username') user = argv[++i];
    else if (arg === '-p' || arg === '--password') password = argv[++i];
    else if (arg === '--authenticationDatabase') i++;
    else if (!arg.startsWith('-')) database = arg;
  }
  if (scripts.length === 0) {
    let text = '';
    for (let more = await self.stdin.read(); more !== undefined; more = await self.stdin.read()) text += more;
    scripts.push(...text.split('\n'));
  }
  for (const script of scripts.flatMap((text) => text.split(/;\s*(?![^({]*[)}])/)).map((text) => text.trim())) {
    if (script === '' || script === 'exit' || script === 'quit()') continue;
    const use = /^use\s+(\w+)$/.exec(script);
    if (use) {
      database = use[1]!;
      self.stdout(`switched to db ${database}\n`);
      continue;
    }
    const show = /^show\s+(dbs|databases|collections|tables)$/.exec(script);
    const printed = /^(?:print|printjson)\((.*)\)$/s.exec(script)?.[1] ?? script;
    const call =
      /^db(?:\.getSiblingDB\(['"](\w+)['"]\))?\.(?:getCollection\(['"]([\w.]+)['"]\)\.)?([\w.]+)\((.*?)\)(?:\.(pretty|toArray|count)\(\))?(?:\.ok)?$/s.exec(
        printed,
      );
    const args = call ? parseArguments(call[4]!) : [];
    if ((!show && !call) || !args) {
      self.stdout(`SyntaxError: Unexpected token\n\norrery: this shell reads one call on db a line: ${script}\n`);
      return 1;
    }
    const command = /^(?:runCommand|adminCommand)$/.test(call?.[3] ?? '')
      ? typeof args[0] === 'string'
        ? args[0]
        : (Object.keys((args[0] ?? {}) as Document)[0] ?? '')
      : undefined;
    const question: Question = {
      ...(user !== undefined && { user, password: password ?? '' }),
      database: call?.[1] ?? database,
      call: show ? (show[1]!.startsWith('d') ? 'dbs' : 'getCollectionNames') : (command ?? (call![2] === undefined ? call![3]! : `${call![2]}.${call![3]}`)),
      args: command === undefined ? args : [],
    };
    let answer: Answer;
    try {
      answer = JSON.parse(await askLine(self, host, port, JSON.stringify(question))) as Answer;
    } catch {
      self.stderr(`MongoNetworkError: connect ECONNREFUSED ${host}:${port}\n`);
      return 1;
    }
    if (answer.error) {
      self.stderr(`${answer.error}\n`);
      return 1;
    }
    const value = call?.[5] === 'count' ? (answer.value as readonly Json[]).length : (answer.value ?? null);
    if (show) self.stdout((value as readonly string[]).map((name) => `${name}\n`).join(''));
    else self.stdout(`${printed.endsWith('.ok') ? String((value as Document)['ok']) : typeof value === 'string' ? value : inspect(value)}\n`);
  }
  return 0;
};
