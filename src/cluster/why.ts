/**
 * Why? From an object back through the causes of what last happened to it, as sentences, to a person's
 * action, a timer or a fault.
 */
import type { WhyStep } from '../hosts/protocol.ts';
import type { Fact, Trace } from '../sim/trace.ts';

/** Facts that say how a thing came about; the others (sends, queue moves, reads) are steps between and left out of the telling. */
const SENTENCES: Readonly<Record<string, (fact: Fact) => string | undefined>> = {
  'user.command': (f) => `Somebody typed \`${text(f, 'command')}\` on the laptop.`,
  'user.request': (f) => `Somebody asked the API server to ${VERBS[text(f, 'method')] ?? text(f, 'method')} ${text(f, 'path')}.`,
  fault: (f) => FAULTS[text(f, 'kind')]?.(f) ?? `A fault was injected: ${text(f, 'kind')}.`,
  boot: () => 'The cluster was started.',
  'api.storage': (f) => {
    const verb = text(f, 'verb');
    const who = text(f, 'user');
    return `The API server ${STORED[verb] ?? 'stored'} ${name(f.about)}${who ? `, asked by ${who}` : ''}.`;
  },
  'api.response': (f) =>
    Number(f.data['code'] ?? f.data['status'] ?? 200) >= 400 ? `The API server refused: ${text(f, 'message') || text(f, 'reason')}` : undefined,
  'reconcile.start': (f) => `${f.data['controller'] ?? f.by} looked at ${name(f.about)}.`,
  'sched.start': (f) => `The scheduler tried to place ${name(f.about)}.`,
  'sched.bind': (f) => `The scheduler bound ${name(f.about)} to ${text(f, 'node')}.`,
  'sched.unschedulable': (f) => `The scheduler found no node for ${name(f.about)}: ${text(f, 'message')}`,
  'kubelet.sync': (f) => `The kubelet on ${host(f.by)} worked on ${name(f.about)}.`,
  'kubelet.evict': (f) => `The kubelet on ${host(f.by)} evicted ${name(f.about)}: ${text(f, 'reason')}.`,
  'cri.sandbox': (f) => `containerd on ${host(f.by)} made the sandbox of ${name(f.about)}.`,
  'cri.pull': (f) => `containerd on ${host(f.by)} pulled ${text(f, 'image')}.`,
  'cri.start': (f) => `Container ${text(f, 'container')} of ${name(f.about)} started on ${host(f.by)}.`,
  'cri.exit': (f) => `Container ${text(f, 'container')} of ${name(f.about)} ended with code ${text(f, 'exitCode')}.`,
  'probe.run': (f) => `The ${text(f, 'probe')} probe of ${name(f.about)} ${text(f, 'result') === 'success' ? 'succeeded' : `failed: ${text(f, 'output')}`}.`,
  'process.exit': (f) => `${f.about} stopped (${text(f, 'how')}).`,
  'process.crash': (f) => `${f.about} crashed: ${text(f, 'error')}`,
  'raft.role': (f) => `etcd member ${host(f.by)} became ${text(f, 'role')} of term ${text(f, 'term')}.`,
  'lease.acquire': (f) => `${text(f, 'holder') || f.by} took the lease ${f.about}.`,
  'node.lost': (f) => `The node lifecycle controller had not heard from ${name(f.about)} for 40 seconds.`,
};

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'replace', PATCH: 'change', DELETE: 'delete', GET: 'read' };
const STORED: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'updated',
  patch: 'changed',
  delete: 'deleted',
  'mark-deleted': 'marked for deletion',
};
const FAULTS: Readonly<Record<string, (f: Fact) => string>> = {
  'node-power': (f) => `The power of ${text(f, 'node')} was switched ${f.data['on'] ? 'on' : 'off'}.`,
  kill: (f) => `${text(f, 'process')} was killed.`,
  start: (f) => `${text(f, 'process')} was started again.`,
  'add-etcd': (f) => `The machine ${text(f, 'machine')} was added.`,
  cut: (f) => `Nothing gets from ${text(f, 'from')} to ${text(f, 'to')} any more.`,
  mend: (f) => `The way from ${text(f, 'from')} to ${text(f, 'to')} was mended.`,
  latency: (f) => `The way from ${text(f, 'from')} to ${text(f, 'to')} now takes ${inMs(f)} ms longer.`,
  loss: (f) => `Of a hundred messages from ${text(f, 'from')} to ${text(f, 'to')} ${text(f, 'percent')} are lost.`,
  duplicate: (f) => `Of a hundred messages from ${text(f, 'from')} to ${text(f, 'to')} ${text(f, 'percent')} come twice.`,
  reorder: (f) => `Messages from ${text(f, 'from')} to ${text(f, 'to')} overtake each other, by up to ${inMs(f)} ms.`,
  'raft-drop': () => 'A message between members of etcd was taken off the wire.',
  'raft-delay': (f) => `A message between members of etcd was held back for ${inMs(f)} ms.`,
  'raft-timeout': (f) => `The election timer of etcd on ${text(f, 'member')} was made to run out.`,
  pause: (f) => `${text(f, 'process')} was ${f.data['on'] ? 'paused' : 'made to go on'}.`,
  disk: (f) =>
    Number(f.data['micros']) > 0
      ? `Every sync of the disk of ${text(f, 'machine')} now takes ${inMs(f)} ms.`
      : `The disk of ${text(f, 'machine')} is as fast as before.`,
  'disk-full': (f) => (f.data['on'] ? `The disk of ${text(f, 'machine')} is full.` : `There is room on the disk of ${text(f, 'machine')} again.`),
  'etcd-timing': (f) => `The members of etcd were restarted with the times called ${text(f, 'preset')}.`,
  clock: (f) => `The clock of ${text(f, 'machine')} runs at ${Number(f.data['permille']) / 10} % of its speed.`,
  'pause-loop': (f) => `${text(f, 'loop')} was ${f.data['on'] ? 'paused' : 'made to go on'}.`,
  'step-loop': (f) => `${text(f, 'loop')} was let work on ${text(f, 'key') || 'one key'}.`,
  partition: () => 'The network was cut in two.',
  heal: () => 'The network was mended.',
};

