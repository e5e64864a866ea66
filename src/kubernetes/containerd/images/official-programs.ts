/** Which program of which file each binary of `official.ts` is. Every family is a file of its own, brought in when one of it runs. */
import type { Program } from '../../../linux/program.ts';
import type { Process } from '../../../sim/process.ts';

type Programs = Readonly<Record<string, Program>>;
type Load = (version: string) => Promise<Programs>;

const postgres: Load = async (version) => {
  const all = await import('./postgres-program.ts');
  return { 'docker-entrypoint.sh': entrypoint('postgres', all.postgresServer(version)), psql: all.psql, pg_isready: all.pgIsReady };
};
const sql =
  (brand: 'MySQL' | 'MariaDB'): Load =>
  async (version) => {
    const all = await import('./mysql-program.ts');
    const server = brand === 'MySQL' ? 'mysqld' : 'mariadbd';
    return {
      'docker-entrypoint.sh': entrypoint(server, all.mysqlServer(version, brand)),
      mysql: all.mysqlClient,
      mariadb: all.mysqlClient,
      mysqladmin: all.mysqlAdmin,
      'mariadb-admin': all.mysqlAdmin,
    };
  };
const fluent: Load = async (version) => {
  const all = await import('./fluent-program.ts');
  return { fluentd: all.fluentd(version), 'fluent-bit': all.fluentBit(version) };
};
const languages: Load = async (version) => {
  const all = await import('./languages-program.ts');
  return { node: all.node(version), ruby: all.ruby(version), go: all.go(version) };
};
const guestbook: Load = async (version) => {
  const [all, redis] = await Promise.all([import('./guestbook-program.ts'), import('./redis-program.ts')]);
  // run.sh: a replica of the leader, found as the frontend finds it.
  const follower: Program = (self) => {
    const leader = /^v?[123]$/.test(version) && self.env['REDIS_MASTER_SERVICE_HOST'] !== undefined ? 'redis-master' : 'redis-leader';
    const host = self.env['GET_HOSTS_FROM'] === 'env' ? (self.env[`${leader.toUpperCase().replace('-', '_')}_SERVICE_HOST`] ?? leader) : leader;
    return redis.redisServer({ ...self, argv: ['redis-server', '--replicaof', host, '6379'] });
  };
  return { 'gb-frontend': all.guestbook(version === '3' || version === '4'), 'gb-redis-follower': follower, 'redis-cli': redis.redisCli };
};
const samples: Load = async (version) => {
  const all = await import('./web-samples-program.ts');
  return {
    bootcamp: all.bootcamp(version),
    'node-hello': all.nodeHello,
    'hello-go': all.helloGo,
    'hello-frontend': all.helloFrontend,
    'echo-server': all.echoServer,
    'hello-kubernetes': all.helloKubernetes,
    'http-echo': all.httpEcho,
    'serve-hostname': all.serveHostname,
    whoami: all.whoami,
    hello: async (self) => {
      self.stdout('\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n');
      return 0;
    },
  };
};

const LOADS: Readonly<Record<string, Load>> = {
  postgres,
  mysql: sql('MySQL'),
  mariadb: sql('MariaDB'),
  httpd: async (version) => {
    const program = (await import('./httpd-program.ts')).httpd(version);
    return { 'httpd-foreground': program, httpd: program };
  },
  mongo: async (version) => {
    const all = await import('./mongo-program.ts');
    const server = all.mongod(version);
    return { 'docker-entrypoint.sh': entrypoint('mongod', server), mongod: server, mongosh: all.mongosh, mongo: all.mongosh };
  },
  memcached: async (version) => ({ memcached: (await import('./memcached-program.ts')).memcached(version) }),
  rabbitmq: async (version) => {
    const all = await import('./rabbitmq-program.ts');
    return {
      'docker-entrypoint.sh': entrypoint('rabbitmq-server', all.rabbitmqServer(version)),
      rabbitmqctl: all.rabbitmqTool,
      'rabbitmq-diagnostics': all.rabbitmqTool,
      rabbitmqadmin: all.rabbitmqTool,
    };
  },
  node: languages,
  ruby: languages,
  golang: languages,
};

/** `exec "$@"`: the server, or whatever else it is told to run. */
const entrypoint =
  (name: string, server: Program): Program =>
  async (self) => {
    const [, first = name] = self.argv;
    if (first === name || first.startsWith('-')) return server({ ...self, argv: first === name ? self.argv.slice(1) : [name, ...self.argv.slice(1)] });
    return self.run(self.argv.slice(1));
  };

/** The program called `name` in a release of a repository. */
export async function program(process: Process, repository: string, name: string, version: string): Promise<Program> {
  const load = LOADS[repository] ?? (repository.includes('fluent') ? fluent : repository.includes('/gb-') ? guestbook : samples);
  const found = (await process.outside(load(version)))[name];
  if (!found) throw new Error(`no program ${name} in ${repository}`);
  return found;
}
