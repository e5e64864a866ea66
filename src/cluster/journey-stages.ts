/** The stations of one request, from its own facts: which it passed and when, what was stamped there, and where it stopped. */
import { type JourneyChange, type JourneyPolicy, type JourneyStage, STAGES, type StageId } from '../hosts/protocol.ts';
import type { Instant } from '../sim/clock.ts';
import type { Fact } from '../sim/trace.ts';

interface Around {
  /** Changes of role among etcd's members since the request. */
  readonly elections: readonly Fact[];
  /** The first fact of the first who acted on the change. */
  readonly acted: Fact | undefined;
  readonly actors: number;
}
type Note = JourneyStage['notes'][number];
interface Draft {
  at?: Instant | undefined;
  by?: string;
  stamp?: string;
  /** Passed, or has no business here; undefined: not reached. */
  state?: 'passed' | 'none';
  notes?: Note[];
  policies?: JourneyPolicy[];
  changes?: JourneyChange[];
}

const READS = new Set(['get', 'list', 'watch']);

export function stagesOf(request: Fact, facts: readonly Fact[], around: Around): { readonly stages: readonly JourneyStage[]; readonly stage: StageId } {
  const span = new Span(request, facts);
  const answer = span.last('api.response');
  const code = answer ? Number(answer.data['code']) : undefined;
  const drafts = draftsOf(span, around, code);
  const refused = code !== undefined && code >= 400;
  const stop = refused ? stoppedAt(span, code) : undefined;
  // What nobody has answered yet stands at the first station it has still to pass.
  const waits = answer ? undefined : STAGES.find((id) => drafts[id].state === undefined);
  const stage = stop ?? waits ?? lastWhere(STAGES, (id) => drafts[id].state === 'passed') ?? 'client';
  const end = STAGES.indexOf(stage);
  let before: Instant | undefined;
  const stages = STAGES.map((id, i): JourneyStage => {
    const draft = drafts[id];
    const state = id === stop ? 'stopped' : id === waits ? 'waiting' : (stop || waits) && i > end ? 'ahead' : (draft.state ?? (i > end ? 'ahead' : 'none'));
    const at = state === 'passed' ? draft.at : id === stop ? answer?.at : undefined;
    const took = at !== undefined && before !== undefined ? Math.max(0, at - before) : undefined;
    if (at !== undefined) before = at;
    const notes = id === stop && answer ? [...refusalNotes(span, answer), ...(draft.notes ?? [])] : (draft.notes ?? []);
    return {
      id,
      state,
      ...(at === undefined ? {} : { at }),
      ...(took === undefined ? {} : { took }),
      by: draft.by ?? (state === 'ahead' || state === 'none' ? '' : request.by),
      stamp: id === stop && answer ? refusalStamp(answer) : state === 'waiting' ? (draft.stamp ?? 'waiting') : state === 'ahead' ? '' : (draft.stamp ?? ''),
      notes,
      policies: [...(draft.policies ?? []), ...(id === stop ? refusingPolicies(span) : [])],
      changes: draft.changes ?? [],
    };
  });
  return { stages, stage };
}

/** A request's facts by type. */
class Span {
  constructor(
    readonly request: Fact,
    readonly facts: readonly Fact[],
  ) {}
  last(type: string): Fact | undefined {
    return lastWhere(this.facts, (fact) => fact.type === type);
  }
  first(type: string): Fact | undefined {
    return this.facts.find((fact) => fact.type === type);
  }
  all(type: string): readonly Fact[] {
    return this.facts.filter((fact) => fact.type === type);
  }
  get verb(): string {
    return String(this.request.data['verb']);
  }
}

/** The last that passes the test. */
export function lastWhere<T>(all: readonly T[], passes: (each: T) => boolean): T | undefined {
  for (let i = all.length - 1; i >= 0; i--) if (passes(all[i]!)) return all[i];
  return undefined;
}

