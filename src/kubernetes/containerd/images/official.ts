/**
 * Docker's official images and small images of tutorials, by repository: which releases there are, and what is in them.
 * `postgres:16-alpine` exists, `postgres:99` does not. Only this table is there at boot; `official-programs.ts` brings
 * each family of programs in when a container first runs one.
 *
 * Here simplified: the last release of each line is known and all before it are taken to exist.
 */
import type { Program, Signal } from '../../../linux/program.ts';
import { defineImage, digestOf, findImage, type Image, type ImageFamily, normaliseReference, type Reference } from '../image.ts';
import { basePrograms, debianFiles } from './base.ts';
import { nginxReleases } from './nginx.ts';

/**
 * Repository; last releases, newest first (with a letter: these tags and no others); how many numbers make a line;
 * variants; compressed MB; ports; programs; what it runs. Or, in place of the last three, the listed image it is like.
 */
type Row = readonly [string, string, number, string, number, string?, string?, string?];
const DEBIAN = 'alpine|bookworm|bullseye|slim|slim-bookworm|slim-bullseye';
const JAVA = 'jammy|noble|focal';
const BIN = '/usr/local/bin/';
const SAMPLES = 'gcr.io/google-samples/';

const ROWS: readonly Row[] = [
  ['httpd', '2.4.63', 2, DEBIAN, 58, '80', 'httpd-foreground,httpd', 'httpd-foreground'],
  [
    'postgres',
    '17.5 16.9 15.13 14.18 13.21 12.22 11.22 10.23 9.6.24',
    1,
    DEBIAN,
    154,
    '5432',
    'docker-entrypoint.sh,psql,pg_isready',
    'docker-entrypoint.sh postgres',
  ],
  ['mysql', '9.3.0 8.4.5 8.0.42 5.7.44 5.6.51', 2, 'oracle|debian', 233, '3306', 'docker-entrypoint.sh,mysql,mysqladmin', 'docker-entrypoint.sh mysqld'],
  [
    'mariadb',
    '11.8.2 11.7.2 11.4.7 11.2.6 10.11.13 10.6.22 10.5.29 10.4.34 10.3.39',
    2,
    JAVA,
    117,
    '3306',
    'docker-entrypoint.sh,mariadb,mariadb-admin,mysql,mysqladmin',
    'docker-entrypoint.sh mariadbd',
  ],
  [
    'mongo',
    '8.0.10 7.0.21 6.0.24 5.0.31 4.4.29 4.2.24 4.0.28 3.6.23 3.4.24 3.2.21',
    2,
    `${JAVA}|bionic|xenial`,
    290,
    '27017',
    'docker-entrypoint.sh,mongod,mongosh,mongo',
    'docker-entrypoint.sh mongod',
  ],
  ['memcached', '1.6.38 1.5.22 1.4.39', 2, DEBIAN, 32, '11211', 'memcached', 'memcached'],
  [
    'rabbitmq',
    '4.1.1 4.0.9 3.13.7 3.12.14 3.11.28 3.10.25 3.9.29 3.8.34 3.7.28',
    2,
    'management|alpine|management-alpine',
    104,
    '5672,15672',
    'docker-entrypoint.sh,rabbitmqctl,rabbitmq-diagnostics,rabbitmqadmin',
    'docker-entrypoint.sh rabbitmq-server',
  ],
  ['node', '24.2.0 23.11.1 22.16.0 21.7.3 20.19.2 18.20.8 16.20.2 14.21.3 12.22.12 10.24.1 8.17.0', 1, `${DEBIAN}|lts`, 380, '', 'node', 'node'],
  ['ruby', '3.4.4 3.3.8 3.2.8 3.1.7 3.0.7 2.7.8', 2, DEBIAN, 370, '', 'ruby', 'ruby'],
  ['golang', '1.24.4 1.23.10 1.22.12 1.21.13 1.20.14 1.19.13 1.18.10 1.17.13 1.16.15', 2, DEBIAN, 310, '', 'go', 'bash'],
  ['hello-world', 'latest linux', 1, '', 0.01, '', 'hello', 'hello'],
  ['fluentd', '1.18.0 1.17.1 1.16.8 1.15.3 1.14.6', 2, 'debian|debian-1|1', 75, '24224', 'fluentd', 'fluentd'],
  ['fluent/fluentd', '1.18.0 1.17.1 1.16.8 1.15.3 1.14.6', 2, 'debian|debian-1|1', 75, '24224', 'fluentd', 'fluentd'],
  [
    'fluent/fluent-bit',
    '4.0.3 3.2.10 3.1.10 3.0.7 2.2.3 2.1.10 2.0.14 1.9.10 1.8.15',
    2,
    'debug',
    35,
    '2020',
    'fluent-bit',
    'fluent-bit -c /fluent-bit/etc/fluent-bit.conf',
  ],
  ['registry.k8s.io/fluentd-gcp', '1.30 1.0', 1, '', 140, '', 'fluentd', 'fluentd'],
  ['quay.io/fluentd_elasticsearch/fluentd', 'v5.0.1 v4.7.2 v2.5.2', 1, '', 90, '', 'fluentd', 'fluentd'],
  ['redis', '8.0.2 7.4.4 7.2.9 7.0.15 6.2.18 6.0.20 5.0.14 4.0.14 3.2.12', 2, DEBIAN, 46, 'redis'],
  ['python', '3.13.5 3.12.11 3.11.13 3.10.18 3.9.23 3.8.20 3.7.17 3.6.15', 2, DEBIAN, 386, 'python'],
  ['perl', '5.42.0 5.40.2 5.38.4 5.36.3 5.34.3 5.32.1', 2, DEBIAN, 336, 'perl'],
  ['wordpress', '6.8.1 5.9.3 4.9.26', 1, 'apache|php8.2|php8.2-apache|php8.3|php8.3-apache', 240, 'wordpress'],
  ['busybox', '1.37.0 1.36.1 1.35.0 1.34.1 1.33.1 1.32.1 1.31.1 1.30.1 1.29.3 1.28.4 1.27.2', 2, 'glibc|musl|uclibc', 2, 'busybox'],
  ['alpine', '3.22.0 3.21.3 3.20.6 3.19.7 3.18.12 3.17.10 3.16.9 3.15.11 3.14.10 3.13.12 3.12.12', 2, '', 3.6, 'alpine'],
  ['debian', '12.11 11.11 10.13', 1, 'slim', 48, 'debian'],
  ['debian', 'bookworm bullseye bullseye-slim buster stable stable-slim stretch', 1, '', 48, 'debian'],
  ['ubuntu', '25.04 24.04 22.04 20.04 18.04 16.04 14.04', 2, '', 29, 'ubuntu'],
  ['ubuntu', 'noble jammy focal bionic xenial', 1, '', 29, 'ubuntu'],
  ['centos', 'latest 7 centos7 8 centos8', 1, '', 76, 'debian'],
  ['fedora', '42 41 40 39', 1, '', 60, 'debian'],
  ['amazonlinux', '2023 2', 1, '', 52, 'debian'],
  [`${SAMPLES}kubernetes-bootcamp`, 'v1', 1, '', 80, '8080', 'bootcamp', 'bootcamp'],
  ['jocatalin/kubernetes-bootcamp', 'v1 v2', 1, '', 80, '8080', 'bootcamp', 'bootcamp'],
  [`${SAMPLES}node-hello`, '1.0 2.0', 2, '', 250, '8080', 'node-hello', 'node-hello'],
  [`${SAMPLES}hello-go-gke`, '1.0', 2, '', 4, '80', 'hello-go', 'hello-go'],
  [`${SAMPLES}hello-frontend`, '1.0', 2, '', 44, '80', 'hello-frontend', 'hello-frontend'],
  [`${SAMPLES}gb-frontend`, 'v5 v6 v4 v3 latest', 1, '', 180, '80', 'gb-frontend', 'gb-frontend'],
  [`${SAMPLES}gb-redis-follower`, 'v1 v2 v3 latest', 1, '', 42, '6379', 'gb-redis-follower,redis-cli', 'gb-redis-follower'],
  [`${SAMPLES}gb-redisslave`, 'v1 v2 v3 latest', 1, '', 42, '6379', 'gb-redis-follower,redis-cli', 'gb-redis-follower'],
  ['registry.k8s.io/redis', 'e2e v1', 1, '', 42, 'redis'],
  ['registry.k8s.io/e2e-test-images/echoserver', '2.5 2.3', 2, '', 45, 'registry.k8s.io/echoserver:1.10'],
  ['registry.k8s.io/echoserver', '1.10', 2, '', 45, 'registry.k8s.io/echoserver:1.10'],
  ['registry.k8s.io/pause', '3.10', 1, '', 0.3, 'registry.k8s.io/pause:3.10'],
  ['registry.k8s.io/e2e-test-images/busybox', '1.29-4 1.29-2 1.36.1-1', 2, '', 0.7, 'busybox'],
  ['registry.k8s.io/e2e-test-images/agnhost', '2.55', 2, '', 51, 'registry.k8s.io/e2e-test-images/agnhost:2.55'],
  ['registry.k8s.io/serve_hostname', 'latest v1.4 1.1', 1, '', 2, '9376', 'serve-hostname', '!serve-hostname'],
  ['kicbase/echo-server', '1.0', 2, '', 2, '8080', 'echo-server', 'echo-server'],
  ['paulbouwer/hello-kubernetes', '1.10.1 1.9.1 1.8.0 1.7.0 1.5', 2, '', 45, '8080', 'hello-kubernetes', 'hello-kubernetes'],
  ['hashicorp/http-echo', '1.0.0 0.2.3', 2, 'alpine', 3, '5678', 'http-echo', '!http-echo'],
  ['traefik/whoami', 'v1.11.0 v1.10 v1.11 latest', 1, '', 3, '80', 'whoami', '!whoami'],
];

