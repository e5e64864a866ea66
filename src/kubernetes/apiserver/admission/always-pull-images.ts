/** AlwaysPullImages: nobody runs an image that another tenant has pulled with credentials they have not (plugin/pkg/admission/alwayspullimages). Off by default. */
import type { KubeObject } from '../../api/meta.ts';
import type { Pod } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import { nameOf, type Plugin } from './admission.ts';
import { aggregate } from './aggregate.ts';

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

export const alwaysPullImages: Plugin = {
  name: 'AlwaysPullImages',
  mutate({ object }) {
    const pod = object as Pod;
    const spec = { ...pod.spec } as Record<string, unknown>;
    for (const list of LISTS) {
      const containers = pod.spec?.[list] as readonly object[] | undefined;
      if (containers) spec[list] = containers.map((container) => ({ ...container, imagePullPolicy: 'Always' }));
    }
    return { ...pod, spec } as unknown as KubeObject;
  },
  validate(attributes) {
    const pod = attributes.object as Pod;
    const errors = LISTS.flatMap((list) =>
      ((pod.spec?.[list] ?? []) as readonly { imagePullPolicy?: string }[]).flatMap(({ imagePullPolicy }, i) =>
        imagePullPolicy === 'Always'
          ? []
          : [`spec.${list}[${i}].imagePullPolicy: Unsupported value: ${JSON.stringify(imagePullPolicy ?? '')}: supported values: "Always"`],
      ),
    );
    if (errors.length > 0) throw forbidden('', 'pods', nameOf(attributes), aggregate(errors));
  },
};
