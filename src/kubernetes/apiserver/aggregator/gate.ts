/**
 * Whether this server must look at APIServices yet: when somebody asks for them, or one of them leads to a
 * Service of the cluster. What does the work is a part of the program of its own (`aggregator.ts`).
 */
import type { Process } from '../../../sim/process.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { WatchCache } from '../watch-cache.ts';
import type { Aggregator } from './aggregator.ts';

type Bundle = typeof import('./aggregator.ts');
let brought: Bundle | undefined;

export const API_SERVICES = '/registry/apiregistration.k8s.io/apiservices/';
const isRemote = (object: KubeObject): boolean => (object as { spec?: { service?: unknown } }).spec?.service != null;

/** The rules of APIServices. Throws when the gate is closed: a request for them has opened it. */
export function aggregatorBundle(): Bundle {
  if (!brought) throw new Error('the aggregator is closed: a request for APIServices opens it');
  return brought;
}

export class AggregatorGate {
  aggregator: Aggregator | undefined;
  private remote = false;

  constructor(
    private readonly self: Process,
    private readonly cache: WatchCache,
    private readonly make: (bundle: Bundle) => Aggregator,
  ) {
    cache.listen((prefix, { object }) => {
      if (prefix !== API_SERVICES || this.aggregator || !isRemote(object)) return;
      this.remote = true;
      self.spawn(`${self.name}/aggregator`, () => this.open());
    });
  }

  /** After the cache was filled: are there APIServices that lead elsewhere? */
  look(): void {
    for (const { object } of this.cache.under(API_SERVICES)) if (isRemote(object)) this.remote = true;
  }

  needed(group: string): boolean {
    return this.aggregator === undefined && (this.remote || group === 'apiregistration.k8s.io');
  }

  async open(): Promise<void> {
    if (this.aggregator) return;
    await this.self.outside(
      (async () => {
        brought ??= await import('./aggregator.ts');
      })(),
    );
    this.aggregator ??= this.make(brought!);
  }
}
