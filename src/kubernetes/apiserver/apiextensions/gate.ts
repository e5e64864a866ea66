/**
 * Whether this server needs to know about custom kinds yet. Everything that does is a part of the program of its
 * own, brought in when the first definition is written or found, so that no cluster without them pays for it.
 */
import type { Process } from '../../../sim/process.ts';
import type { ResourceRow } from '../../api/resources.ts';
import type { WatchCache } from '../watch-cache.ts';
import type { Extensions } from './custom-kind.ts';

type Bundle = typeof import('./extensions.ts');
let brought: Bundle | undefined;

/** Throws when nobody has opened it: `ExtensionsGate.open` comes first. */
export function extensionsBundle(): Bundle {
  if (!brought) throw new Error('the extensions are closed: a definition comes through the gate first');
  return brought;
}

export const DEFINITIONS = '/registry/apiextensions.k8s.io/customresourcedefinitions/';
export const isDefinition = (row: Pick<ResourceRow, 'group' | 'plural'>): boolean =>
  row.group === 'apiextensions.k8s.io' && row.plural === 'customresourcedefinitions';

export class ExtensionsGate {
  /** Undefined until there is a definition. */
  extensions: Extensions | undefined;

  constructor(
    private readonly self: Process,
    private readonly cache: WatchCache,
    private readonly make: (bundle: Bundle) => Extensions,
  ) {
    // Another server of the same cluster may have written the first one.
    cache.listen((prefix) => {
      if (prefix === DEFINITIONS && !this.extensions) self.spawn(`${self.name}/extensions`, () => this.open());
    });
  }

  /** Must a request for this group wait until `open` is done? Reading that there are none needs nothing. */
  needed(group: string, reads: boolean): boolean {
    return this.extensions === undefined && ((group === 'apiextensions.k8s.io' && !reads) || this.cache.any(DEFINITIONS));
  }

  async open(): Promise<void> {
    if (this.extensions) return;
    await this.self.outside(
      (async () => {
        brought ??= await import('./extensions.ts');
      })(),
    );
    this.extensions ??= this.make(brought!);
  }
}
