/** All that one picture of the map is made of. Drawing reads this and nothing else, so it could run in a worker. */
import type { EtcdMemberRecord, NodeRecord, ServiceRecord } from '../../hosts/protocol.ts';
import type { Palette } from '../look/palette.ts';
import type { PodTable } from '../pod-table.ts';
import type { Level } from './camera.ts';
import type { Box, MapLayout } from './layout.ts';

export interface Edge {
  readonly from: Box;
  readonly to: Box;
  /** `selects`: dashed, open arrow; `owner`: solid line without direction between pods of one workload. */
  readonly kind: 'selects' | 'owner';
  /** A pod that is not ready is pinned with a hollow pin. */
  readonly ready: boolean;
}

export interface Scene {
  readonly layout: MapLayout;
  readonly nodes: ReadonlyMap<number, NodeRecord>;
  readonly services: ReadonlyMap<string, ServiceRecord>;
  readonly members: ReadonlyMap<string, EtcdMemberRecord>;
  readonly pods: PodTable;
  /** 1 where a pod is bright; absent when nothing is filtered. */
  readonly bright: Uint8Array | undefined;
  readonly edges: readonly Edge[];
  readonly palette: Palette;
  readonly level: Level;
  /** Wall milliseconds, for the 160 ms in which things come and go. */
  readonly wall: number;
  readonly reduced: boolean;
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
}

/** Motion of an object's coming and going. */
export const COMING = 160;
/** How long an arrival is outlined instead, when motion is reduced. */
export const OUTLINED = 1500;
export const DIM = 0.15;
export const GONE = 0.3;
/** No text smaller than this is ever drawn. */
export const FLOOR = 11;
