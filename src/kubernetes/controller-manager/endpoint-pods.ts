/** Which pods stand behind a Service, and at which ports; shared by the Endpoints and EndpointSlice controllers (endpointslice/util, pkg/api/v1/endpoints). */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { matchesSet } from '../api/selector.ts';
import type { Service, ServicePort } from '../api/types.gen.ts';
import type { Context } from './controller.ts';
import { isFinished, type ReadonlyPod } from './pods.ts';

export type ReadonlyService = DeepReadonly<Service>;

/** Services whose endpoints are ours to write. Those without a selector are somebody else's; ExternalName ones have none. */
export const hasEndpoints = (service: ReadonlyService): boolean =>
  service.spec?.type !== 'ExternalName' && Object.keys(service.spec?.selector ?? {}).length > 0;

/** In use, and reachable at an address. */
export const isInEndpoints = (pod: ReadonlyPod, includeTerminating: boolean): boolean =>
  !isFinished(pod) && !!pod.status?.podIP && (includeTerminating || !pod.metadata.deletionTimestamp);

export const podsBehind = (service: ReadonlyService, { informer }: Context): readonly ReadonlyPod[] =>
  informer('Pod')
    .list(service.metadata.namespace)
    .filter((pod) => matchesSet(service.spec?.selector, pod.metadata.labels));

/** Keys of the Services that a pod is, or was, behind. Only changes that endpoints can show count (`podEndpointsChanged`). */
export function servicesOf(pod: ReadonlyPod, { informer }: Context): readonly string[] {
  return informer('Service')
    .list(pod.metadata.namespace)
    .filter((service) => hasEndpoints(service) && matchesSet(service.spec?.selector, pod.metadata.labels))
    .map(keyOf);
}

export interface EndpointPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

/** The Service's ports as this pod has them: named target ports are looked up in its containers; a pod without the name has not that port. */
export function portsFor(service: ReadonlyService, pod: ReadonlyPod): readonly EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    return number === undefined
      ? []
      : [{ name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP', ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}) }];
  });
}

function targetPort(port: DeepReadonly<ServicePort>, pod: ReadonlyPod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target || port.port;
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const candidate of container.ports ?? [])
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP')) return candidate.containerPort;
  return undefined;
}

export const isHeadless = (service: ReadonlyService): boolean => service.spec?.clusterIP === 'None';
