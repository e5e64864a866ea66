/**
 * The shell and its programs, brought in when first run: a cluster boots without them, and the page loads
 * sooner. The clock stands still meanwhile (`Process.outside`), so no world can tell.
 */
import type { Process } from '../../sim/process.ts';
import type { Program } from '../program.ts';

type Bundle = typeof import('./bundle.ts');

/** What people and scripts may look at and is not there yet: brought in with the shell. */
const also: (() => Promise<unknown>)[] = [];
export const alsoBring = (load: () => Promise<unknown>): void => {
  if (!also.includes(load)) also.push(load);
};

export const bringShell = (self: Process): Promise<Bundle> =>
  self.outside(Promise.all([import('./bundle.ts'), ...also.map((load) => load())]).then(([bundle]) => bundle));

/** A program of the bundle: an applet, or `sh`. */
export const bringApplet =
  (name: string): Program =>
  async (self) => {
    const { applets, sh } = await bringShell(self.process);
    return (name === 'sh' ? sh : applets[name]!)(self);
  };

/** Every applet's name; a test holds it against the applets themselves. */
export const APPLET_NAMES: readonly string[] =
  '[ awk base64 basename cat chmod chown clear column cp curl cut date diff dirname echo egrep env false fgrep find grep head hostname id ls mkdir mv nano nc nl nslookup ping printenv printf ps pwd readlink realpath reset rev rm rmdir sed seq sleep sort stat sync tac tail tar tee test timeout touch tr true uname uniq uptime watch wc wget which whoami xargs yes'.split(
    ' ',
  );

export const lazyApplets: Readonly<Record<string, Program>> = Object.fromEntries(APPLET_NAMES.map((name) => [name, bringApplet(name)]));
