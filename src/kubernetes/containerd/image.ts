/**
 * Images: what a registry holds, and how references name it (distribution `reference/normalize.go`).
 *
 * An image here is a set of files and a table of programs: the TypeScript functions that stand in for
 * its binaries. To add one, build it with `defineImage` and hand it to `createContainerd` together with
 * the stock `images` of `images/images.ts`.
 */

import type { Program, Signal } from '../../linux/program.ts';
import { hash32 } from '../../sim/rng.ts';
import type { RegistryAuth } from '../kubelet/cri.ts';

export interface Image {
  /** Every reference it answers to, normalised: `docker.io/library/nginx:latest`. The first is its name in statuses. */
  readonly names: readonly string[];
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Compressed bytes, as a registry reports them. */
  readonly sizeBytes: number;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly files: Readonly<Record<string, string>>;
  /** The uid the image asks for; root when undefined. */
  readonly user?: number;
  /** Documentation only, as EXPOSE is. */
  readonly ports?: readonly number[];
  /** STOPSIGNAL of the Dockerfile; TERM when undefined. */
  readonly stopSignal?: Signal;
  /** What the program holds when it does nothing. */
  readonly idle: { readonly memoryBytes: number; readonly cpuMilli: number };
  /** Nobody here knows what it does: taken to exist, with a server that stands in (`images/assumed.ts`). */
  readonly assumed?: true;
  /** Its registry gives it to nobody else. */
  readonly access?: RegistryAuth;
  /** The program at an absolute path. */
  program(path: string): Program | undefined;
}

/** Images a registry holds that are not listed one by one: asked for when no listed one has the name. The same answer every time. */
export type ImageFamily = (reference: Reference) => Image | undefined;

export interface Registry {
  readonly images: readonly Image[];
  /** And what it holds besides. */
  readonly families: readonly ImageFamily[];
}

export interface ImageDefinition {
  /** Short or long: `nginx`, `nginx:1.27`, `registry.k8s.io/pause:3.10`. */
  readonly names: readonly string[];
  readonly sizeBytes: number;
  /** Absolute path → program. */
  readonly programs: Readonly<Record<string, Program>>;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly user?: number;
  readonly ports?: readonly number[];
  readonly stopSignal?: Signal;
  readonly idle?: { readonly memoryBytes: number; readonly cpuMilli: number };
}

export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Fills in what a Dockerfile would leave to its defaults. The digest is derived from the first name, so the same image has the same digest in every world. */
export function defineImage(definition: ImageDefinition): Image {
  const names = definition.names.map((name) => normaliseReference(name));
  const programs = new Map(Object.entries(definition.programs));
  return {
    names,
    digest: digestOf(names[0] ?? ''),
    sizeBytes: definition.sizeBytes,
    entrypoint: definition.entrypoint ?? [],
    cmd: definition.cmd ?? [],
    env: { PATH, ...definition.env },
    workingDir: definition.workingDir ?? '/',
    files: definition.files ?? {},
    ...(definition.user !== undefined && { user: definition.user }),
    ...(definition.ports && { ports: definition.ports }),
    ...(definition.stopSignal && { stopSignal: definition.stopSignal }),
    idle: definition.idle ?? { memoryBytes: 4 * 1024 * 1024, cpuMilli: 1 },
    program: (path) => programs.get(path),
  };
}

/** A digest that looks like one: eight hashes of the text, seeded differently. */
export function digestOf(text: string): string {
  let hex = '';
  for (let i = 0; i < 8; i++)
    hex += hash32(text, i * 0x1f123bb5)
      .toString(16)
      .padStart(8, '0');
  return `sha256:${hex}`;
}

/** A reference that is none. The message is distribution's, e.g. `invalid reference format`. */
export class InvalidReference extends Error {}

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

