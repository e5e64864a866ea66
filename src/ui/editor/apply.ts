/**
 * Apply, as `kubectl apply` does it but with a rehearsal: every document is first sent with `dryRun=All`, and only when
 * the API server would take all of them are they applied, in order. Pure but for the `request` it is given.
 */
import type { Status } from '../../kubernetes/api/request.ts';
import type { Manifest } from './manifest.ts';
import { fieldsInMessage } from './place.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}
export type Send = (request: {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}) => Promise<Answer>;
/** What knows the manifests' contents: the reader, beyond a worker. */
export interface Contents {
  patch(id: number, current: string): Promise<string>;
  lineOfField(id: number, field: string): Promise<number>;
}

export interface Note {
  readonly line: number;
  readonly text: string;
}
export interface Result {
  readonly manifest: Manifest;
  readonly what: 'created' | 'configured' | 'unchanged' | 'refused' | 'not tried';
  /** `422 Invalid`. */
  readonly code?: string;
  /** One for each cause, each at its line; for a success the API's warnings. */
  readonly notes: readonly Note[];
}
export interface Report {
  /** Whether anything was really sent: false when the rehearsal failed. */
  readonly applied: boolean;
  readonly stopped: boolean;
  readonly results: readonly Result[];
}
export interface Progress {
  readonly phase: 'checking' | 'applying';
  readonly done: number;
  readonly of: number;
}

const PARAMETERS = 'fieldManager=kubectl-client-side-apply&fieldValidation=Strict';
/** Requests under way at once while rehearsing. */
const WINDOW = 32;

export async function applyAll(
  manifests: readonly Manifest[],
  send: Send,
  contents: Contents,
  onProgress: (progress: Progress) => void,
  stopped: () => boolean,
): Promise<Report> {
  const rehearsed: (Rehearsal | undefined)[] = manifests.map(() => undefined);
  const comingNamespaces = new Set(manifests.filter((one) => one.kind === 'Namespace').map((one) => one.name));
  let next = 0;
  let done = 0;
  const rehearse = async (): Promise<void> => {
    while (next < manifests.length && !stopped()) {
      const at = next++;
      rehearsed[at] = await rehearseOne(manifests[at]!, send, contents, comingNamespaces);
      onProgress({ phase: 'checking', done: ++done, of: manifests.length });
    }
  };
  onProgress({ phase: 'checking', done: 0, of: manifests.length });
  await Promise.all(Array.from({ length: Math.min(WINDOW, manifests.length) }, rehearse));
  const refused = rehearsed.some((one) => one?.result.what === 'refused');
  if (refused || stopped()) {
    return {
      applied: false,
      stopped: stopped(),
      results: manifests.map((manifest, i) => (rehearsed[i]?.result.what === 'refused' ? rehearsed[i].result : { manifest, what: 'not tried', notes: [] })),
    };
  }
  const results: Result[] = [];
  while (results.length < manifests.length) {
    const from = results.length;
    const batch = neighbours(manifests, from);
    results.push(
      ...(await Promise.all(
        batch.map((manifest, i): Promise<Result> | Result =>
          stopped() ? { manifest, what: 'not tried', notes: [] } : applyOne(manifest, send, contents, '', rehearsed[from + i]!.exists),
        ),
      )),
    );
    onProgress({ phase: 'applying', done: results.length, of: manifests.length });
  }
  return { applied: true, stopped: results.some((one) => one.what === 'not tried'), results };
}

/** Documents next to each other that cannot depend on one another may be under way at once: those of one kind, with different names. */
function neighbours(manifests: readonly Manifest[], from: number): readonly Manifest[] {
  const { kind } = manifests[from]!;
  const paths = new Set<string>();
  let to = from;
  for (; to < manifests.length && to - from < WINDOW; to++) {
    const next = manifests[to]!;
    if (next.kind !== kind || paths.has(next.path)) break;
    paths.add(next.path);
  }
  return manifests.slice(from, to);
}

