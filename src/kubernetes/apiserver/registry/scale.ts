/** The scale subresource: replicas of a workload, whatever its kind (autoscaling/v1 Scale; upstream pkg/registry/apps/*\/storage). */
import type { KubeObject } from '../../api/meta.ts';
import { type LabelSelectorLike, selectorOf } from '../../api/selector.ts';
import type { Scale } from '../../api/types.gen.ts';

interface Scalable extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: LabelSelectorLike | Record<string, string> };
  readonly status?: { readonly replicas?: number };
}

export function scaleOf(object: KubeObject): Scale {
  const { spec, status, metadata, kind } = object as Scalable;
  const plain = kind === 'ReplicationController';
  const selector = plain ? { matchLabels: (spec?.selector ?? {}) as Record<string, string> } : (spec?.selector as LabelSelectorLike | undefined);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as Scale['metadata'],
    spec: spec?.replicas ? { replicas: spec.replicas } : {},
    status: { replicas: status?.replicas ?? 0, selector: selectorOf(selector).toString() },
  };
}

/** The workload with the replicas a Scale asks for; its resourceVersion, if given, is a precondition. */
export function withScale(object: KubeObject, scale: Scale): KubeObject {
  const workload = object as Scalable;
  const replicas = scale.spec?.replicas ?? 0;
  const { resourceVersion: _, ...metadata } = workload.metadata;
  const changed = (workload.spec?.replicas ?? 1) !== replicas;
  return {
    ...workload,
    metadata: {
      ...metadata,
      ...(scale.metadata?.resourceVersion ? { resourceVersion: scale.metadata.resourceVersion } : {}),
      ...(changed ? { generation: (metadata.generation ?? 0) + 1 } : {}),
    },
    spec: { ...workload.spec, replicas },
  } as KubeObject;
}
