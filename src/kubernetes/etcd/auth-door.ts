/** Brings in users and roles (`auth.ts`) when somebody first makes one: few worlds have any, and a world boots sooner without. */
import type { Process } from '../../sim/process.ts';
import type { Auth, AuthImage } from './auth.ts';

let Made: typeof Auth | undefined;

/** To be awaited before an operation on users and roles is proposed, or an image with some is read. */
export async function openAuth(self: Process): Promise<void> {
  Made ??= (await self.outside(import('./auth.ts'))).Auth;
}

/** Throws when the door was not opened before. */
export function makeAuth(image?: AuthImage): Auth {
  if (!Made) throw new Error('etcd: auth.ts is not here yet');
  const auth = new Made();
  if (image) auth.restore(image);
  return auth;
}