export interface Reference {
  /** `docker.io` */
  readonly domain: string;
  /** `library/nginx` */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Parses a reference, adding docker.io and library/ as Docker does. Throws InvalidReference. */
export function parseReference(text: string): Reference {
  let rest = text;
  let digest: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!/^sha256:[a-f0-9]{64}$/.test(digest)) throw new InvalidReference('invalid reference format');
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!/^\w[\w.-]{0,127}$/.test(tag)) throw new InvalidReference('invalid reference format');
  }
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  const domain = hasDomain ? (first === 'index.docker.io' ? 'docker.io' : first) : 'docker.io';
  let path = hasDomain ? rest.slice(slash + 1) : rest;
  if (domain === 'docker.io' && path !== '' && !path.includes('/')) path = `library/${path}`;
  if (path.toLowerCase() !== path) throw new InvalidReference(`invalid reference format: repository name (${path}) must be lowercase`);
  if (!REPOSITORY.test(path)) throw new InvalidReference('invalid reference format');
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** `nginx` → `docker.io/library/nginx:latest`. Throws InvalidReference. */
export function normaliseReference(text: string): string {
  const { domain, path, tag, digest } = parseReference(text);
  if (digest !== undefined) return `${domain}/${path}@${digest}`;
  return `${domain}/${path}:${tag ?? 'latest'}`;
}

/** `docker.io/library/nginx@sha256:…`: what a container status reports as imageID. */
export function imageId(image: Image, reference: string): string {
  const { domain, path } = parseReference(reference);
  return `${domain}/${path}@${image.digest}`;
}

/** The image a reference names, among those a registry holds. */
export function findImage(images: readonly Image[], reference: string, families: readonly ImageFamily[] = []): Image | undefined {
  const parsed = parseReference(reference);
  const { domain, path, digest } = parsed;
  if (digest === undefined) {
    const name = normaliseReference(reference);
    const listed = images.find((image) => image.names.includes(name));
    if (listed) return listed;
    for (const family of families) {
      const image = family(parsed);
      if (image) return image;
    }
    return undefined;
  }
  return images.find((image) => image.digest === digest && image.names.some((name) => name.startsWith(`${domain}/${path}:`)));
}

const REGISTRIES: readonly string[] = ['docker.io', 'registry.k8s.io', 'quay.io', 'gcr.io', 'ghcr.io', 'public.ecr.aws', 'mcr.microsoft.com'];

/**
 * What containerd says when a registry does not give the image (remotes/docker `resolver.go`, pull.go).
 * A gRPC code other than Unknown is part of the text; the kubelet strips only Unknown.
 */
export function pullFailure(images: readonly Image[], reference: string, families: readonly ImageFamily[] = []): string {
  const { domain, path, tag } = parseReference(reference);
  const name = normaliseReference(reference);
  const said = `failed to pull and unpack image "${name}": failed to resolve reference "${name}": `;
  const repositoryKnown =
    images.some((image) => image.names.some((known) => known.startsWith(`${domain}/${path}:`))) ||
    families.some((family) => family({ domain, path, tag: 'latest' }));
  if (repositoryKnown || domain === 'registry.k8s.io') return `rpc error: code = NotFound desc = ${said}${name}: not found`;
  if (domain === 'ghcr.io') {
    return `${said}failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3A${path.replaceAll('/', '%2F')}%3Apull&service=ghcr.io: 403 Forbidden`;
  }
  if (REGISTRIES.includes(domain) || images.some((image) => image.names.some((known) => known.startsWith(`${domain}/`)))) {
    return `${said}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`;
  }
  const host = domain.split(':')[0]!;
  return `${said}failed to do request: Head "https://${domain}/v2/${path}/manifests/${tag ?? 'latest'}": dial tcp: lookup ${host}: no such host`;
}

/**
 * What containerd says when a registry with passwords (basic authentication) gives the image to somebody else only;
 * undefined when it does give it (remotes/docker `authorizer.go`, `resolver.go`).
 */
export function accessFailure(reference: string, access: RegistryAuth, auth: RegistryAuth | undefined): string | undefined {
  if (auth && auth.username === access.username && auth.password === access.password) return undefined;
  const { domain, path, tag } = parseReference(reference);
  const name = normaliseReference(reference);
  const said = `failed to pull and unpack image "${name}": failed to resolve reference "${name}": `;
  if (!auth?.username || !auth.password)
    return `${said}pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`;
  return `${said}unexpected status from HEAD request to https://${domain}/v2/${path}/manifests/${tag ?? 'latest'}: 401 Unauthorized`;
}
