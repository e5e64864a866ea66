/** ImageLocality: prefers nodes that have the pod's images already, by size, scaled by how common they are (`imagelocality/image_locality.go`). */
import type { DeepReadonly } from '../../api/json.ts';
import type { Node } from '../../api/types.gen.ts';
import { type CycleState, MAX_NODE_SCORE, type Plugin } from '../framework.ts';

const MB = 1024 * 1024;
const MIN_THRESHOLD = 23 * MB;
const MAX_CONTAINER_THRESHOLD = 1000 * MB;

/** `nginx` and `nginx:latest` name one image. */
const normalized = (image: string): string => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image);

/** Bytes of an image on a node; 0 when it is not there. */
function sizeOn(node: DeepReadonly<Node>, image: string): number {
  const wanted = normalized(image);
  for (const { names, sizeBytes } of node.status?.images ?? [])
    if ((names ?? []).some((name) => name === wanted || name.endsWith(`/${wanted}`))) return sizeBytes ?? 0;
  return 0;
}

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  weight: 1,
  preScore: (state: CycleState, pod, snapshot) => {
    const images = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((container) => container.image ?? '');
    const nodes = snapshot.list();
    state.set('images', new Map(images.map((image) => [image, nodes.filter((info) => sizeOn(info.node, image) > 0).length])));
    state.set('images/nodes', nodes.length);
    return undefined;
  },
  score: (state, pod, { node }) => {
    const spread = state.get('images') as ReadonlyMap<string, number>;
    const nodes = state.get('images/nodes') as number;
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    let sum = 0;
    for (const { image = '' } of containers) sum += Math.floor((sizeOn(node, image) * (spread.get(image) ?? 0)) / nodes);
    const max = MAX_CONTAINER_THRESHOLD * containers.length;
    const clamped = Math.min(Math.max(sum, MIN_THRESHOLD), max);
    return Math.floor((MAX_NODE_SCORE * (clamped - MIN_THRESHOLD)) / (max - MIN_THRESHOLD));
  },
};
