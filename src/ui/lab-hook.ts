/**
 * `window.__lab`: what a tester, an assistive tool or a script may read, always there and read-only. Canvas pods are
 * invisible to the DOM, so this is how a test asks where a pod is drawn and which one is under a point.
 */
import type { PodRecord, Session } from '../hosts/protocol.ts';
import type { App } from './app-context.ts';
import { podStatusText } from './cluster-store.ts';
import type { Camera } from './map/camera.ts';
import { meter } from './map/frame-meter.ts';
import { mapProbe } from './map/map.tsx';
import { allThings, boxOf } from './objects.ts';

export interface Mark {
  readonly id: string;
  readonly moving: boolean;
}
export interface Lab {
  readonly ready: boolean;
  /** How many events have fired. */
  seq(): number;
  /** Virtual microseconds. */
  time(): number;
  /** Virtual seconds per real second the world goes at; 0 when it stands still. */
  factor(): number;
  hash(): Promise<string>;
  /** Seed and inputs so far: all that is needed to make this world again. */
  session(): Promise<Session>;
  /** World boxes by id: `[x, y, w, h]`. Independent of the camera. */
  layout(): Record<string, [number, number, number, number]>;
  camera(): Camera | undefined;
  marks(): Mark[];
  frameStats(): ReturnType<typeof meter.stats>;
  /** Ids of all that is drawn bright: everything, or what the filter leaves. */
  visible(): string[];
  /** Uid of the pod at a point of the map, in pixels from its top left corner. */
  podAt(x: number, y: number): string | undefined;
  getPod(
    uid: string,
  ): (PodRecord & { readonly node: string; readonly slot: number; readonly status: number; readonly word: string; readonly restarts: number }) | undefined;
}

declare global {
  interface Window {
    __lab: Lab;
  }
}

export function exposeLab(app: App): void {
  const { cluster, world, ui } = app;
  window.__lab = {
    get ready() {
      return cluster.store.getState().booted;
    },
    seq: () => cluster.store.getState().clock.events,
    time: () => cluster.store.getState().clock.now,
    factor: () => cluster.store.getState().clock.factor,
    hash: () => world.hash(),
    session: () => world.session(),
    layout: () => {
      const boxes: Record<string, [number, number, number, number]> = {};
      for (const thing of allThings(cluster)) {
        const box = boxOf(cluster, thing);
        if (box) boxes[thing.id] = [box.x, box.y, box.w, box.h];
      }
      return boxes;
    },
    camera: () => mapProbe.camera?.(),
    marks: () =>
      [...(mapProbe.moving?.() ?? []), ...Array.from(document.querySelectorAll('[data-moving="true"]'), (mark) => mark.id)].map((id) => ({ id, moving: true })),
    frameStats: () => meter.stats(),
    visible: () => {
      const { filter, namespaces } = ui.store.getState();
      const bright = cluster.bright(filter, namespaces);
      return allThings(cluster).flatMap((thing) => (thing.kind === 'pod' && bright && bright.mask[thing.index] !== 1 ? [] : [thing.id]));
    },
    podAt: (x, y) => mapProbe.podAt?.(x, y),
    getPod: (uid) => {
      const index = cluster.pods.byUid.get(uid);
      const record = index === undefined ? undefined : cluster.pods.records[index];
      if (index === undefined || !record) return undefined;
      const { pods } = cluster;
      return {
        ...record,
        node: cluster.nodeName(pods.node[index]!),
        slot: pods.slot[index]!,
        status: pods.status[index]!,
        word: podStatusText(cluster, index),
        restarts: pods.restarts[index]!,
      };
    },
  };
}
