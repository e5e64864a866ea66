/** What a server needs that serves devices (resource.k8s.io), which `--runtime-config` asks for: brought in when it starts. */
type Bundle = typeof import('./devices-bundle.ts');
let brought: Bundle | undefined;

export async function openDevices(): Promise<void> {
  brought ??= await import('./devices-bundle.ts');
}

/** Throws when nobody opened it: a server that serves no devices has no business here. */
export function devices(): Bundle {
  if (!brought) throw new Error('devices have not been brought in: openDevices() comes first');
  return brought;
}
