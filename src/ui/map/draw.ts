/** One picture of the map: the levels from afar to near, then the relations of what is pointed at. Knows nothing of the DOM. */
import type { Context } from '../look/glyphs.ts';
import { type Camera, viewOf } from './camera.ts';
import { drawHeadings, drawMembers, drawServices, drawWaiting } from './draw-aside.ts';
import { drawEdges } from './draw-edges.ts';
import { drawFar } from './draw-far.ts';
import { drawNode, drawTitleOver } from './draw-node.ts';
import { inside } from './layout.ts';
import type { Scene } from './scene.ts';

export interface Drawn {
  /** Something is still coming or going: another picture is wanted. */
  readonly moving: boolean;
}

export function draw(ctx: Context, scene: Scene, camera: Camera): Drawn {
  const view = viewOf(camera, scene.width, scene.height);
  const nodes = scene.layout.nodesIn(view);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  let moving = false;
  if (scene.level === 0) {
    drawFar(ctx, scene, camera, nodes);
    ctx.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
  } else {
    ctx.clearRect(0, 0, scene.width * scene.ratio, scene.height * scene.ratio);
    ctx.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
    for (const index of nodes) moving = drawNode(ctx, scene, camera, index) || moving;
  }
  moving = drawWaiting(ctx, scene, camera) || moving;
  drawMembers(ctx, scene, camera, view);
  drawServices(ctx, scene, camera, view);
  drawHeadings(ctx, scene, camera);
  drawEdges(ctx, scene, camera, () => {
    if (scene.level < 2) return;
    for (const index of nodes) {
      const box = scene.layout.nodeBox(index);
      if (box && scene.edges.some(({ kind, to }) => kind === 'selects' && inside(box, to.x, to.y))) drawTitleOver(ctx, scene, camera, index);
    }
  });
  return { moving };
}