/** Files that programs find in their image. */
const FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'fluent/fluent-bit': { '/fluent-bit/etc/fluent-bit.conf': '[INPUT]\n    Name cpu\n    Tag cpu.local\n\n[OUTPUT]\n    Name stdout\n    Match *\n' },
  'fluent/fluentd': { '/fluentd/etc/fluent.conf': '<source>\n  @type forward\n  port 24224\n</source>\n<match **>\n  @type stdout\n</match>\n' },
  httpd: { '/usr/local/apache2/htdocs/index.html': '<html><body><h1>It works!</h1></body></html>\n' },
};
const WORKING: Readonly<Record<string, string>> = { httpd: '/usr/local/apache2', redis: '/data', golang: '/go' };
const ENV: Readonly<Record<string, readonly string[]>> = {
  postgres: ['PG_VERSION', 'PGDATA=/var/lib/postgresql/data'],
  httpd: ['HTTPD_VERSION'],
  mysql: ['MYSQL_VERSION'],
  mariadb: ['MARIADB_VERSION'],
  rabbitmq: ['RABBITMQ_VERSION'],
  node: ['NODE_VERSION'],
  golang: ['GOLANG_VERSION'],
};
const STOP: Readonly<Record<string, Signal>> = { httpd: 'WINCH', postgres: 'INT' };