interface Rehearsal {
  readonly result: Result;
  readonly exists: boolean;
}
async function rehearseOne(manifest: Manifest, send: Send, contents: Contents, comingNamespaces: ReadonlySet<string>): Promise<Rehearsal> {
  let exists: boolean;
  try {
    const found = await send({ method: 'GET', url: manifest.path, headers: { accept: 'application/json' } });
    exists = found.status < 300;
  } catch (error) {
    return { result: unanswered(manifest, error), exists: false };
  }
  const result = await applyOne(manifest, send, contents, '&dryRun=All', exists);
  // Its namespace is made by an earlier or later document of the same text: a rehearsal cannot see it.
  const missing = result.what === 'refused' && result.code?.startsWith('404') && comingNamespaces.has(manifest.namespace);
  return { result: missing ? { manifest, what: 'created', notes: [] } : result, exists };
}

async function applyOne(manifest: Manifest, send: Send, contents: Contents, extra: string, exists: boolean): Promise<Result> {
  try {
    if (!exists) {
      const answer = await send({
        method: 'POST',
        url: `${manifest.collection}?${PARAMETERS}${extra}`,
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: manifest.body,
      });
      if (answer.status < 300) return { manifest, what: 'created', notes: warnings(manifest, answer) };
      if (answer.status !== 409 || statusOf(answer)?.reason !== 'AlreadyExists') return await refusal(manifest, answer, contents);
    }
    const found = await send({ method: 'GET', url: manifest.path, headers: { accept: 'application/json' } });
    if (found.status >= 300) return await refusal(manifest, found, contents);
    const patch = await contents.patch(manifest.id, found.text);
    if (patch === '{}') return { manifest, what: 'unchanged', notes: [] };
    const answer = await send({
      method: 'PATCH',
      url: `${manifest.path}?${PARAMETERS}${extra}`,
      headers: { accept: 'application/json', 'content-type': 'application/strategic-merge-patch+json' },
      body: patch,
    });
    if (answer.status >= 300) return await refusal(manifest, answer, contents);
    return { manifest, what: versionOf(answer.text) === versionOf(found.text) ? 'unchanged' : 'configured', notes: warnings(manifest, answer) };
  } catch (error) {
    return unanswered(manifest, error);
  }
}

const unanswered = (manifest: Manifest, error: unknown): Result => ({
  manifest,
  what: 'refused',
  code: 'no answer',
  notes: [{ line: manifest.line, text: error instanceof Error ? error.message : String(error) }],
});

const versionOf = (text: string): string | undefined => /"resourceVersion":"(\d+)"/.exec(text)?.[1];

const warnings = (manifest: Manifest, answer: Answer): Note[] =>
  [...(answer.headers['warning'] ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => ({
    line: manifest.line,
    text: `Warning: ${match[1]!.replace(/\\(.)/g, '$1')}`,
  }));

function statusOf(answer: Answer): Partial<Status> | undefined {
  try {
    return JSON.parse(answer.text) as Partial<Status>;
  } catch {
    return undefined;
  }
}

/** A refusal in the API's own words, each cause at the line it speaks of. */
async function refusal(manifest: Manifest, answer: Answer, contents: Contents): Promise<Result> {
  const status = statusOf(answer);
  const message = status?.message || answer.text || `HTTP ${answer.status}`;
  const code = `${answer.status}${status?.reason ? ` ${status.reason}` : ''}`;
  const causes = (status?.details?.causes ?? []).filter((cause) => cause.field);
  const notes: Note[] = [];
  for (const cause of causes)
    notes.push({ line: await contents.lineOfField(manifest.id, cause.field!), text: `${cause.field}: ${cause.message ?? cause.reason ?? message}` });
  if (notes.length === 0) {
    const [field] = status?.details?.kind === 'namespaces' ? ['metadata.namespace'] : fieldsInMessage(message);
    notes.push({ line: field === undefined ? manifest.line : await contents.lineOfField(manifest.id, field), text: message });
    for (const other of fieldsInMessage(message).slice(1))
      notes.push({ line: await contents.lineOfField(manifest.id, other), text: `unknown or duplicate field "${other}"` });
  }
  return { manifest, what: 'refused', code, notes: notes.sort((a, b) => a.line - b.line) };
}
