/** The leases: who of several copies of a program acts, until when, and who waits. A key tag in the bar; its panel lies over the view. */
import { useEffect, useRef } from 'react';
import type { LoopLease } from '../../hosts/protocol.ts';
import { useApp, useCluster, useUi } from '../app-context.ts';
import { span } from '../consensus/sentences.ts';
import { reducedMotion } from '../look/palette.ts';
import { addCopy, pauseCopy } from './actions.ts';
import css from './loops.module.css';
import { counted } from './words.ts';

/** leaseDurationSeconds of the control plane's leases. */
const LEASE = 15_000_000;

function useLeft(lease: LoopLease): number {
  return useCluster(({ clock }) => Math.max(0, Math.ceil((lease.expiresAt - clock.now) / 1_000_000)));
}

export function LeaseTag({ lease, open, onOpen }: { readonly lease: LoopLease; readonly open: boolean; onOpen(): void }) {
  const left = useLeft(lease);
  const name = lease.component === 'kube-scheduler' ? 'scheduler' : 'controllers';
  const waits = lease.copies.filter(({ state }) => state === 'waits').length;
  useUi((ui) => ui.reduced);
  const reduced = reducedMotion();
  return (
    <button
      type="button"
      className={css['tag']}
      aria-expanded={open}
      aria-label={`Lease of the ${name}: ${lease.node || 'nobody'}, ${left === 0 ? 'expired' : `expires in ${left} s`}`}
      data-lease={lease.component}
      onClick={onOpen}
    >
      <svg width="20" height="20" viewBox="-10 -10 20 20" aria-hidden="true">
        <circle className={css['track']} r="8" />
        {!reduced && (
          <circle className={css['ring']} r="8" pathLength={1} strokeDasharray={`${Math.min(1, left / (LEASE / 1_000_000))} 1`} transform="rotate(-90)" />
        )}
        <path className={css['keyMark']} d="M-3.5 0a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0 -3.6 0M0.1 0H4M2.8 0V2" />
      </svg>
      <span>
        {name} <b>{lease.node || 'nobody'}</b>
        {waits > 0 && <small> +{waits}</small>}
        {reduced && <small> {left === 0 ? 'expired' : `${left} s`}</small>}
      </span>
    </button>
  );
}

export function LeasePanel({ lease, onClose }: { readonly lease: LoopLease; onClose(): void }) {
  const app = useApp();
  const left = useLeft(lease);
  const box = useRef<HTMLFieldSetElement>(null);
  const cameFrom = useRef(document.activeElement);
  useEffect(() => box.current?.querySelector<HTMLElement>('button')?.focus(), []);
  const close = (): void => {
    onClose();
    if (cameFrom.current instanceof HTMLElement) cameFrom.current.focus();
  };
  const manager = lease.component === 'kube-controller-manager';
  return (
    <fieldset
      ref={box}
      className={css['panel']}
      aria-label={`Lease ${lease.component}`}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        close();
      }}
    >
      <p>
        <b>Lease {lease.component}</b>{' '}
        {lease.holder === ''
          ? 'is held by nobody.'
          : `is held by ${lease.holder.slice(0, lease.holder.indexOf('_') + 9)}, ${left === 0 ? 'and has expired' : `and expires in ${span(left * 1_000_000)} unless renewed`}.`}
      </p>
      <ul>
        {lease.copies.map(({ identity, node, state }) => (
          <li key={identity} data-copy={node} data-state={state}>
            <span>
              <b>{node}</b> {{ leads: 'leads', waits: 'waits for the lease', paused: 'stands still' }[state]}
            </span>
            <button type="button" className={css['button']} onClick={() => pauseCopy(app, lease.component, node, state !== 'paused')}>
              {state === 'paused' ? `Let ${node} go on` : `Stop the process on ${node}`}
            </button>
          </li>
        ))}
      </ul>
      <p className={css['panelFoot']}>
        {manager && lease.copies.length === 1 && (
          <button type="button" className={css['button']} onClick={() => addCopy(app)}>
            Run a second copy on node-1
          </button>
        )}
        <span>{counted(lease.copies.length, 'copy', 'copies')}; one acts.</span>
        <button type="button" className={css['plain']} onClick={close}>
          Close
        </button>
      </p>
    </fieldset>
  );
}