/** Names under which a registry gives out what is another's. */
const ALIASES: readonly (readonly [string, string])[] = [
  ['k8s.gcr.io/', 'registry.k8s.io/'],
  ['gcr.io/google_containers/', 'registry.k8s.io/'],
  ['gcr.io/google-containers/', 'registry.k8s.io/'],
  ['gcr.io/google_samples/', SAMPLES],
  ['us-docker.pkg.dev/google-samples/containers/gke/', SAMPLES],
  ['mirror.gcr.io/library/', 'docker.io/library/'],
  ['public.ecr.aws/docker/library/', 'docker.io/library/'],
];

const canonical = (asked: string): string => {
  const alias = ALIASES.find(([from]) => asked.startsWith(from));
  return alias ? alias[1] + asked.slice(alias[0].length) : asked;
};

const lazy =
  (repository: string, name: string, version: string): Program =>
  async (self) =>
    (await (await self.process.outside(import('./official-programs.ts'))).program(self.process, repository, name, version))(self);

/** The release a tag means, and its variant; undefined when there is none. */
export function releaseOf(versions: string, line: number, variants: string, tag: string): { readonly version: string; readonly variant: string } | undefined {
  const all = versions.split(' ');
  if (/[a-z]/.test(versions) || all.some((each) => each.includes('-'))) return all.includes(tag) ? { version: tag.replace(/^v/, ''), variant: '' } : undefined;
  if (tag === 'latest') return { version: all[0]!, variant: '' };
  const [, given = '', variant = ''] = /^v?([\d.]*\d)?(?:-?([a-z].*))?$/.exec(tag) ?? [tag, ''];
  if (given === '' && variant === '') return undefined;
  if (variant !== '' && !new RegExp(`^(?:${variants || 'latest'})[\\d.]*$`).test(variant)) return undefined;
  if (given === '') return { version: all[0]!, variant };
  const asked = given.split('.').map(Number);
  for (const each of all) {
    const last = each.split('.').map(Number);
    if (asked.length > last.length || !asked.slice(0, line).every((number, i) => number === last[i])) continue;
    const rest = asked.slice(line).findIndex((number, i) => number !== last[line + i]);
    if (rest < 0) return { version: each, variant };
    if (asked[line + rest]! > last[line + rest]!) continue;
    // A release before the last of its line; what it leaves out is 0.
    return { version: last.map((_, i) => asked[i] ?? 0).join('.'), variant };
  }
  return undefined;
}

