/**
 * Images nobody here has written a program for. Any well-formed reference to a public registry is taken to exist: it has
 * the usual tools, and whatever else it is told to run is a server that answers 200 on its container's ports. Such an
 * image is `assumed`, and the page says so.
 *
 * Not assumed: names without an owner that are no official image's (`ngimx`, most likely a slip of the fingers), registries nobody can
 * reach, and names that say of themselves that there is no such thing.
 */
import { defineImage, digestOf, type Image, normaliseReference, type Reference } from '../image.ts';
import { basePrograms, debianFiles } from './base.ts';
import { isKnown } from './official.ts';

const PUBLIC = new Set(['docker.io', 'gcr.io', 'ghcr.io', 'quay.io', 'public.ecr.aws', 'mcr.microsoft.com', 'docker.elastic.co', 'nvcr.io', 'lscr.io']);
const isPublic = (domain: string): boolean => PUBLIC.has(domain) || domain.endsWith('.gcr.io') || domain.endsWith('.pkg.dev');
/** Official images that exist, and are no more than assumed. */
const OFFICIAL = new Set(
  'adminer arangodb bonita caddy chronograf clojure consul couchbase couchdb drupal eclipse-mosquitto eclipse-temurin elasticsearch elixir erlang flink gcc ghost gradle groovy haproxy haskell influxdb jetty joomla kibana kong logstash maven mediawiki mongo-express nats neo4j nextcloud openjdk phpmyadmin php rust redmine registry solr sonarqube spark storm swift telegraf tomcat tomee traefik vault zookeeper'.split(
    ' ',
  ),
);
const NONE = /(^|[^a-z])(non-?existing|non-?existent|no-?such|does-?not-?exist|not-?found|missing|invalid|nope|typo|private)/;

const TOOLS = new Set(Object.keys(basePrograms).map((path) => path.slice(path.lastIndexOf('/') + 1)));
const known = new Map<string, Image>();

/** The image such a reference is taken to be; undefined when it is not. The same in every world. */
export function assumedImage({ domain, path, tag, digest }: Reference): Image | undefined {
  if (
    digest !== undefined ||
    !isPublic(domain) ||
    (domain === 'docker.io' && path.startsWith('library/') && !OFFICIAL.has(path.slice(8))) ||
    isKnown(domain, path) ||
    NONE.test(path)
  )
    return undefined;
  const name = normaliseReference(`${domain}/${path}${tag === undefined ? '' : `:${tag}`}`);
  return standIn(name);
}

/** An image whose program is a server that stands in for it. `name` is normalised. The same every time. */
export function standIn(name: string, access?: Image['access']): Image {
  const before = known.get(name);
  if (before) return before;
  const stands = async (self: Parameters<(typeof basePrograms)[string]>[0]): Promise<number> =>
    (await self.process.outside(import('./assumed-program.ts'))).assumed(name)(self);
  const base = defineImage({
    names: [name],
    // Between 20 and 148 MB, by the name.
    sizeBytes: 20_000_000 + (Number.parseInt(digestOf(name).slice(7, 14), 16) % 128_000_000),
    programs: basePrograms,
    entrypoint: ['/entrypoint'],
    files: debianFiles,
    idle: { memoryBytes: 24 * 1024 * 1024, cpuMilli: 1 },
  });
  const image: Image = {
    ...base,
    assumed: true,
    ...(access && { access }),
    program: (at) => base.program(at) ?? (TOOLS.has(at.slice(at.lastIndexOf('/') + 1)) || debianFiles[at] !== undefined ? undefined : stands),
  };
  known.set(name, image);
  return image;
}
