/**
 * Certificates and signatures are brought in when somebody looks at one or presents one: a cluster boots
 * without. Real time passes while they load: inside a world, wait for it with `Process.outside`.
 */
type Pki = typeof import('./bundle.ts');

let brought: Pki | undefined;

export async function openPki(): Promise<Pki> {
  brought ??= await import('./bundle.ts');
  return brought;
}

/** Throws when nobody opened it. */
export function pki(): Pki {
  if (!brought) throw new Error('certificates have not been brought in: openPki() comes first');
  return brought;
}
