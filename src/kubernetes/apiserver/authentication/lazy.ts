/**
 * What only those need who show a certificate or a token of their own, or ask for one: brought in when the first such
 * request arrives, while the clock stands still.
 */
import { openPki } from '../../api/pki/lazy.ts';
import type { ApiRequest } from '../../api/request.ts';

type Foreign = typeof import('./bundle.ts');

let brought: Foreign | undefined;

const ASKS_FOR_KEYS = /\/serviceaccounts\/[^/]+\/token$|\/certificatesigningrequests|\/tokenreviews$|^\/openid\/|^\/\.well-known\//;

/** Whether a request cannot be answered without. Depends on nothing but the request. */
export function needsForeign({ certificate, headers, path, typed }: ApiRequest): boolean {
  if (certificate?.pem !== undefined) return true;
  const shown = headers['authorization'];
  if (shown !== undefined && !/^bearer +~/i.test(shown)) return true;
  return !typed && ASKS_FOR_KEYS.test(path);
}

/** Real time passes: inside a world, wait for it with `Process.outside`. */
export async function openForeign(): Promise<void> {
  const [bundle] = await Promise.all([import('./bundle.ts'), openPki()]);
  brought ??= bundle;
}

/** Throws when nobody opened it. */
export function foreign(): Foreign {
  if (!brought) throw new Error('nobody has opened what strangers need: openForeign() comes first');
  return brought;
}
