/** kubectl apply set-last-applied: makes the annotation say what a file says, and changes nothing else (kubectl `pkg/cmd/apply/apply_set_last_applied.go`). */
import type { Json } from '../../api/json.ts';
import { LAST_APPLIED } from '../../api/three-way.ts';
import { getObject, loadFiles, locate, type Target } from '../builder.ts';
import { pathOf } from '../discovery.ts';
import { KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, PRINT_FLAGS } from '../flags.ts';
import { goJson } from '../printers/objects.ts';
import { dryRunOf, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import type { Command } from './command.ts';

export const setLastApplied: Command = {
  summary: 'Set the last-applied-configuration annotation on a live object to match the contents of a file',
  usage: 'kubectl apply set-last-applied -f FILENAME [options]',
  flags: { ...FILE_FLAGS, ...PRINT_FLAGS, ...DRY_RUN_FLAGS, 'create-annotation': bool() },
  run,
};

async function run(session: Session): Promise<void> {
  const dryRun = dryRunOf(session);
  const printer = new ResultPrinter(session, dryRun);
  const changes: { readonly target: Target; readonly object: ObjectLike; readonly text: string }[] = [];
  for (const loaded of await loadFiles(session)) {
    const target = await locate(session, loaded);
    const live = await getObject(session, target);
    const before = live.metadata.annotations?.[LAST_APPLIED];
    if (before === undefined && !session.flags.bool('create-annotation'))
      throw new KubectlError(
        `no last-applied-configuration annotation found on resource: ${target.name}, to create the annotation, run the command with --create-annotation`,
      );
    const text = `${goJson(target.object as unknown as Json, 0)}\n`;
    if (before?.trim() === text.trim()) session.out(`set-last-applied ${target.name}: no changes required.\n`);
    else changes.push({ target, object: target.object, text });
  }
  for (const { target, object, text } of changes) {
    if (dryRun === 'client') {
      printer.print(target.info, object, 'configured');
      continue;
    }
    const patched = await session.request('PATCH', pathOf(target.info, target.namespace, target.name), {
      query: dryRun === 'server' ? { dryRun: 'All' } : {},
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [LAST_APPLIED]: text } } },
    });
    printer.print(target.info, patched as unknown as ObjectLike, 'configured');
  }
}
