/** Defaults of pods and of everything that carries a pod template: pkg/apis/core/v1/defaults.go. */
import type {
  Container,
  ContainerPort,
  EnvVar,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Volume,
} from '../../api/types.gen.ts';
import { at, each, fill } from './fill.ts';

/** 0644, the mode of files in volumes made from objects. */
const FILE_MODE = 420;

export function podDefaults(pod: Pod): Pod {
  let spec = pod.spec;
  if (!spec) return pod;
  // These three hold for pods only, not for templates.
  spec = fill(spec, { enableServiceLinks: true });
  spec = at(spec, 'containers', (list) => each(list, requestsFromLimits));
  spec = at(spec, 'initContainers', (list) => each(list, requestsFromLimits));
  if (spec.hostNetwork) {
    spec = at(spec, 'containers', (list) => each(list, hostPorts));
    spec = at(spec, 'initContainers', (list) => each(list, hostPorts));
  }
  spec = podSpecDefaults(spec);
  return spec === pod.spec ? pod : { ...pod, spec };
}

export const podTemplateDefaults = (template: PodTemplateSpec): PodTemplateSpec => at(template, 'spec', podSpecDefaults);

const EMPTY = {};

export function podSpecDefaults(before: PodSpec): PodSpec {
  let spec = fill(before, {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: EMPTY,
    terminationGracePeriodSeconds: 30,
  });
  spec = at(spec, 'containers', (list) => each(list, containerDefaults));
  spec = at(spec, 'initContainers', (list) => each(list, containerDefaults));
  spec = at(spec, 'ephemeralContainers', (list) => each(list, containerDefaults as (c: EphemeralContainer) => EphemeralContainer));
  return at(spec, 'volumes', (list) => each(list, volumeDefaults));
}

function containerDefaults<C extends Container>(before: C): C {
  let container: Container = fill(before as Container, {
    imagePullPolicy: pullPolicyOf(before.image),
    resources: EMPTY,
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  container = at(container, 'ports', (list) => each(list, portDefaults));
  container = at(container, 'env', (list) => each(list, envDefaults));
  container = at(container, 'livenessProbe', probeDefaults);
  container = at(container, 'readinessProbe', probeDefaults);
  container = at(container, 'startupProbe', probeDefaults);
  container = at(container, 'lifecycle', (lifecycle) => at(at(lifecycle, 'postStart', handlerDefaults), 'preStop', handlerDefaults));
  return container as C;
}

/** `latest`, said or meant, is always pulled; any other tag or a digest only when it is not there. */
export function pullPolicyOf(image: string | undefined): 'Always' | 'IfNotPresent' {
  const reference = image ?? '';
  const afterSlash = reference.slice(reference.lastIndexOf('/') + 1);
  const digest = afterSlash.includes('@');
  const name = digest ? afterSlash.slice(0, afterSlash.indexOf('@')) : afterSlash;
  const colon = name.indexOf(':');
  const tag = colon >= 0 ? name.slice(colon + 1) : digest ? '' : 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function requestsFromLimits(container: Container): Container {
  const limits = container.resources?.limits;
  if (!limits) return container;
  const requests = container.resources?.requests ?? {};
  const filled = fill(requests, limits);
  return filled === requests ? container : { ...container, resources: { ...container.resources, requests: filled } };
}

const hostPorts = (container: Container): Container =>
  at(container, 'ports', (list) => each(list, (port) => (port.hostPort ? port : { ...port, hostPort: port.containerPort })));

const portDefaults = (port: ContainerPort): ContainerPort => fill(port, { protocol: 'TCP' });

const FIELD_REF = { apiVersion: 'v1' };

const envDefaults = (env: EnvVar): EnvVar =>
  at(env, 'valueFrom', (source) =>
    at(
      at(source, 'fieldRef', (ref) => fill(ref, FIELD_REF)),
      'resourceFieldRef',
      (ref) => fill(ref, { divisor: '0' }),
    ),
  );

function probeDefaults(before: Probe): Probe {
  let probe = fill(before, { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 });
  // A zero means "not said": these four are plain integers upstream.
  if (probe.failureThreshold === 0 || probe.periodSeconds === 0 || probe.successThreshold === 0 || probe.timeoutSeconds === 0) {
    probe = {
      ...probe,
      failureThreshold: probe.failureThreshold || 3,
      periodSeconds: probe.periodSeconds || 10,
      successThreshold: probe.successThreshold || 1,
      timeoutSeconds: probe.timeoutSeconds || 1,
    };
  }
  probe = at(probe, 'httpGet', httpGetDefaults);
  return at(probe, 'grpc', (grpc) => fill(grpc, { service: '' }));
}

const httpGetDefaults = (action: HTTPGetAction): HTTPGetAction => fill(action, { path: '/', scheme: 'HTTP' });
const handlerDefaults = (handler: LifecycleHandler): LifecycleHandler => at(handler, 'httpGet', httpGetDefaults);

function volumeDefaults(before: Volume): Volume {
  let volume = before;
  // A volume that names no source is an emptyDir.
  let sources = 0;
  for (const key in volume) if (key !== 'name' && (volume as unknown as Record<string, unknown>)[key] !== undefined) sources += 1;
  if (sources === 0) volume = { ...volume, emptyDir: EMPTY };
  volume = at(volume, 'secret', (source) => fill(source, { defaultMode: FILE_MODE }));
  volume = at(volume, 'configMap', (source) => fill(source, { defaultMode: FILE_MODE }));
  volume = at(volume, 'hostPath', (source) => fill(source, { type: '' }));
  volume = at(volume, 'downwardAPI', (source) =>
    at(fill(source, { defaultMode: FILE_MODE }), 'items', (items) => each(items, (item) => at(item, 'fieldRef', (ref) => fill(ref, FIELD_REF)))),
  );
  volume = at(volume, 'projected', (source) =>
    at(fill(source, { defaultMode: FILE_MODE }), 'sources', (list) =>
      each(list, (item) =>
        at(
          at(item, 'serviceAccountToken', (token) => fill(token, { expirationSeconds: 3600 })),
          'downwardAPI',
          (api) => at(api, 'items', (items) => each(items, (file) => at(file, 'fieldRef', (ref) => fill(ref, FIELD_REF)))),
        ),
      ),
    ),
  );
  return at(volume, 'ephemeral', (source) =>
    at(source, 'volumeClaimTemplate', (template) => at(template, 'spec', (spec) => fill(spec, { volumeMode: 'Filesystem' }))),
  );
}
