/** Which releases exist, and what the programs in them do. */
import { expect, test } from 'vitest';
import { createFiles } from '../../../linux/files.ts';
import { httpGet } from '../../../linux/http.ts';
import { seconds } from '../../../sim/clock.ts';
import { Loop } from '../../../sim/loop.ts';
import { testHost } from '../../../sim/test-host.ts';
import type { ContainerConfig } from '../../kubelet/cri.ts';
import { createContainerd } from '../containerd.ts';
import { createFakeNetwork } from '../fake-network.test-support.ts';
import { findImage, pullFailure } from '../image.ts';
import { parseFluentBit, parseFluentd } from './fluent-program.ts';
import { imageFamilies, images, isAssumed } from './images.ts';
import { printed } from './languages-program.ts';
import { inspect, parseArguments } from './mongo-program.ts';
import { releaseOf } from './official.ts';
import { runSql, SqlError, statementsOf, type Tables } from './sql.ts';

const find = (name: string) => findImage(images, name, imageFamilies);

test.each(
  'postgres postgres:16-alpine postgres:17.4 postgres:9.6 postgres:16.3-bookworm httpd:2.4 httpd:2.4.57 httpd:alpine httpd:2 mysql mysql:8 mysql:5.7 mysql:8.0.33 mariadb:10.11 mariadb:latest mongo:7 mongo:4.4.6 memcached:1.6-alpine memcached:1.6.22 rabbitmq:3-management rabbitmq:3.13 rabbitmq:4.0-management-alpine node:20 node:18-alpine node:20.11.1 node:lts ruby:3.2 golang:1.22 golang:1.21-alpine redis:6.2 redis:7.0.5 redis:5-alpine python:3.9-slim python:3.12-bookworm perl:5.34.1 alpine:3.18 alpine:3.12 busybox:1.34 busybox:1.28.0 ubuntu:20.04 ubuntu:jammy debian:11 debian:bullseye-slim fluent/fluent-bit:3.0 fluent/fluentd:v1.16 gcr.io/google-samples/gb-frontend:v5 us-docker.pkg.dev/google-samples/containers/gke/gb-frontend:v5 gcr.io/google_samples/gb-redis-follower:v2 registry.k8s.io/redis:e2e k8s.gcr.io/redis:e2e k8s.gcr.io/pause:3.9 k8s.gcr.io/echoserver:1.4 k8s.gcr.io/nginx-slim:0.8 gcr.io/google-samples/node-hello:1.0 gcr.io/google-samples/kubernetes-bootcamp:v1 jocatalin/kubernetes-bootcamp:v2 kicbase/echo-server:1.0 paulbouwer/hello-kubernetes:1.10 hashicorp/http-echo registry.k8s.io/e2e-test-images/echoserver:2.5 public.ecr.aws/docker/library/nginx:1.25 hello-world tomcat:9 wordpress:6.4 fluentd:v1.16'.split(
    ' ',
  ),
)('%s exists', (name) => {
  expect(find(name)).toBeDefined();
  expect(isAssumed(name)).toBe(name.startsWith('tomcat'));
});
test.each(
  'postgres:99 postgres:16.99 postgres:16-windows httpd:2.5 httpd:2.4.99 mysql:4 mongo:9 node:99 redis:9.9 redis:7.0.99 alpine:3.99 ubuntu:20.05 registry.k8s.io/redis:none k8s.gcr.io/pause:9.9 gcr.io/google-samples/kubernetes-bootcamp:v10 fluent/fluent-bit:99 ngimx'.split(
    ' ',
  ),
)('%s does not', (name) => expect(find(name)).toBeUndefined());
test('what a missing release is told', () => {
  expect(pullFailure(images, 'postgres:99', imageFamilies)).toBe(
    'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/postgres:99": failed to resolve reference "docker.io/library/postgres:99": docker.io/library/postgres:99: not found',
  );
  expect(pullFailure(images, 'ngimx', imageFamilies)).toContain('pull access denied');
});
test.each([
  ['16', '16.9'],
  ['16.3', '16.3'],
  ['latest', '17.5'],
  ['9', '9.6.24'],
  ['alpine', '17.5'],
])('postgres:%s is %s', (tag, version) => expect(releaseOf('17.5 16.9 9.6.24', 1, 'alpine', tag)?.version).toBe(version));
test('the same image every time, and its name is what was asked', () => {
  expect(find('postgres:16')).toBe(find('postgres:16'));
  expect(find('us-docker.pkg.dev/google-samples/containers/gke/gb-frontend:v5')!.names).toEqual([
    'us-docker.pkg.dev/google-samples/containers/gke/gb-frontend:v5',
  ]);
});

