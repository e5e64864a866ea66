/** The stations in words: their names on the rail, and the question each of them answers. */
import type { JourneyStage, StageId } from '../../hosts/protocol.ts';
import type { Status } from '../look/glyphs.ts';

interface Words {
  readonly label: string;
  readonly about: string;
  /** The territory it lies in. */
  readonly land: 'Client' | 'API server' | 'etcd' | 'Cluster';
}
export const STAGE_WORDS: Readonly<Record<StageId, Words>> = {
  client: { label: 'Client', land: 'Client', about: 'Somebody asks the API server for something.' },
  authn: { label: 'AuthN', land: 'API server', about: 'Who is asking? A certificate or a token says it; without one it is system:anonymous.' },
  audit: { label: 'Audit', land: 'API server', about: 'How much of this request is written to the audit log.' },
  impersonate: { label: 'Imperson\u00adation', land: 'API server', about: 'Does the caller act as somebody else, and may they?' },
  apf: { label: 'APF', land: 'API server', about: 'API priority and fairness: which flow the request belongs to, and whether there is a seat for it.' },
  authz: { label: 'AuthZ', land: 'API server', about: 'May this user do this, here? Rules only ever allow; what none allows is refused.' },
  decode: { label: 'Decode, Default', land: 'API server', about: 'The body becomes an object, and what it leaves out gets the defaults of its kind.' },
  mutate: { label: 'Mutating', land: 'API server', about: 'Admission plugins and webhooks may change the object.' },
  validate: { label: 'Valida\u00adtion', land: 'API server', about: 'Is every field of the object valid for its kind?' },
  admit: { label: 'Validating', land: 'API server', about: 'Admission plugins and webhooks may still refuse; nothing is changed any more.' },
  etcd: { label: 'etcd txn', land: 'etcd', about: 'The API server hands the write to a member of etcd: only if the key is still as it was.' },
  raft: { label: 'Raft', land: 'etcd', about: 'The leader sends the entry to the others. Once a majority has it on disk, it is committed.' },
  apply: { label: 'Apply', land: 'etcd', about: 'The committed entry is carried out: the key has a new revision.' },
  cache: { label: 'Watch cache', land: 'Cluster', about: 'The API server’s own copy of etcd takes in the change.' },
  watchers: { label: 'Watchers', land: 'Cluster', about: 'Everybody who watches such objects is told. What they do about it is below.' },
};

export const STATE_WORDS: Readonly<Record<JourneyStage['state'], string>> = {
  passed: 'passed',
  none: 'no business here',
  stopped: 'refused here',
  waiting: 'waits here',
  ahead: 'not reached',
};

/** A request's outcome as one of the six statuses. */
export const outcomeOf = (code: number | undefined): Status => (code === undefined ? 1 : code >= 400 ? 3 : 0);

const CODES: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };
export const codeText = (code: number | undefined, reason?: string): string =>
  code === undefined ? 'under way' : `${code} ${reason ?? CODES[code] ?? ''}`.trim();

/** `254 µs`, `2.26 ms`, `1.3 s`. */
export function microsText(micros: number): string {
  if (micros < 1_000) return `${micros} µs`;
  if (micros < 1_000_000) return `${(micros / 1_000).toFixed(micros < 10_000 ? 2 : 1)} ms`;
  return `${(micros / 1_000_000).toFixed(micros < 10_000_000 ? 2 : 1)} s`;
}

/** `Deployment/default/web` reads as `Deployment default/web`. */
export const nameText = (about: string): string => {
  const slash = about.indexOf('/');
  return slash < 0 ? about : `${about.slice(0, slash)} ${about.slice(slash + 1)}`;
};
export const plainLabel = (id: StageId): string => STAGE_WORDS[id].label.replaceAll('\u00ad', '');
