/**
 * The border: what only requests from outside need. Decoding and pruning text, validation in upstream's
 * words, tables, discovery, OpenAPI.
 *
 * The cluster's own components send values made of generated types (`ApiRequest.typed`), so a cluster
 * boots without it; it is brought in when the first person or foreign program asks, while the clock
 * stands still. The page loads a third less for it.
 *
 * Here simplified: a component's own write is not validated again. Upstream validates those too; ours are
 * made of templates that were validated when a person sent them.
 */
type Border = typeof import('./border-bundle.ts');

let brought: Border | undefined;

/** Brings it in. Real time passes: inside a world, wait for it with `Process.outside`. */
export async function openBorder(): Promise<void> {
  brought ??= await import('./border-bundle.ts');
}

export const isBorderOpen = (): boolean => brought !== undefined;

/** Throws when nobody opened it. */
export function border(): Border {
  if (!brought) throw new Error('the border is closed: openBorder() comes first');
  return brought;
}
