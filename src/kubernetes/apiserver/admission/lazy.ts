/**
 * A plugin whose code comes when a request first concerns it. The question whether it does is asked of the
 * watch cache and must be cheap; the code is loaded once per server while the clock stands still, whatever
 * other worlds of this program have loaded before, so that no world can tell.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { Attributes, Plugin, World } from './admission.ts';

type Heavy = typeof import('./bundle.ts');
export type HeavyName = keyof Heavy['HEAVY'];

const opened = new WeakMap<World, Heavy>();

const open = (world: World): Heavy | Promise<Heavy> =>
  opened.get(world) ??
  world.outside(import('./bundle.ts')).then((heavy) => {
    opened.set(world, heavy);
    return heavy;
  });

/** `phases`: which of the two it takes part in. */
export function lazy(name: HeavyName, phases: 'mutate' | 'validate' | 'both', concerns: (attributes: Attributes, world: World) => boolean): Plugin {
  const plugin: Plugin = {
    name,
    ...(phases === 'validate'
      ? {}
      : {
          mutate(attributes, world): KubeObject | Promise<KubeObject> {
            if (!concerns(attributes, world)) return attributes.object;
            const heavy = open(world);
            const run = ({ HEAVY }: Heavy) => (HEAVY[name] as Plugin).mutate!(attributes, world);
            return heavy instanceof Promise ? heavy.then(run) : run(heavy);
          },
        }),
    ...(phases === 'mutate'
      ? {}
      : {
          validate(attributes, world): void | Promise<void> {
            if (!concerns(attributes, world)) return;
            const heavy = open(world);
            const run = ({ HEAVY }: Heavy) => (HEAVY[name] as Plugin).validate!(attributes, world);
            return heavy instanceof Promise ? heavy.then(run) : run(heavy);
          },
        }),
  };
  return plugin;
}
