/** The camera is React Flow's: a screen point is a world point times `zoom` plus (x, y). */
import { type Box, TILE } from './layout.ts';

export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}
/** 0 fleet, 1 pool, 2 node, 3 pod. */
export type Level = 0 | 1 | 2 | 3;

/** Tile widths in screen pixels at which the next level begins. */
const THRESHOLDS = [24, 120, 480] as const;
export const ZOOM_STEPS = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8] as const;
export const MIN_ZOOM = 0.02;
export const MAX_ZOOM = 8;
/** Free pixels above a fitted picture, at most. */
const HIGHEST = 32;

/** The level for a zoom, with ±10 % of reluctance to leave the one we are in, so a trembling wheel does not flicker. */
export function levelOf(zoom: number, before?: Level): Level {
  const width = TILE.w * zoom;
  const plain = THRESHOLDS.filter((threshold) => width >= threshold).length as Level;
  if (before === undefined || plain === before) return plain;
  if (plain > before) return THRESHOLDS.filter((threshold, i) => width >= threshold * (i >= before ? 1.1 : 1)).length as Level;
  return THRESHOLDS.filter((threshold, i) => width >= threshold * (i < before ? 0.9 : 1)).length as Level;
}

export const toScreen = (box: Box, camera: Camera): Box => ({
  x: box.x * camera.zoom + camera.x,
  y: box.y * camera.zoom + camera.y,
  w: box.w * camera.zoom,
  h: box.h * camera.zoom,
});
export const toWorld = (x: number, y: number, camera: Camera): { readonly x: number; readonly y: number } => ({
  x: (x - camera.x) / camera.zoom,
  y: (y - camera.y) / camera.zoom,
});
export const viewOf = (camera: Camera, width: number, height: number): Box => ({
  x: -camera.x / camera.zoom,
  y: -camera.y / camera.zoom,
  w: width / camera.zoom,
  h: height / camera.zoom,
});

export interface Insets {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** The camera that shows `box` in what the insets leave free. Never above 125 %: a small cluster should not shout. Near the top rather than in the middle: what opens over the stage rises from below. */
export function fitTo(box: Box, width: number, height: number, insets: Insets, most = 1.25): Camera {
  const w = Math.max(80, width - insets.left - insets.right);
  const h = Math.max(80, height - insets.top - insets.bottom);
  const zoom = Math.max(MIN_ZOOM, Math.min(most, w / box.w, h / box.h));
  return { x: insets.left + (w - box.w * zoom) / 2 - box.x * zoom, y: insets.top + Math.min((h - box.h * zoom) / 2, HIGHEST) - box.y * zoom, zoom };
}

/** The smallest pan that brings a box into view; the same camera when it is there already. */
export function reveal(box: Box, camera: Camera, width: number, height: number, insets: Insets): Camera {
  const at = toScreen(box, camera);
  const shift = (from: number, size: number, low: number, high: number): number =>
    from < low ? low - from : from + size > high ? Math.max(high - from - size, low - from) : 0;
  const margin = 24;
  const x = shift(at.x, at.w, insets.left + margin, width - insets.right - margin);
  const y = shift(at.y, at.h, insets.top + margin, height - insets.bottom - margin);
  return x === 0 && y === 0 ? camera : { x: camera.x + x, y: camera.y + y, zoom: camera.zoom };
}

/** The next step of the fixed ladder in a direction, about the centre of the view. */
export function zoomStep(camera: Camera, direction: 1 | -1, width: number, height: number): Camera {
  const zoom =
    direction > 0
      ? (ZOOM_STEPS.find((step) => step > camera.zoom * 1.01) ?? MAX_ZOOM)
      : ([...ZOOM_STEPS].reverse().find((step) => step < camera.zoom * 0.99) ?? ZOOM_STEPS[0]);
  return zoomAbout(camera, zoom, width / 2, height / 2);
}
export function zoomAbout(camera: Camera, zoom: number, x: number, y: number): Camera {
  const at = toWorld(x, y, camera);
  return { x: x - at.x * zoom, y: y - at.y * zoom, zoom };
}
