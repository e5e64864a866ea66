/**
 * The way of one request, told from the trace: the stations it passed, where it stopped, and what followed from it.
 *
 * Pure: it reads facts and changes nothing. A request's own facts hang together by their causes (`api.request`, each
 * stage, etcd's proposal and transaction, the watch cache's event); whatever else follows from one of them is somebody
 * acting on what they saw, and a request among that begins a journey of its own.
 */
import type { Journey, JourneyNode, JourneyQuery, JourneyRequest } from '../hosts/protocol.ts';
import { parsePath } from '../kubernetes/api/resources.ts';
import type { Fact, Trace, TraceId } from '../sim/trace.ts';
import { lastWhere, stagesOf } from './journey-stages.ts';
import { actorName, stepText } from './journey-steps.ts';
import { sentence } from './why.ts';

/** More requests than a person would read in one tree; the rest is counted. */
const TREE_REQUESTS = 300;
const STEPS_PER_ACTOR = 24;
const SIBLINGS = 24;
/** How far back the list looks. */
const LOOK_BACK = 120_000;

/** Facts that belong to the request itself, whoever says them. */
const OWN = /^(api\.|etcd\.(propose|txn|failed)$|watchcache\.)/;

/** The newest requests that fit, newest first; `more` when there are older ones. */
export function recentRequests(trace: Trace, query: JourneyQuery): { readonly requests: readonly JourneyRequest[]; readonly more: boolean } {
  const words = (query.words ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const requests: JourneyRequest[] = [];
  /** Answers on their way back to the request they answer, by the fact before. */
  const answers = new Map<TraceId, Fact>();
  let more = false;
  backwards(trace, (fact) => {
    const answer = fact.type === 'api.response' ? fact : answers.get(fact.id);
    if (answer) answers.delete(fact.id);
    if (fact.type !== 'api.request') {
      if (answer) answers.set(fact.cause, answer);
      return true;
    }
    const request = summary(fact, answer);
    if (!fits(request, query, words)) return true;
    if (query.who && (query.who === 'people') !== (trace.find(fact.cause)?.type.startsWith('user.') ?? false)) return true;
    if (requests.length >= query.limit) {
      more = true;
      return false;
    }
    requests.push(request);
    return true;
  });
  return { requests, more };
}

/** Story facts, newest first, until `see` says no. */
function backwards(trace: Trace, see: (fact: Fact) => boolean): void {
  const facts = trace.since(Math.max(1, trace.newest - LOOK_BACK));
  for (let i = facts.length - 1; i >= 0; i--) if (!see(facts[i]!)) return;
}

function fits(request: JourneyRequest, query: JourneyQuery, words: readonly string[]): boolean {
  if (query.verb && request.verb !== query.verb) return false;
  const outcome = request.code === undefined ? 'waiting' : request.code >= 400 ? 'refused' : 'accepted';
  if (query.outcome && query.outcome !== outcome) return false;
  if (words.length === 0) return true;
  const text = `${request.verb} ${request.resource} ${request.about} ${request.user} ${request.code ?? ''} ${request.reason ?? ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function summary(request: Fact, answer: Fact | undefined): JourneyRequest {
  const path = String(request.data['path'] ?? '');
  const parsed = parsePath(path);
  const code = answer?.data['code'] as number | undefined;
  const reason = answer?.data['reason'] as string | undefined;
  const message = answer?.data['message'] as string | undefined;
  const began = (request.data['began'] as number | undefined) ?? request.at;
  return {
    id: request.id,
    at: request.at,
    verb: String(request.data['verb'] ?? ''),
    method: String(request.data['method'] ?? ''),
    path,
    resource: parsed ? (parsed.subresource ? `${parsed.resource}/${parsed.subresource}` : parsed.resource) : path,
    about: nameOf(request, parsed?.namespace ?? ''),
    user: String(request.data['user'] ?? ''),
    ...(answer && code !== undefined ? { code, took: answer.at - began } : {}),
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
  };
}

const nameOf = (request: Fact, namespace: string): string => request.about || (namespace ? `in ${namespace}` : '');

/** A request as it grows while the facts are read. */
interface Trip {
  readonly request: Fact;
  readonly facts: Fact[];
  answer: Fact | undefined;
  readonly children: (Trip | Act)[];
}
/** Somebody acting on what a request did. */
interface Act {
  readonly first: Fact;
  readonly facts: Fact[];
  readonly children: Trip[];
}
const isTrip = (owner: Trip | Act): owner is Trip => 'request' in owner;

/** The journey that fact `id` belongs to; undefined when it belongs to none or is forgotten. */
export function journeyOf(trace: Trace, id: TraceId): Journey | undefined {
  const chain = trace.chain(id);
  const request = chain.find(({ type }) => type === 'api.request');
  if (!request) return undefined;
  const owners = new Map<TraceId, Trip | Act>();
  const root: Trip = { request, facts: [], answer: undefined, children: [] };
  const elections: Fact[] = [];
  let requests = 0;
  let untold = 0;
  owners.set(request.id, root);
  for (const fact of trace.since(request.id + 1)) {
    if (fact.type === 'raft.role') elections.push(fact);
    const owner = owners.get(fact.cause);
    if (!owner) continue;
    if (fact.type === 'api.request') {
      if (requests >= TREE_REQUESTS) {
        untold++;
        continue;
      }
      requests++;
      const trip: Trip = { request: fact, facts: [], answer: undefined, children: [] };
      owner.children.push(trip);
      owners.set(fact.id, trip);
    } else if (isTrip(owner) && OWN.test(fact.type)) {
      owner.facts.push(fact);
      if (fact.type === 'api.response') owner.answer = fact;
      owners.set(fact.id, owner);
    } else if (isTrip(owner)) {
      // Who comes back to the same thing for the same reason (a delayed look, a second key of one change) is told once.
      const name = actorName(fact);
      const again = owner.children.find((child): child is Act => !isTrip(child) && child.first.about === fact.about && actorName(child.first) === name);
      if (again) again.facts.push(fact);
      else owner.children.push({ first: fact, facts: [fact], children: [] });
      owners.set(fact.id, again ?? owner.children.at(-1)!);
    } else {
      owner.facts.push(fact);
      owners.set(fact.id, owner);
    }
  }
  const told = summary(request, root.answer);
  const first = root.children.find((child): child is Act => !isTrip(child));
  const { stages, stage } = stagesOf(request, root.facts, {
    elections,
    acted: first?.first,
    actors: new Set(root.children.flatMap((child) => (isTrip(child) ? [] : [actorName(child.first)]))).size,
  });
  // What a person does is a root, though in a line of several commands the one before led to it.
  const before = chain.slice(chain.indexOf(request) + 1);
  const person = before.findIndex(({ type }) => type.startsWith('user.'));
  const causes = causesOf(person < 0 ? before : before.slice(0, person + 1));
  return { request: told, stages, stage, causes, siblings: siblingsOf(trace, request), followed: root.children.map(nodeOf), counts: { requests, untold } };
}

function nodeOf(owner: Trip | Act): JourneyNode {
  if (isTrip(owner)) {
    const request = summary(owner.request, owner.answer);
    // A name that the server made up is in what was stored.
    const about = lastWhere(owner.facts, (fact) => fact.type === 'api.storage')?.about || request.about;
    return { id: request.id, kind: 'request', at: request.at, title: request.verb, about, request, steps: [], children: owner.children.map(nodeOf) };
  }
  const steps = owner.facts.slice(0, STEPS_PER_ACTOR).map((fact) => ({ id: fact.id, at: fact.at, type: fact.type, text: stepText(fact) }));
  const { id, at, about } = owner.first;
  return { id, kind: 'actor', at, title: actorName(owner.first), about, steps, children: owner.children.map(nodeOf) };
}

/** From the fact before the request back to the root, what a person would tell of it. */
function causesOf(chain: readonly Fact[]): Journey['causes'] {
  const causes: { fact: number; sentence: string; request?: number }[] = [];
  for (let i = 0; i < chain.length; i++) {
    const fact = chain[i]!;
    // Requests on the way are told as what they stored.
    const told = fact.type === 'api.response' || fact.type === 'probe.run' ? undefined : fact.type === 'api.request' ? requestSentence(fact) : sentence(fact);
    if (told === undefined || causes.at(-1)?.sentence === told) continue;
    const own = OWN.test(fact.type) ? chain.slice(i).find(({ type }) => type === 'api.request') : undefined;
    causes.push({ fact: fact.id, sentence: told, ...(own ? { request: own.id } : {}) });
  }
  const root = chain.at(-1);
  if (root && root.cause !== 0 && !root.type.startsWith('user.')) causes.push({ fact: root.id, sentence: 'What came before is no longer remembered.' });
  return causes;
}

const requestSentence = (fact: Fact): string =>
  `${fact.data['user'] || 'Somebody'} asked to ${fact.data['verb']} ${fact.about.replace('/', ' ') || fact.data['path']}.`;

/** The other requests of the same command. */
function siblingsOf(trace: Trace, request: Fact): JourneyRequest[] {
  const root = trace.find(request.cause);
  if (root?.type !== 'user.command') return [];
  const found: JourneyRequest[] = [];
  const open = new Map<TraceId, number>();
  for (const fact of trace.since(root.id + 1)) {
    if (fact.type === 'api.request' && fact.cause === root.id) {
      if (found.length >= SIBLINGS) break;
      open.set(fact.id, found.length);
      found.push(summary(fact, undefined));
    } else if (fact.type.startsWith('api.')) {
      const at = open.get(fact.cause);
      if (at === undefined) continue;
      open.set(fact.id, at);
      if (fact.type === 'api.response') found[at] = summary(trace.find(found[at]!.id)!, fact);
    }
  }
  return found.filter(({ id }) => id !== request.id);
}