const text = (fact: Fact | undefined, field: string): string => (fact?.data[field] === undefined ? '' : String(fact.data[field]));
const note = (label: string, value: string): Note => ({ label, text: value });

function draftsOf(span: Span, around: Around, code: number | undefined): Record<StageId, Draft> {
  const { request, verb } = span;
  const reads = READS.has(verb);
  const began = (request.data['began'] as Instant | undefined) ?? request.at;
  const authn = span.last('api.authn');
  const audit = span.last('api.audit');
  const borrowed = span.last('api.impersonate');
  const apf = span.last('api.apf');
  const authz = span.last('api.authz');
  const decode = span.last('api.decode');
  const mutate = span.last('api.mutate');
  const validate = span.last('api.validate');
  const admit = span.last('api.admit');
  const beyond = authz !== undefined;
  const succeeded = code !== undefined && code < 400;
  const body = !reads && verb !== 'delete' && verb !== 'deletecollection';
  const none = (stamp = ''): Draft => ({ state: 'none', stamp });
  return {
    client: {
      state: 'passed',
      at: began,
      by: text(request, 'user') || 'somebody',
      stamp: text(request, 'user') || 'no name',
      notes: [note('Request', `${text(request, 'method')} ${text(request, 'path')}`)],
    },
    authn: authn
      ? {
          state: 'passed',
          at: authn.at,
          stamp: text(authn, 'user'),
          notes: [note('User', text(authn, 'user')), note('Groups', (authn.data['groups'] as readonly string[]).join(', '))],
        }
      : {},
    audit: audit
      ? { state: 'passed', at: audit.at, stamp: text(audit, 'level'), notes: [note('Level', text(audit, 'level'))] }
      : authn
        ? none('not audited')
        : {},
    impersonate: borrowed
      ? {
          state: 'passed',
          at: borrowed.at,
          stamp: `as ${text(borrowed, 'user')}`,
          notes: [note('Acts as', text(borrowed, 'user')), note('Groups', ((borrowed.data['groups'] as readonly string[] | undefined) ?? []).join(', '))],
        }
      : authn
        ? none('as themselves')
        : {},
    apf: apf ? apfDraft(apf) : authz ? none('not counted') : {},
    authz: authz ? authzDraft(authz) : {},
    decode: decode
      ? { state: 'passed', at: decode.at, stamp: countText(decode, 'default'), changes: changesOf('What was sent, and with the defaults of its kind', decode) }
      : mutate
        ? { state: 'passed', at: mutate.at, stamp: 'as sent' }
        : beyond && !body
          ? none()
          : {},
    mutate: mutate ? mutateDraft(span, mutate) : beyond && !body ? none() : {},
    validate: validate ? { state: 'passed', at: validate.at, stamp: 'valid' } : beyond && !body ? none() : {},
    admit: admit ? admitDraft(span, admit) : beyond && reads ? none() : {},
    ...storeDrafts(span, around, reads, succeeded),
  };
}

function apfDraft(apf: Fact): Draft {
  const waited = Number(apf.data['waited'] ?? 0);
  const schema = text(apf, 'schema');
  const level = text(apf, 'level');
  const url = (plural: string, name: string) => `/apis/flowcontrol.apiserver.k8s.io/v1/${plural}/${name}`;
  return {
    state: 'passed',
    at: apf.at,
    stamp: level,
    notes: [note('Flow schema', schema), note('Priority level', level), ...(waited > 0 ? [note('Waited for a seat', `${waited} µs`)] : [])],
    policies: [
      { kind: 'FlowSchema', name: schema, url: url('flowschemas', schema) },
      { kind: 'PriorityLevelConfiguration', name: level, url: url('prioritylevelconfigurations', level) },
    ],
  };
}

