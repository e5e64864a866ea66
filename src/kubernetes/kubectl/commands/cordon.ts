/** kubectl cordon and uncordon (kubectl pkg/cmd/drain). */
import { getObject, listObjects, type Target } from '../builder.ts';
import { partOf, sendPatch } from '../change.ts';
import type { ResourceInfo } from '../discovery.ts';
import { errorText, usageError } from '../errors.ts';
import { DRY_RUN_FLAGS, type FlagSpecs, text } from '../flags.ts';
import { type DryRun, dryRunOf, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import type { Command } from './command.ts';

export type NodeTarget = Target & { readonly object: ObjectLike };
export const NODE_FLAGS: FlagSpecs = { ...DRY_RUN_FLAGS, selector: text('l') };

export const nodeInfo = (session: Session): Promise<ResourceInfo> => session.discovery.resolve('nodes');

/** The nodes named, or selected. */
export async function nodesOf(session: Session, args: readonly string[]): Promise<readonly NodeTarget[]> {
  const verb = session.command.split(' ')[1] ?? '';
  const selector = session.flags.text('selector');
  if (args.length === 0 && !session.flags.has('selector')) throw usageError(session.command, `USAGE: ${verb} NODE [flags]`);
  if (args.length > 0 && selector !== '') throw usageError(session.command, 'cannot specify both a node name and a --selector option');
  const info = await nodeInfo(session);
  if (args.length === 0) {
    const list = await listObjects(session, info, { everything: true, selector });
    return list.items.map((object) => ({ info, namespace: '', name: object.metadata.name ?? '', object }));
  }
  const found: NodeTarget[] = [];
  for (const arg of args) {
    const target = { info, namespace: '', name: arg.replace(/^nodes?\//, '') };
    found.push({ ...target, object: await getObject(session, target) });
  }
  return found;
}

/** Marks each node; one that fails is reported and the others go on. */
export async function mark(session: Session, nodes: readonly NodeTarget[], unschedulable: boolean, dryRun: DryRun): Promise<void> {
  const printer = new ResultPrinter(session, dryRun);
  const word = unschedulable ? 'cordoned' : 'uncordoned';
  for (const node of nodes) {
    if ((partOf(node.object, ['spec', 'unschedulable']) === true) === unschedulable) {
      printer.print(node.info, node.object, `already ${word}`);
      continue;
    }
    try {
      if (dryRun !== 'client') await sendPatch(session, node, 'strategic', { spec: { unschedulable: unschedulable ? true : null } }, { dryRun });
    } catch (error) {
      session.err(`error: unable to ${unschedulable ? 'cordon' : 'uncordon'} node ${JSON.stringify(node.name)}: ${plain(error, session)}\n`);
      continue;
    }
    printer.print(node.info, node.object, word);
  }
}

/** An error's own words, without what is put before them on the last line of a command. */
export const plain = (error: unknown, session: Session): string =>
  errorText(error, session.server).replace(/^error: |^Error from server( \([A-Za-z]+\))?: /, '');

const marker = (summary: string, unschedulable: boolean): Command => ({
  summary,
  usage: `kubectl ${unschedulable ? 'cordon' : 'uncordon'} NODE [options]`,
  flags: NODE_FLAGS,
  run: async (session, args) => {
    const dryRun = dryRunOf(session);
    await mark(session, await nodesOf(session, args), unschedulable, dryRun);
  },
});

export const cordon = marker('Mark node as unschedulable', true);
export const uncordon = marker('Mark node as schedulable', false);
