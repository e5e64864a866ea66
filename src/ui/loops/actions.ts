/** What can be done to a loop. Each is a fault of the session, so that it is replayed with it; stepping the clock is none. */
import type { LoopRecord } from '../../hosts/protocol.ts';
import type { App } from '../app-context.ts';
import { typeCommand } from '../terminal/typing.ts';
import type { LoopStore } from './loop-store.ts';

/** Pauses one loop, or lets it go on. A controller by its queue; the scheduler and a kubelet as processes. */
export function toggleLoop(app: App, { id, role, state, where }: LoopRecord): void {
  if (state === 'stopped') return;
  const on = state === 'running';
  app.world.fault(role === 'controller' ? { kind: 'pause-loop', loop: id, on } : { kind: 'pause', process: where, on });
  app.say(`${id} ${on ? 'is paused' : 'goes on'}.`);
}

export const canStep = (record: LoopRecord): boolean => record.steps && record.state !== 'stopped' && !(record.state === 'paused' && record.waitingCount === 0);

/**
 * One reconcile. A paused controller is let work on one key, and time, if it stands still, goes on until that is done. With
 * one that is not, time goes on until it has next done something, and stands still then.
 */
export function stepLoop(app: App, store: LoopStore, record: LoopRecord, still: boolean, key?: string): void {
  if (!canStep(record)) return;
  store.show(record.id, record.id);
  if (record.state === 'paused') {
    app.world.fault({ kind: 'step-loop', loop: record.id, ...(key === undefined ? {} : { key }) });
    if (still) app.session.send({ type: 'step', what: 'reconcile' });
  } else app.session.send({ type: 'step', what: 'reconcile' });
}

/** What its queue knows a key as, of what it is told as. */
export const keyOf = ({ kind }: LoopRecord, about: string): string | undefined =>
  kind && about.startsWith(`${kind}/`) ? about.slice(kind.length + 1) : undefined;

/** The manifest of the manager, taken to another machine: its kubelet runs a second copy, which waits for the lease. */
export const SECOND_COPY =
  'ssh control-plane cat /etc/kubernetes/manifests/kube-controller-manager.yaml > kcm.yaml; ssh node-1 mkdir -p /etc/kubernetes/manifests; scp kcm.yaml node-1:/etc/kubernetes/manifests/';
export function addCopy(app: App): void {
  app.ui.openDock('terminal');
  typeCommand(app.world, app.terminal, SECOND_COPY);
}
export const pauseCopy = (app: App, component: string, node: string, on: boolean): void =>
  app.world.fault({ kind: 'pause', process: `${component}@${node}`, on });
