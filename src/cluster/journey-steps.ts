/** What somebody did who acted on a change, step by step, in a few words each. */
import type { Fact } from '../sim/trace.ts';

/** Who: a controller, the scheduler, a kubelet with its node. The number of the process says nothing. */
export function actorName(fact: Fact): string {
  // One on every machine, each in a pod of its own.
  if (fact.by.startsWith('kube-proxy') && fact.about.startsWith('Node/')) return `kube-proxy@${fact.about.slice(5)}`;
  // The runtime watches nothing: the kubelet of its machine told it to.
  return fact.by.replace(/^containerd@/, 'kubelet@').replace(/-\d+$/, (number) => (fact.by.includes('@') ? number : ''));
}

const text = (fact: Fact, field: string): string => (fact.data[field] === undefined ? '' : String(fact.data[field]));

const TEXTS: Readonly<Record<string, (fact: Fact) => string>> = {
  'queue.add': () => 'saw the change in its informer and put the key in its queue',
  'queue.get': () => 'took the key from the queue',
  'queue.done': () => 'was done with the key',
  'queue.requeue': (f) => `put the key back, for the ${ordinal(Number(f.data['requeues']))} time, in ${micros(Number(f.data['delay']))}`,
  'reconcile.start': (f) => `reconciled ${f.about.replace('/', ' ')}`,
  'reconcile.end': (f) => (f.data['outcome'] === 'retry' ? `failed and will try again: ${text(f, 'error')}` : 'found nothing more to do'),
  'sched.enqueue': () => 'saw a pod without a node and put it in its queue',
  'sched.start': (f) => `began attempt ${text(f, 'attempt')}`,
  'sched.filter': (f) => `filtered: ${text(f, 'feasible')} of ${text(f, 'evaluated')} nodes fit`,
  'sched.score': (f) => `scored the nodes that fit: ${text(f, 'node')} has most, ${text(f, 'total')} points`,
  'sched.select': (f) => `chose ${text(f, 'node')}`,
  'sched.bind': (f) => `bound the pod to ${text(f, 'node')}`,
  'sched.unschedulable': (f) => `found no node: ${text(f, 'message')}`,
  'sched.postfilter': (f) => `would preempt on ${text(f, 'node')}`,
  'kubelet.sync': (f) =>
    f.data['error']
      ? `failed: ${text(f, 'error')}`
      : f.data['phase']
        ? `saw the pod as ${text(f, 'phase')}`
        : f.data['kill']
          ? 'stopped a container'
          : 'worked on the pod',
  'kubelet.status': (f) => `reported the phase ${text(f, 'phase')}`,
  'kubelet.evict': (f) => `evicted the pod: ${text(f, 'reason')}`,
  'cri.sandbox': (f) => `had containerd make the sandbox, address ${text(f, 'ip')}`,
  'cri.pull': (f) => `had containerd pull ${text(f, 'image')}`,
  'cri.start': (f) => `had containerd start container ${text(f, 'container')}`,
  'cri.exit': (f) => `container ${text(f, 'container')} ended with ${text(f, 'exitCode')}`,
  'proxy.sync': () => 'rewrote its rules',
  'gc.verdict': (f) => `judged: ${text(f, 'verdict')}`,
};

export const stepText = (fact: Fact): string => TEXTS[fact.type]?.(fact) ?? fact.type;

const ordinal = (n: number): string => `${n}${['th', 'st', 'nd', 'rd'][n % 100 > 10 && n % 100 < 14 ? 0 : n % 10] ?? 'th'}`;
const micros = (n: number): string => (n < 1_000 ? `${n} µs` : n < 1_000_000 ? `${n / 1_000} ms` : `${n / 1_000_000} s`);
