/** Can an APIService be reached? (kube-aggregator `pkg/controllers/status/remote/remote_available_controller.go`) */
import { seconds } from '../../../sim/clock.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { DialService } from '../webhook-client.ts';

export interface ApiService extends KubeObject {
  readonly spec: {
    readonly group?: string;
    readonly version?: string;
    readonly groupPriorityMinimum?: number;
    readonly versionPriority?: number;
    readonly insecureSkipTLSVerify?: boolean;
    readonly service?: { readonly namespace?: string; readonly name?: string; readonly port?: number };
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason: string;
  readonly message: string;
}

interface Service extends KubeObject {
  readonly spec?: { readonly type?: string; readonly clusterIP?: string; readonly ports?: readonly { readonly name?: string; readonly port: number }[] };
}
interface Slice extends KubeObject {
  readonly endpoints?: readonly { readonly addresses?: readonly string[]; readonly conditions?: { readonly ready?: boolean } }[];
  readonly ports?: readonly { readonly name?: string }[];
}

export interface Look {
  service(namespace: string, name: string): KubeObject | undefined;
  slices(namespace: string, name: string): readonly KubeObject[];
  readonly dial: DialService | undefined;
}

export interface Judgement {
  readonly condition: Condition;
  /** The body of the discovery document that was fetched. */
  readonly discovery?: string;
}

const say = (status: string, reason: string, message: string): Judgement => ({ condition: { type: 'Available', status, reason, message } });
export const LOCAL = say('True', 'Local', 'Local APIServices are always available').condition;
const CHECK = seconds(5);

/** One look, over the network at the end. */
export async function judge({ spec }: ApiService, look: Look): Promise<Judgement> {
  const { name = '', namespace = '', port = 443 } = spec.service ?? {};
  const service = look.service(namespace, name) as Service | undefined;
  if (!service) return say('False', 'ServiceNotFound', `service/${name} in ${JSON.stringify(namespace)} is not present`);
  const ip = service.spec?.clusterIP ?? '';
  if (service.spec?.type !== 'ExternalName') {
    const found = service.spec?.ports?.find((each) => each.port === port);
    if (!found) return say('False', 'ServicePortError', `service/${name} in ${JSON.stringify(namespace)} is not listening on port ${port}`);
    const slices = look.slices(namespace, name) as readonly Slice[];
    if (slices.length === 0) return say('False', 'EndpointsNotFound', `cannot find endpointslices for service/${name} in ${JSON.stringify(namespace)}`);
    const active = slices.some(
      (slice) =>
        (slice.ports ?? []).some((each) => (each.name ?? '') === (found.name ?? '')) &&
        (slice.endpoints ?? []).some((endpoint) => (endpoint.conditions?.ready ?? true) && (endpoint.addresses?.length ?? 0) > 0),
    );
    if (!active)
      return say(
        'False',
        'MissingEndpoints',
        `endpoints for service/${name} in ${JSON.stringify(namespace)} have no addresses with port name ${JSON.stringify(found.name ?? '')}`,
      );
  }
  const path = `/apis/${spec.group}/${spec.version}`;
  const url = `https://${ip}:${port}${path}`;
  try {
    if (!look.dial) throw new Error(`dial tcp ${ip}:${port}: connect: no route to host`);
    const { status, body } = await look.dial({
      method: 'GET',
      ip,
      port,
      host: `${name}.${namespace}.svc:${port}`,
      path,
      headers: { accept: 'application/json' },
      timeout: CHECK,
    });
    if (status < 200 || status > 299) return say('False', 'FailedDiscoveryCheck', `failing or missing response from ${url}: bad status from ${url}: ${status}`);
    return { ...say('True', 'Passed', 'all checks passed'), discovery: body };
  } catch (error) {
    return say(
      'False',
      'FailedDiscoveryCheck',
      `failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
