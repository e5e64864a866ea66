/** ImageLocality: prefers nodes that have the pod's images already, by size, scaled by how common they are (`imagelocality/image_locality.go`). */
import { constant, MAX_NODE_SCORE, type Plugin } from '../framework.ts';

const MB = 1024 * 1024;
const MIN_THRESHOLD = 23 * MB;
const MAX_CONTAINER_THRESHOLD = 1000 * MB;

/** `nginx` and `nginx:latest` name one image. */
const normalized = (image: string): string => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image);

interface Wanted {
  /** Those that some node has at all. */
  readonly images: readonly { readonly name: string; readonly share: number }[];
  readonly max: number;
}

/** Names are compared as they are written: of a pod that says `nginx`, no node that lists `docker.io/library/nginx:latest` is known to have it. */
export const imageLocality: Plugin = {
  name: 'ImageLocality',
  preScore: (state, pod, nodes) => {
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    const total = nodes.list().length;
    const images = containers.flatMap(({ image = '' }) => {
      const name = normalized(image);
      const having = nodes.imageNodes(name);
      return having === 0 ? [] : [{ name, share: having / total }];
    });
    state.set('ImageLocality', { images, max: MAX_CONTAINER_THRESHOLD * containers.length } satisfies Wanted);
    return undefined;
  },
  scoreAll: (state, pod, feasible) =>
    (state.get('ImageLocality') as Wanted).images.length === 0 ? constant(feasible.length, 0) : feasible.map((info) => imageLocality.score!(state, pod, info)),
  score: (state, _pod, info) => {
    const { images, max } = state.get('ImageLocality') as Wanted;
    if (images.length === 0) return 0;
    const sizes = info.imageSizes();
    let sum = 0;
    for (const { name, share } of images) sum += Math.floor((sizes.get(name) ?? 0) * share);
    if (sum < MIN_THRESHOLD) return 0;
    return Math.floor((MAX_NODE_SCORE * (Math.min(sum, max) - MIN_THRESHOLD)) / (max - MIN_THRESHOLD));
  },
};
