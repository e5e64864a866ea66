/** What the `set` commands share: objects, a change to each, a patch (kubectl pkg/cmd/set/helper.go). */
import type { Json } from '../../api/json.ts';
import { loadFiles, locate, resolveObjects, type Target } from '../builder.ts';
import { differenceOf, isEmpty, sendPatch } from '../change.ts';
import { AggregateFailure, KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, type FlagSpecs, PRINT_FLAGS, text } from '../flags.ts';
import { podSpecPath } from '../pod-spec.ts';
import { dryRunOf, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';

export type Found = Target & { readonly object: ObjectLike };

export const SET_FLAGS: FlagSpecs = {
  ...FILE_FLAGS,
  ...PRINT_FLAGS,
  ...DRY_RUN_FLAGS,
  local: bool(),
  all: bool(),
  selector: text('l'),
  'field-manager': text(undefined, 'kubectl-set'),
};

/** Files alone with --local, else what the server has. Throws what went wrong when nothing was found. */
export async function objectsFor(
  session: Session,
  resources: readonly string[],
): Promise<{ readonly found: readonly Found[]; readonly failures: readonly unknown[] }> {
  if (!session.flags.bool('local')) {
    const { found, failures } = await resolveObjects(session, resources);
    if (found.length === 0 && failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateFailure(failures);
    return { found, failures };
  }
  if (resources.length > 0) throw new KubectlError('can only use local files by -f rsrc.yaml or --filename=rsrc.json when --local=true is set');
  if (dryRunOf(session) === 'server') throw new KubectlError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  const found: Found[] = [];
  // As the file has it: nothing is added where nothing is sent.
  for (const loaded of await loadFiles(session)) found.push({ ...(await locate(session, loaded)), object: loaded.object });
  return { found, failures: [] };
}

/** Path to the pod spec. Throws KubectlError for what has none. */
export function requirePodSpec(target: Target): readonly string[] {
  const path = podSpecPath(target);
  if (path) return path;
  throw new KubectlError(
    `${target.info.resource}/${target.name} the object is not a pod or does not have a pod template: *${target.info.version}.${target.info.kind}`,
  );
}

export interface Change {
  readonly found: readonly Found[];
  readonly failures: readonly unknown[];
  readonly manager: string;
  /** `image updated`. */
  readonly outcome: string;
  /** Before what the server refused: `failed to patch image update to pod template`. */
  readonly failed: string;
  change(target: Found): ObjectLike;
}

/** Nothing is printed for objects that stay as they are. */
export async function changeAll(session: Session, { found, failures, manager, outcome, failed, change }: Change): Promise<void> {
  const dryRun = dryRunOf(session);
  const local = session.flags.bool('local');
  const printer = new ResultPrinter(session, dryRun);
  const errors: unknown[] = [...failures];
  for (const target of found) {
    try {
      const after = change(target);
      const { kind, patch } = differenceOf(target, target.object, after);
      if (isEmpty(patch) && !(local && session.flags.text('output') !== '')) continue;
      if (local || dryRun === 'client') {
        printer.printTyped(target.info, after, outcome);
        continue;
      }
      const result = await sendPatch(session, target, kind, patch as Json, { manager, dryRun }).catch((error: Error) => {
        throw new KubectlError(`${failed}: ${error.message}`);
      });
      printer.printTyped(target.info, result, outcome);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateFailure(errors);
}
