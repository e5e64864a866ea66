// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a picture for the eye; the table twin and the ring carry the words
/** The last minute of happenings, one lane per kind of actor; a warning stands taller. Words for it are in the Events list. */
import { useEffect, useRef, useState } from 'react';
import { clockText } from '../../hosts/connect.ts';
import type { Happening } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { onLookChange, readPalette } from '../look/palette.ts';
import css from './time-bar.module.css';

const LANES = ['Scheduler', 'Controllers', 'Kubelets'] as const;
const SPAN = 60_000_000;
const LABEL = 74;

export function laneOf(source: string): number {
  if (source.includes('scheduler')) return 0;
  return source.includes('kubelet') || source.includes('kube-proxy') ? 2 : 1;
}

export function Lanes() {
  const { cluster, ui } = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [under, setUnder] = useState('');
  useEffect(() => {
    let palette = readPalette();
    let wanted = false;
    const paint = (): void => {
      wanted = false;
      const element = canvas.current;
      const ctx = element?.getContext('2d');
      if (!element || !ctx) return;
      const width = element.clientWidth;
      const height = element.clientHeight;
      if (width === 0) return;
      const ratio = Math.min(2, devicePixelRatio || 1);
      element.width = width * ratio;
      element.height = height * ratio;
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      const { happenings, clock } = cluster.store.getState();
      const row = height / LANES.length;
      const start = Math.max(0, clock.now - SPAN);
      const x = (at: number) => LABEL + ((at - start) / SPAN) * (width - LABEL - 6);
      ctx.textBaseline = 'middle';
      ctx.font = `400 11px ${palette.sans}`;
      for (const [i, lane] of LANES.entries()) {
        const y = row * (i + 0.5);
        ctx.fillStyle = palette.ink2;
        ctx.fillText(lane, 0, y + 0.5);
        ctx.fillStyle = palette.sunken;
        ctx.fillRect(LABEL, y - 0.5, width - LABEL, 1);
      }
      for (let i = happenings.length - 1; i >= 0; i--) {
        const one = happenings[i]!;
        if (one.at < start) break;
        const y = row * (laneOf(one.source) + 0.5);
        const tall = one.type === 'Warning' ? row * 0.84 : row * 0.5;
        ctx.fillStyle = one.type === 'Warning' ? palette.status[2]! : palette.lineStrong;
        ctx.fillRect(Math.round(x(one.at)), y - tall / 2, one.type === 'Warning' ? 3 : 2, tall);
      }
      ctx.fillStyle = palette.ink;
      ctx.fillRect(Math.round(x(clock.now)), 0, 1, height);
    };
    const request = (): void => {
      if (wanted) return;
      wanted = true;
      requestAnimationFrame(paint);
    };
    const stops = [
      cluster.store.subscribe(request),
      onLookChange(() => {
        palette = readPalette();
        request();
      }),
    ];
    addEventListener('resize', request);
    request();
    return () => {
      for (const stop of stops) stop();
      removeEventListener('resize', request);
    };
  }, [cluster]);

  const near = (event: React.MouseEvent<HTMLElement>): Happening | undefined => {
    const rect = event.currentTarget.getBoundingClientRect();
    const { happenings, clock } = cluster.store.getState();
    const start = Math.max(0, clock.now - SPAN);
    const at = start + ((event.clientX - rect.left - LABEL) / (rect.width - LABEL - 6)) * SPAN;
    const lane = Math.floor(((event.clientY - rect.top) / rect.height) * LANES.length);
    let best: Happening | undefined;
    for (const one of happenings)
      if (laneOf(one.source) === lane && Math.abs(one.at - at) < 800_000 && (!best || Math.abs(one.at - at) < Math.abs(best.at - at))) best = one;
    return best;
  };
  return (
    <button
      type="button"
      className={css['lanes']}
      aria-label="Events of the last minute: open the list"
      title={under || 'Events of the last minute'}
      onPointerMove={(event) => {
        const one = near(event);
        setUnder(one ? `${clockText(one.at)} ${one.reason}: ${one.message}` : '');
      }}
      onClick={() => ui.openDock('events')}
    >
      <canvas ref={canvas} aria-hidden="true" />
    </button>
  );
}