const full = (repository: string): string => {
  const slash = repository.indexOf('/');
  return slash < 0 ? `docker.io/library/${repository}` : repository.slice(0, slash).includes('.') ? repository : `docker.io/${repository}`;
};

/** The family, given what is listed one by one. */
export function officialReleases(listed: readonly Image[]): ImageFamily {
  const known = new Map<string, Image | undefined>();
  const make = (repository: string, tag: string, name: string): Image | undefined => {
    for (const [short, versions, line, variants, megabytes, ports = '', programs, command] of ROWS) {
      if (full(short) !== repository) continue;
      const release = releaseOf(versions, line, variants, tag);
      if (!release) continue;
      const { version, variant } = release;
      const sizeBytes = Math.round(megabytes * 1_000_000 * (variant.includes('alpine') || variant.includes('slim') ? 0.4 : 1));
      if (programs === undefined || command === undefined) {
        const image = findImage(listed, ports);
        return image && { ...image, names: [name], digest: digestOf(name), sizeBytes };
      }
      const words = command.replace(/^!/, '').split(' ');
      const paths = Object.fromEntries(programs.split(',').map((each) => [BIN + each, lazy(short, each, version)]));
      const entry = command.startsWith('!') || words[0] === 'docker-entrypoint.sh' ? [command.startsWith('!') ? BIN + words[0] : words[0]!] : [];
      const stopSignal = STOP[short];
      return defineImage({
        names: [name],
        sizeBytes,
        programs: { ...basePrograms, ...paths },
        entrypoint: entry,
        cmd: entry.length > 0 ? words.slice(1) : words,
        env: {
          ...Object.fromEntries((ENV[short] ?? []).map((each) => (each.includes('=') ? each.split('=') : [each, version]) as [string, string])),
          ...(variant.startsWith('management') && { RABBITMQ_MANAGEMENT: 'true' }),
        },
        files: { ...debianFiles, ...FILES[short] },
        ...(WORKING[short] && { workingDir: WORKING[short] }),
        ...(ports !== '' && { ports: ports.split(',').map(Number) }),
        ...(stopSignal && { stopSignal }),
        idle: { memoryBytes: Math.round(megabytes * 200_000) + 2_000_000, cpuMilli: 1 },
      });
    }
    return undefined;
  };
  return ({ domain, path, tag = 'latest', digest }: Reference): Image | undefined => {
    if (digest !== undefined) return undefined;
    const asked = `${domain}/${path}`;
    const name = normaliseReference(`${asked}:${tag}`);
    if (known.has(name)) return known.get(name);
    const repository = canonical(asked);
    let image = make(repository, tag, name);
    if (!image && repository !== asked) {
      image = findImage(listed, `${repository}:${tag}`, [nginxReleases]);
      image &&= { ...image, names: [name] };
    }
    known.set(name, image);
    return image;
  };
}

/** Whether these are repositories whose releases are known: a tag that is not there is an error, and nothing to assume. */
export const isKnown = (domain: string, path: string): boolean =>
  domain === 'k8s.gcr.io' || ROWS.some(([short]) => full(short) === canonical(`${domain}/${path}`));
