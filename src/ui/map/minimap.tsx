// biome-ignore-all lint/a11y/useSemanticElements: three buttons are a group, not a fieldset
// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a picture for the eye; the table twin and the ring carry the words
/** The whole cluster in a corner, with the view as a frame; only while part of it is out of sight. Click or drag to go there; zoom keys beside it. */

import { useStoreApi } from '@xyflow/react';
import { useEffect, useRef } from 'react';
import { useApp } from '../app-context.ts';
import { Icon } from '../look/icons.tsx';
import { onLookChange, readPalette } from '../look/palette.ts';
import { nodeStatus } from '../objects.ts';
import { type Camera, viewOf } from './camera.ts';
import css from './map.module.css';

const W = 168;
const H = 96;

export function Minimap({ camera, size, onGo }: { camera(): Camera; size(): { width: number; height: number }; onGo(to: Camera): void }) {
  const app = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const flowStore = useStoreApi();
  const frame = useRef({ scale: 1, x: 0, y: 0 });

  useEffect(() => {
    let palette = readPalette();
    let wanted = false;
    let drawn = -1;
    const tiles = new OffscreenCanvas(W * 2, H * 2);
    const paint = (): void => {
      wanted = false;
      const ctx = canvas.current?.getContext('2d');
      if (!ctx) return;
      const { cluster } = app;
      const extent = cluster.layout.extent(cluster.pods.byNode.get(-1)?.length ?? 0);
      const scale = Math.min((W - 12) / extent.w, (H - 12) / extent.h);
      const x = (W - extent.w * scale) / 2 - extent.x * scale;
      const y = (H - extent.h * scale) / 2 - extent.y * scale;
      frame.current = { scale, x, y };
      const seen = viewOf(camera(), size().width, size().height);
      const all = extent.x >= seen.x && extent.y >= seen.y && extent.x + extent.w <= seen.x + seen.w && extent.y + extent.h <= seen.y + seen.h;
      canvas.current!.hidden = all;
      if (all) return;
      const { version, nodes } = cluster.store.getState();
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      ctx.clearRect(0, 0, W * 2, H * 2);
      if (version !== drawn) {
        // The tiles change with the cluster, the frame with the camera: panning a fleet redraws only the frame.
        drawn = version;
        const base = tiles.getContext('2d')!;
        base.setTransform(2, 0, 0, 2, 0, 0);
        base.clearRect(0, 0, W, H);
        for (const [index, { box }] of cluster.layout.nodes) {
          const node = nodes.get(index);
          if (!node) continue;
          const status = nodeStatus(node);
          base.fillStyle = status === 0 ? palette.lineStrong : palette.status[status]!;
          base.fillRect(box.x * scale + x, box.y * scale + y, Math.max(1, box.w * scale - 1), Math.max(1, box.h * scale - 1));
        }
      }
      ctx.drawImage(tiles, 0, 0);
      ctx.setTransform(2, 0, 0, 2, 0, 0);
      const at = camera();
      const { width, height } = size();
      ctx.strokeStyle = palette.focus;
      ctx.lineWidth = 1.5;
      ctx.strokeRect((-at.x / at.zoom) * scale + x, (-at.y / at.zoom) * scale + y, (width / at.zoom) * scale, (height / at.zoom) * scale);
    };
    const request = (): void => {
      if (wanted) return;
      wanted = true;
      requestAnimationFrame(paint);
    };
    const stops = [
      flowStore.subscribe(request),
      app.cluster.store.subscribe(request),
      onLookChange(() => {
        palette = readPalette();
        drawn = -1;
        request();
      }),
    ];
    request();
    return () => {
      for (const stop of stops) stop();
    };
  }, [app, camera, flowStore, size]);

  const go = (event: React.PointerEvent): void => {
    if (event.buttons === 0) return;
    const rect = event.currentTarget.getBoundingClientRect();
    const { scale, x, y } = frame.current;
    const at = camera();
    const { width, height } = size();
    const wx = (event.clientX - rect.left - x) / scale;
    const wy = (event.clientY - rect.top - y) / scale;
    onGo({ x: width / 2 - wx * at.zoom, y: height / 2 - wy * at.zoom, zoom: at.zoom });
  };
  return (
    <div className={css['mini']}>
      <canvas ref={canvas} width={W * 2} height={H * 2} style={{ width: W, height: H }} aria-hidden="true" onPointerDown={go} onPointerMove={go} />
      <div className={css['zoom']} role="group" aria-label="Zoom">
        <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => app.map?.zoom(-1)}>
          <Icon name="minus" size={14} />
        </button>
        <button type="button" aria-label="Fit everything" title="Fit everything (0)" onClick={() => app.map?.fit()}>
          <Icon name="fit" size={14} />
        </button>
        <button type="button" aria-label="Zoom in" title="Zoom in (=)" onClick={() => app.map?.zoom(1)}>
          <Icon name="plus" size={14} />
        </button>
      </div>
    </div>
  );
}