test('sql', () => {
  const tables: Tables = {};
  const run = (sql: string) => runSql(tables, sql);
  expect(run('CREATE TABLE pets (id SERIAL PRIMARY KEY, name VARCHAR(20) NOT NULL, age int);').tag).toBe('CREATE TABLE');
  expect(tables['pets']!.columns.map(({ type }) => type)).toEqual(['SERIAL', 'VARCHAR(20)', 'int']);
  expect(run("INSERT INTO pets (name, age) VALUES ('Rex; the dog', 3), ('Tom''s', NULL)").tag).toBe('INSERT 0 2');
  expect(run('SELECT * FROM pets')).toEqual({
    tag: 'SELECT 2',
    columns: ['id', 'name', 'age'],
    rows: [
      [1, 'Rex; the dog', 3],
      [2, "Tom's", null],
    ],
  });
  expect(run("select name as n from pets where age > 2 and name like 'R%'").rows).toEqual([['Rex; the dog']]);
  expect(run('select count(*) from pets where age is null').rows).toEqual([[1]]);
  expect(run("UPDATE pets SET age = 9 WHERE name = 'Tom''s'").tag).toBe('UPDATE 1');
  expect(run('SELECT age FROM pets ORDER BY age DESC LIMIT 1').rows).toEqual([[9]]);
  expect(run('DELETE FROM pets WHERE id = 1').tag).toBe('DELETE 1');
  expect(run('SELECT 1').rows).toEqual([[1]]);
  expect(statementsOf("select ';'; select 2;\n-- done\n")).toEqual(["select ';'", 'select 2']);
});
test.each([
  ['SELECT * FROM none', 'no-table', 'none'],
  ['CREATE TABLE t (a int)', 'table-exists', 't'],
  ['SELECT b FROM t', 'no-column', 'b'],
  ['INSERT INTO t VALUES (1)', 'duplicate', 'a=1'],
  ["INSERT INTO t VALUES ('x')", 'type', 'x'],
  ['INSERT INTO t VALUES (1, 2)', 'count', 't'],
  ['INSERT INTO t VALUES (NULL)', 'null', 'a'],
  ['SELEC 1', 'syntax', 'SELEC 1'],
  ['SELECT * FROM t nonsense', 'syntax', 'nonsense'],
])('%s: %s', (sql, problem, subject) => {
  const tables: Tables = { t: { columns: [{ name: 'a', type: 'int', unique: true, required: true }], rows: [[1]], next: 2 } };
  let caught: unknown;
  try {
    runSql(tables, sql);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(SqlError);
  expect(caught).toMatchObject({ problem, subject });
  expect(tables['t']!.rows).toEqual([[1]]);
});

test('literals of the mongo shell, and of languages', () => {
  expect(parseArguments('{name: \'Ada\', tags: [1, "b"], at: {x: null,}}, true')).toEqual([{ name: 'Ada', tags: [1, 'b'], at: { x: null } }, true]);
  expect(parseArguments('function () {}')).toBeUndefined();
  expect(inspect({ a: 1, b: 'x', c: [] })).toBe("{ a: 1, b: 'x', c: [] }");
  expect(printed("console.log('a'); console.log(2)", /^console\.log\((.*)\)$/)).toBe('a\n2\n');
  expect(printed('console.log(x)', /^console\.log\((.*)\)$/)).toBeUndefined();
});
test('configurations of fluentd and Fluent Bit', () => {
  expect(parseFluentd('<source>\n  @type tail\n  path /var/log/a.log\n  tag a.*\n</source>\n<match **>\n  @type stdout\n</match>')).toEqual({
    inputs: [{ path: '/var/log/a.log', tag: 'a.*', fromHead: false }],
    outputs: [{ match: '**', stdout: true }],
  });
  expect(
    parseFluentBit('[INPUT]\n    Name tail\n    Path /var/log/*.log\n    Tag app\n    Read_from_Head true\n[OUTPUT]\n    Name stdout\n    Match *\n'),
  ).toEqual({
    inputs: [{ path: '/var/log/*.log', tag: 'app', fromHead: true }],
    outputs: [{ match: '*', stdout: true }],
  });
});

interface Told {
  exec(...argv: string[]): Promise<string>;
  get(path: string): Promise<{ readonly status: number; readonly body: string }>;
  wait(duration: number): Promise<void>;
  logs(): string[];
  /** Stops the container and starts another with the same directory. */
  again(): Promise<void>;
}
/** Runs an image with `data` on a directory of the machine. */
async function run(image: string, data: string, more: Partial<ContainerConfig>, story: (told: Told) => Promise<void>): Promise<void> {
  const loop = new Loop({ seed: 3, host: testHost });
  let failure: unknown = 'never ended';
  loop.spawn('machine', async (self) => {
    const network = createFakeNetwork(self);
    const runtime = createContainerd(self, { node: 'n', network, images: [find(image)!], cni: network.cni, files: createFiles(), preloaded: [image] });
    try {
      const box = await runtime.runPodSandbox({
        name: 'web-1',
        namespace: 'default',
        uid: 'u',
        attempt: 0,
        hostname: 'web-1',
        hostNetwork: false,
        labels: {},
        annotations: {},
        dns: { servers: [], searches: [], options: [] },
      });
      let id = '';
      let attempt = 0;
      const start = async (): Promise<void> => {
        const mounts = [{ containerPath: data, hostPath: '/srv/data', readOnly: false }];
        id = await runtime.createContainer(box, { name: 'c', attempt: attempt++, image, env: {}, mounts, labels: {}, annotations: {}, ...more });
        await runtime.startContainer(id);
        await self.clock.sleep(seconds(10));
      };
      await start();
      await story({
        exec: async (...argv) => {
          let out = '';
          const take = (text: string): void => {
            out += text;
          };
          await runtime.exec(id, argv, { stdout: take, stderr: take });
          return out;
        },
        get: (path) => httpGet(network.hostSockets, `http://${runtime.sandboxes()[0]!.ips[0]}${path}`, { clock: self.clock, timeout: seconds(5) }),
        wait: (duration) => self.clock.sleep(seconds(duration)),
        logs: () => runtime.logs(id).map((line) => line.text),
        again: async () => {
          await runtime.stopContainer(id, seconds(30));
          await start();
        },
      });
      failure = undefined;
    } catch (error) {
      failure = error;
    }
  });
  await loop.run(seconds(200));
  if (failure) throw failure;
}

test('postgres keeps what was inserted', () =>
  run('postgres:16', '/var/lib/postgresql/data', { env: { POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop' } }, async ({ exec, again, logs }) => {
    const psql = (sql: string) => exec('psql', '-U', 'postgres', '-d', 'shop', '-c', sql);
    expect(logs().at(-1)).toContain('LOG:  database system is ready to accept connections');
    expect(await psql('CREATE TABLE t (id serial primary key, name text)')).toBe('CREATE TABLE\n');
    expect(await psql("INSERT INTO t (name) VALUES ('a'), ('bcd')")).toBe('INSERT 0 2\n');
    expect(await psql('CREATE TABLE t (id int)')).toBe('ERROR:  relation "t" already exists\n');
    await again();
    expect(await psql('SELECT * FROM t')).toBe(' id | name \n----+------\n  1 | a\n  2 | bcd\n(2 rows)\n\n');
    expect(await exec('pg_isready')).toBe('/var/run/postgresql:5432 - accepting connections\n');
    expect(await exec('psql', '-U', 'postgres', '-tAc', 'select 1')).toBe('1\n');
    expect(await exec('psql', '-U', 'nobody', '-c', 'select 1')).toContain('FATAL:  role "nobody" does not exist');
  }));
test('postgres wants a password', () =>
  run('postgres', '/var/lib/postgresql/data', {}, async ({ logs }) => {
    expect(logs()[0]).toBe('Error: Database is uninitialized and superuser password is not specified.');
  }));
test('mariadb and mysql', async () => {
  for (const [image, env, client] of [
    ['mariadb:11.4', { MARIADB_ROOT_PASSWORD: 'pw', MARIADB_DATABASE: 'shop' }, 'mariadb'],
    ['mysql:8.0', { MYSQL_ROOT_PASSWORD: 'pw', MYSQL_DATABASE: 'shop' }, 'mysql'],
  ] as const)
    await run(image, '/var/lib/mysql', { env }, async ({ exec, again }) => {
      const sql = (text: string) => exec(client, '-uroot', '-ppw', 'shop', '-e', text);
      expect(await sql("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(10)); INSERT INTO t (name) VALUES ('a'),('b')")).toBe('');
      await again();
      expect(await sql('SELECT * FROM t')).toBe('id\tname\n1\ta\n2\tb\n');
      expect(await sql('SELECT COUNT(*) FROM t')).toBe('COUNT(*)\n2\n');
      expect(await sql('SELECT * FROM none')).toBe("ERROR 1146 (42S02) at line 1: Table 'shop.none' doesn't exist\n");
      expect(await exec(client, '-uroot', '-pwrong', '-e', 'select 1')).toContain("Access denied for user 'root'");
      expect(await sql('SHOW DATABASES')).toContain('shop');
    });
});
test('mongo', () =>
  run('mongo:7', '/data/db', {}, async ({ exec, again }) => {
    const eval_ = (script: string) => exec('mongosh', '--quiet', '--eval', script);
    expect(await eval_("db.people.insertOne({name: 'Ada', born: 1815})")).toMatch(/^\{\n? *acknowledged: true,\n? *insertedId: ObjectId\('[0-9a-f]{24}'\)/);
    await again();
    expect(await eval_('db.people.countDocuments()')).toBe('1\n');
    expect(await eval_("db.people.findOne({name: 'Ada'})")).toContain("name: 'Ada', born: 1815");
    expect(await eval_("db.adminCommand('ping').ok")).toBe('1\n');
  }));
test('memcached, by its text protocol', () =>
  run('memcached:1.6', '/unused', {}, async ({ exec }) => {
    expect(await exec('sh', '-c', "printf 'set a 0 0 5\\r\\nhello\\r\\nget a\\r\\nquit\\r\\n' | nc 127.0.0.1 11211")).toBe(
      'STORED\r\nVALUE a 0 5\r\nhello\r\nEND\r\n',
    );
  }));
test('rabbitmq', () =>
  run('rabbitmq:3-management', '/var/lib/rabbitmq', {}, async ({ exec }) => {
    expect(await exec('rabbitmqadmin', 'declare', 'queue', 'name=jobs', 'durable=true')).toBe('queue declared\n');
    expect(await exec('rabbitmqadmin', 'publish', 'routing_key=jobs', 'payload=apple')).toBe('Message published\n');
    expect(await exec('rabbitmqctl', '-q', 'list_queues')).toBe('name\tmessages\njobs\t1\n');
    expect(await exec('rabbitmqadmin', 'get', 'queue=jobs', 'ackmode=ack_requeue_false')).toContain('| jobs        | apple   |');
    expect(await exec('rabbitmq-diagnostics', '-q', 'ping')).toBe('Ping succeeded\n');
  }));
test('httpd serves its directory', () =>
  run('httpd:2.4', '/unused', {}, async ({ get, exec, logs }) => {
    expect(await get('/')).toMatchObject({ status: 200, body: '<html><body><h1>It works!</h1></body></html>\n' });
    await exec('sh', '-c', 'echo hi > /usr/local/apache2/htdocs/a.txt');
    expect((await get('/a.txt')).body).toBe('hi\n');
    expect((await get('/none')).status).toBe(404);
    expect(logs().at(-1)).toContain('"GET /none HTTP/1.1" 404 196');
  }));
test('Fluent Bit prints what is appended', () =>
  run(
    'fluent/fluent-bit:3.0',
    '/unused',
    {
      command: [
        'sh',
        '-c',
        "printf '[INPUT]\\n Name tail\\n Path /tmp/a.log\\n Tag app\\n[OUTPUT]\\n Name stdout\\n Match *\\n' > /fluent-bit/etc/fluent-bit.conf; fluent-bit -c /fluent-bit/etc/fluent-bit.conf",
      ],
    },
    async ({ exec, wait, logs }) => {
      await exec('sh', '-c', 'echo one >> /tmp/a.log');
      await wait(3);
      expect(logs().at(-1)).toMatch(/^\[0\] app: \[\[2026-.* \{\}\], \{"log"=>"one"\}\]$/);
    },
  ));
test('python serves a directory', () =>
  run('python:3.12-slim', '/unused', { command: ['python3', '-m', 'http.server', '8080', '--directory', '/srv'] }, async ({ get, exec, logs }) => {
    await exec('sh', '-c', 'mkdir -p /srv; echo hi > /srv/a.txt');
    expect((await get(':8080/a.txt')).body).toBe('hi\n');
    expect((await get(':8080/')).body).toContain('<li><a href="a.txt">a.txt</a></li>');
    expect((await get(':8080/none')).status).toBe(404);
    expect(logs().at(-1)).toMatch(/^10\.[\d.]+ - - \[05\/Jan\/2026 08:00:\d\d\] "GET \/none HTTP\/1.1" 404 -$/);
  }));
test('redis survives with its directory', () =>
  run('redis:7', '/data', {}, async ({ exec, again }) => {
    await exec('redis-cli', 'SET', 'a', 'x');
    await again();
    expect(await exec('redis-cli', 'GET', 'a')).toBe('x\n');
    expect(await exec('redis-cli', 'CONFIG', 'GET', 'maxmemory-policy')).toBe('maxmemory-policy\nnoeviction\n');
  }));
test.each([
  ['gcr.io/google-samples/kubernetes-bootcamp:v1', ':8080/', 'Hello Kubernetes bootcamp! | Running on: web-1 | v=1\n'],
  ['gcr.io/google-samples/node-hello:1.0', ':8080/', 'Hello Kubernetes!'],
  ['gcr.io/google-samples/hello-go-gke:1.0', ':80/', '{"message":"Hello"}\n'],
])('%s answers', (image, path, body) => run(image, '/unused', {}, async ({ get }) => expect((await get(path)).body).toBe(body)));