const text = (fact: Fact, field: string): string => {
  const value = fact.data[field];
  return value === undefined || value === null ? '' : String(value);
};
const inMs = (fact: Fact): number => Number(fact.data['micros'] ?? 0) / 1000;
/** `Pod/default/web-1` reads as `Pod default/web-1`. */
const name = (about: string): string => {
  const slash = about.indexOf('/');
  return slash < 0 ? about : `${about.slice(0, slash)} ${about.slice(slash + 1)}`;
};
const host = (by: string): string => by.slice(by.lastIndexOf('@') + 1);

/** Newest first. Empty when nothing is remembered of the object. */
export function explain(trace: Trace, about: string): WhyStep[] {
  const latest = trace.latest((fact) => fact.about === about && sentence(fact) !== undefined);
  if (!latest) return [];
  const steps: WhyStep[] = [];
  for (const fact of trace.chain(latest.id)) {
    const told = sentence(fact);
    // A refusal is told when it is how things ended; on the way (a read before a create) nobody was stopped by it.
    if (fact.type === 'api.response' && fact.id !== latest.id) continue;
    // One thing said twice in a row (an update and its retry) is told once.
    if (told !== undefined && steps.at(-1)?.sentence !== told) steps.push({ fact, sentence: told });
  }
  const root = trace.chain(latest.id).at(-1);
  if (root && root.cause !== 0) steps.push({ fact: root, sentence: 'What came before is no longer remembered.' });
  return steps;
}

export const sentence = (fact: Fact): string | undefined => SENTENCES[fact.type]?.(fact);