/** `RBAC: allowed by RoleBinding "edit/default" of ClusterRole "edit" to User "ann"`. */
const GRANT = /allowed by (ClusterRoleBinding|RoleBinding) "([^"]+)" of (ClusterRole|Role) "([^"]+)" to (.+)$/;

function authzDraft(authz: Fact): Draft {
  const reason = text(authz, 'reason');
  const grant = GRANT.exec(reason);
  if (!grant)
    return {
      state: 'passed',
      at: authz.at,
      stamp: reason ? 'allowed' : 'system:masters',
      notes: [note('Reason', reason || 'Whoever is in system:masters may do everything; no rule is asked.')],
    };
  const [, bindingKind = '', bound = '', roleKind = '', role = '', whom = ''] = grant;
  const [binding = '', namespace = ''] = bound.split('/');
  const url = (kind: string, name: string) =>
    `/apis/rbac.authorization.k8s.io/v1/${kind.startsWith('Cluster') ? '' : `namespaces/${namespace}/`}${kind.toLowerCase()}s/${name}`;
  return {
    state: 'passed',
    at: authz.at,
    stamp: `${bindingKind === 'RoleBinding' ? 'rolebinding' : 'clusterrolebinding'}/${binding}`,
    notes: [note('Allowed by', `${bindingKind} ${binding}`), note('Gives', `${roleKind} ${role}`), note('To', whom.replaceAll('"', ''))],
    policies: [
      { kind: bindingKind, name: bound, url: url(bindingKind, binding) },
      { kind: roleKind, name: role, url: url(roleKind, role) },
    ],
  };
}

function mutateDraft(span: Span, mutate: Fact): Draft {
  const plugins = (mutate.data['plugins'] as readonly string[] | undefined) ?? [];
  const hooks = hooksOf(span, 'mutate');
  const who = [...new Set(plugins)];
  return {
    state: 'passed',
    at: mutate.at,
    stamp: who.length === 0 ? 'unchanged' : countText(mutate, 'change'),
    notes: [...(who.length > 0 ? [note('Changed by', who.join(', '))] : []), ...hooks.notes],
    policies: hooks.policies,
    changes: changesOf('What mutating admission made of it', mutate),
  };
}

function admitDraft(span: Span, admit: Fact): Draft {
  const hooks = hooksOf(span, 'validate');
  const policies = span.all('api.policy');
  return {
    state: 'passed',
    at: admit.at,
    stamp: 'admitted',
    notes: [...hooks.notes, ...policies.map((fact) => note('Policy', `${text(fact, 'policy')}: allowed`))],
    policies: [...hooks.policies, ...policies.map((fact) => policyRef('ValidatingAdmissionPolicy', text(fact, 'policy')))],
  };
}

const policyRef = (kind: string, name: string): JourneyPolicy => ({
  kind,
  name,
  url: `/apis/admissionregistration.k8s.io/v1/${kind === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : `${kind.toLowerCase()}s`}/${name}`,
});

function hooksOf(span: Span, phase: 'mutate' | 'validate'): { notes: Note[]; policies: JourneyPolicy[] } {
  const asked = span.all('api.webhook').filter((fact) => fact.data['phase'] === phase);
  return {
    notes: asked.map((fact) => note('Webhook', `${text(fact, 'webhook')}: ${text(fact, 'outcome')} in ${text(fact, 'took')} µs`)),
    policies: asked.map((fact) =>
      policyRef(phase === 'mutate' ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration', text(fact, 'configuration')),
    ),
  };
}

/** etcd, Raft, and the way back out to whoever watches. */
function storeDrafts(span: Span, around: Around, reads: boolean, succeeded: boolean): Record<'etcd' | 'raft' | 'apply' | 'cache' | 'watchers', Draft> {
  const read = span.last('api.read');
  const propose = span.last('etcd.propose');
  const txn = span.last('etcd.txn');
  const stored = span.last('api.storage');
  const added = span.last('watchcache.add');
  const failed = span.all('etcd.failed').map((fact) => note('No answer', `${text(fact, 'member')}: ${text(fact, 'error')}`));
  const none = (stamp = ''): Draft => ({ state: 'none', stamp });
  if (reads || (succeeded && !propose)) {
    const cached = span.verb === 'watch' || read?.data['from'] === 'cache';
    const done = read ?? span.last('api.response');
    const items = read?.data['items'];
    const stamp = span.verb === 'watch' ? 'watch opened' : items === undefined ? 'read' : `${items} read`;
    const pass: Draft = done && succeeded ? { state: 'passed', at: done.at, stamp } : {};
    const nothing = reads ? '' : 'nothing to write';
    return {
      etcd: reads && !cached ? { ...pass, notes: failed } : none(nothing),
      raft: none(),
      apply: none(),
      cache: reads && cached ? pass : none(),
      watchers: none(),
    };
  }
  const attempts = span.all('etcd.propose').length;
  const committed = txn?.data['committed'] as Instant | undefined;
  const until = txn?.at ?? Number.MAX_SAFE_INTEGER;
  const elections = around.elections
    .filter((fact) => propose && fact.at >= propose.at && fact.at <= until && fact.data['role'] !== 'Follower')
    .map((fact) => note('Election', `${text(fact, 'member')} became ${text(fact, 'role')} of term ${text(fact, 'term')}`));
  const change: JourneyChange[] = stored ? [{ title: 'What etcd held, and what it holds', ...pick(stored, 'before'), ...pick(stored, 'after') }] : [];
  const revision = stored ? [note('Revision', text(stored, 'revision'))] : [];
  return {
    etcd: propose
      ? {
          state: 'passed',
          at: propose.at,
          by: propose.by,
          stamp: propose.by.replace('etcd@', ''),
          notes: [note('Key', propose.about), ...revision, ...(attempts > 1 ? [note('Proposed', `${attempts} times`)] : []), ...failed],
          changes: change,
        }
      : { stamp: failed.length > 0 ? 'no member answers' : 'on its way', notes: failed, by: span.request.by },
    raft: txn
      ? {
          state: 'passed',
          at: committed ?? txn.at,
          by: `etcd@${text(txn, 'lead')}`,
          stamp: `term ${text(txn, 'term')}, entry ${text(txn, 'index')}`,
          notes: [
            note('Leader', text(txn, 'lead')),
            note('Entry', `${text(txn, 'index')} of term ${text(txn, 'term')}`),
            note('Committed by', `a majority of ${text(txn, 'members')} members`),
            ...elections,
          ],
        }
      : propose
        ? { by: propose.by, stamp: 'waits for a majority', notes: [...elections, ...failed] }
        : {},
    apply: txn
      ? {
          state: 'passed',
          at: txn.at,
          by: txn.by,
          stamp: stored ? `revision ${text(stored, 'revision')}` : text(txn, 'op'),
          notes: [note('Applied on', txn.by.replace('etcd@', '')), ...revision],
          changes: change,
        }
      : {},
    cache: added
      ? {
          state: 'passed',
          at: added.at,
          by: added.by,
          stamp: text(added, 'type'),
          notes: [note('Event', text(added, 'type')), note('Revision', text(added, 'revision'))],
        }
      : {},
    watchers: added
      ? {
          state: 'passed',
          at: Math.max(added.at, around.acted?.at ?? 0),
          by: around.acted?.by ?? added.by,
          stamp: `${text(added, 'watchers')} told`,
          notes: [
            note('Brought to', added.data['watchers'] === 1 ? '1 watch' : `${text(added, 'watchers')} watches`),
            note('Acted on it', around.actors === 0 ? 'nobody' : String(around.actors)),
          ],
        }
      : {},
  };
}

const pick = (fact: Fact, field: 'before' | 'after'): Partial<JourneyChange> => (fact.data[field] === undefined ? {} : { [field]: fact.data[field] as object });
const changesOf = (title: string, fact: Fact): JourneyChange[] =>
  fact.data['after'] === undefined ? [] : [{ title, ...pick(fact, 'before'), ...pick(fact, 'after') }];

/** `3 defaults`: how many leaves differ. */
function countText(fact: Fact, word: string): string {
  const count = leavesThatDiffer(fact.data['before'], fact.data['after']);
  return count === 0 ? 'unchanged' : `${count} ${word}${count === 1 ? '' : 's'}`;
}
function leavesThatDiffer(before: unknown, after: unknown): number {
  if (before === after) return 0;
  if (typeof before === 'object' && before !== null && typeof after === 'object' && after !== null && Array.isArray(before) === Array.isArray(after)) {
    const one = before as Record<string, unknown>;
    const other = after as Record<string, unknown>;
    let count = 0;
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) count += leavesThatDiffer(one[key], other[key]);
    return count;
  }
  return 1;
}

/** At which station a request with this answer was turned away. */
function stoppedAt(span: Span, code: number): StageId {
  const { verb } = span;
  const given = span.last('api.response')?.data['stage'];
  if (given !== undefined) return given as StageId;
  if (!span.first('api.authz')) return 'authz';
  const changes = !READS.has(verb) && verb !== 'delete' && verb !== 'deletecollection';
  if (span.first('api.deny')) return changes && !span.first('api.mutate') ? 'mutate' : 'admit';
  if (READS.has(verb)) return span.last('api.read') ? 'cache' : 'etcd';
  const admitted = span.last('api.admit');
  if (!admitted) {
    // What is compared with what etcd holds: is it there, is it still that version.
    if (code === 404 || code === 409 || code === 410) return 'etcd';
    if (!changes) return 'admit';
    if (!span.first('api.mutate')) return 'decode';
    return span.first('api.validate') ? 'admit' : 'validate';
  }
  const since = span.facts.filter(({ id }) => id > admitted.id);
  if (since.some(({ type }) => type === 'etcd.txn')) return 'apply';
  return since.some(({ type }) => type === 'etcd.propose') ? 'raft' : 'etcd';
}

const refusalStamp = (answer: Fact): string => `${text(answer, 'code')} ${text(answer, 'reason')}`.trim();

/** `User "bob" cannot create resource "pods" in API group "" in the namespace "default"` in its parts. */
const CANNOT = /User "([^"]*)" cannot (\S+) (?:resource|path) "([^"]*)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?/;

function refusalNotes(span: Span, answer: Fact): Note[] {
  const message = text(answer, 'message');
  const notes = [note('Code', refusalStamp(answer)), note('Message', message)];
  const cannot = CANNOT.exec(message);
  if (cannot && Number(answer.data['code']) === 403) {
    const [, user = '', verb = '', resource = '', group, namespace] = cannot;
    notes.push(note('Missing verb', verb), note('On', `${resource}${group ? `.${group}` : ''}${namespace ? ` in ${namespace}` : ''}`), note('For', user));
  }
  const deny = span.last('api.deny');
  if (deny) notes.push(note('Refused by', text(deny, 'plugin')));
  const quota = /exceeded quota: ([^,]+),/.exec(message)?.[1];
  if (quota) notes.push(note('Quota', quota));
  return notes;
}

/** The objects in whose name it was refused. */
function refusingPolicies(span: Span): JourneyPolicy[] {
  const deny = span.last('api.deny');
  if (!deny) return [];
  const message = text(deny, 'message');
  const namespace = /^\/api(?:s\/[^/]+)?\/[^/]+\/namespaces\/([^/]+)/.exec(text(span.request, 'path'))?.[1] ?? '';
  const quota = /exceeded quota: ([^,]+),/.exec(message)?.[1];
  if (quota) return [{ kind: 'ResourceQuota', name: `${namespace}/${quota}`, url: `/api/v1/namespaces/${namespace}/resourcequotas/${quota}` }];
  const policies = span
    .all('api.policy')
    .filter((fact) => fact.data['denied'])
    .map((fact) => policyRef('ValidatingAdmissionPolicy', text(fact, 'policy')));
  const hook = span.last('api.webhook');
  if (hook && /Webhook/.test(text(deny, 'plugin')))
    policies.push(policyRef(hook.data['phase'] === 'mutate' ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration', text(hook, 'configuration')));
  return policies;
}
