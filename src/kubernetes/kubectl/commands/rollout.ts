/** kubectl rollout: status, history, undo, restart, pause, resume (kubectl pkg/cmd/rollout). */
import type { Json } from '../../api/json.ts';
import { timestamp } from '../../api/time.ts';
import { fromFiles, resolveObjects, type Target } from '../builder.ts';
import { differenceOf, isEmpty, partOf, resourceText, sendPatch, withPart } from '../change.ts';
import { shownName } from '../discovery.ts';
import { AggregateFailure, KubectlError } from '../errors.ts';
import { DRY_RUN_FLAGS, FILE_FLAGS, type FlagSpecs, PRINT_FLAGS, text } from '../flags.ts';
import { objectPrinter } from '../printers/objects.ts';
import { type DryRun, dryRunOf, ResultPrinter } from '../printers/result.ts';
import { historyText, type Revision, revisionFor, revisionsOf, sameTemplate, templateOf, templateText, withoutHash } from '../rollout-history.ts';
import { STATUS_VIEWERS } from '../rollout-status.ts';
import type { JsonObject, ObjectLike, Session } from '../session.ts';
import { watchUntil } from '../wait.ts';
import type { Command } from './command.ts';

type Found = Target & { readonly object: ObjectLike };

const COMMON: FlagSpecs = { ...FILE_FLAGS, selector: text('l') };

/** Resolves, then does `each` for all that was found; every failure is reported. */
async function forFound(session: Session, args: readonly string[], each: (target: Found) => Promise<void>): Promise<void> {
  if (args.length === 0 && !fromFiles(session)) throw new KubectlError('required resource not specified');
  const { found, failures } = await resolveObjects(session, args, true);
  const errors = [...failures];
  for (const target of found) {
    try {
      await each(target);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateFailure(errors);
}

/** `Deployment`, `Deployment.apps`: schema.GroupKind as text. */
const groupKind = ({ info }: Target): string => (info.group === '' ? info.kind : `${info.kind}.${info.group}`);
const HISTORY_KINDS = ['Deployment', 'DaemonSet', 'StatefulSet'];
const OTHER_KINDS = ['Job', 'CronJob', 'Pod', 'ReplicaSet', 'ReplicationController'];

const status: Command = {
  summary: 'Show the status of the rollout',
  usage: 'kubectl rollout status (TYPE NAME | TYPE/NAME) [flags] [options]',
  flags: {
    ...COMMON,
    watch: { type: 'bool', short: 'w', default: 'true' },
    revision: { type: 'int', default: '0' },
    timeout: { type: 'duration', default: '0' },
  },
  run: async (session, args) => {
    const { flags } = session;
    const revision = flags.number('revision');
    if (revision < 0) throw new KubectlError(`revision must be a positive integer: ${revision}`);
    await forFound(session, args, async (target) => {
      const viewer = target.info.group === 'apps' ? STATUS_VIEWERS[target.info.kind] : undefined;
      if (!viewer) throw new KubectlError(`no status viewer has been implemented for ${target.info.kind}`);
      let seen = false;
      const outcome = await watchUntil(session, target, flags.duration('timeout'), (object) => {
        if (!object) {
          if (!seen) return false;
          throw new KubectlError('object has been deleted');
        }
        seen = true;
        const { text: line, done } = viewer(object, revision);
        session.out(line);
        return done || !flags.bool('watch');
      });
      if (outcome === 'timeout') throw new KubectlError('timed out waiting for the condition');
    });
  },
};

const history: Command = {
  summary: 'View rollout history',
  usage: 'kubectl rollout history (TYPE NAME | TYPE/NAME) [flags] [options]',
  flags: { ...COMMON, ...PRINT_FLAGS, revision: { type: 'int', default: '0' } },
  run: async (session, args) => {
    const wanted = session.flags.number('revision');
    if (wanted < 0) throw new KubectlError(`revision must be a positive integer: ${wanted}`);
    const printer = objectPrinter(session);
    await forFound(session, args, async (target) => {
      requireHistory(target, 'error retrieving history for', 'no history viewer has been implemented for');
      const revisions = await revisionsOf(session, target.object);
      if (printer) {
        const shown = wanted > 0 ? revisions.filter(({ number }) => number === wanted) : revisions;
        if (wanted > 0 && shown.length === 0) throw new KubectlError('unable to find the specified revision');
        for (const revision of shown) session.out(printer(revision.object));
        return;
      }
      session.out(`${shownName(target.info, target.name)} ${wanted > 0 ? `with revision #${wanted}` : ''}\n${historyText(revisions, wanted)}\n`);
    });
  },
};

function requireHistory(target: Found, retrieving: string, missing: string): void {
  const { info } = target;
  if (info.group === 'apps' && HISTORY_KINDS.includes(info.kind)) return;
  if (OTHER_KINDS.includes(info.kind)) throw new KubectlError(`${missing} ${JSON.stringify(groupKind(target))}`);
  throw new KubectlError(`${retrieving} ${JSON.stringify(groupKind(target))}, no visitor method exists for {${info.group} ${info.kind}}`);
}

const undo: Command = {
  summary: 'Undo a previous rollout',
  usage: 'kubectl rollout undo (TYPE NAME | TYPE/NAME) [flags] [options]',
  flags: { ...COMMON, ...PRINT_FLAGS, ...DRY_RUN_FLAGS, 'to-revision': { type: 'int', default: '0' } },
  run: async (session, args) => {
    const dryRun = dryRunOf(session);
    const printer = new ResultPrinter(session, dryRun);
    await forFound(session, args, async (target) => {
      requireHistory(target, 'error retrieving rollbacker for', 'no rollbacker has been implemented for');
      printer.print(target.info, target.object, await rollBack(session, target, session.flags.number('to-revision'), dryRun));
    });
  },
};

/** Annotations that belong to the deployment itself, not to its revisions. */
const KEPT = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/revision',
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
];

async function rollBack(session: Session, target: Found, wanted: number, dryRun: DryRun): Promise<string> {
  const { object } = target;
  const revision = revisionFor(object, await revisionsOf(session, object), wanted);
  if (dryRun === 'client') return templateText(revision.template);
  if (partOf(object, ['spec', 'paused']) === true)
    throw new KubectlError("you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again");
  if (sameTemplate(revision.template, templateOf(object))) return `skipped rollback (current template already matches revision ${wanted})`;
  try {
    if (target.info.kind === 'Deployment') await sendPatch(session, target, 'json', deploymentPatch(object, revision), { dryRun });
    else await sendPatch(session, target, 'strategic', (revision.record['data'] ?? {}) as Json, { dryRun });
  } catch (error) {
    throw new KubectlError(`failed restoring revision ${wanted}: ${(error as Error).message}`);
  }
  return 'rolled back';
}

function deploymentPatch(object: ObjectLike, revision: Revision): Json {
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries(object.metadata.annotations ?? {})) if (KEPT.includes(key)) annotations[key] = value;
  for (const [key, value] of Object.entries(revision.record.metadata.annotations ?? {})) if (!KEPT.includes(key)) annotations[key] = value;
  return [
    { op: 'replace', path: '/spec/template', value: withoutHash(revision.template) as Json },
    { op: 'replace', path: '/metadata/annotations', value: annotations },
  ];
}

/** Restart, pause and resume: each makes a changed object or says why not. */
function changer(operation: string, change: (target: Found, session: Session) => JsonObject): NonNullable<Command['run']> {
  return async (session, args) => {
    const printer = new ResultPrinter(session);
    await forFound(session, args, async (target) => {
      let after: JsonObject;
      try {
        after = change(target, session);
      } catch (error) {
        throw new KubectlError(`error: ${resourceText(target)} ${JSON.stringify(target.name)} ${(error as Error).message}`);
      }
      const { kind, patch } = differenceOf(target, target.object, after as ObjectLike);
      if (isEmpty(patch))
        throw new KubectlError(
          `failed to create patch for ${target.name}: if restart has already been triggered within the past second, please wait before attempting to trigger another`,
        );
      let result: ObjectLike;
      try {
        result = await sendPatch(session, target, kind, patch as Json, { manager: 'kubectl-rollout' });
      } catch (error) {
        throw new KubectlError(`failed to patch: ${(error as Error).message}`);
      }
      printer.print(target.info, result, operation);
    });
  };
}

const CHANGE_FLAGS: FlagSpecs = { ...COMMON, ...PRINT_FLAGS, 'field-manager': text(undefined, 'kubectl-rollout') };
const isPaused = (object: JsonObject): boolean => partOf(object, ['spec', 'paused']) === true;

const restart: Command = {
  summary: 'Restart a resource',
  usage: 'kubectl rollout restart RESOURCE [options]',
  flags: CHANGE_FLAGS,
  run: changer('restarted', ({ info, object }, session) => {
    if (info.group !== 'apps' || !HISTORY_KINDS.includes(info.kind)) throw new Error('restarting is not supported');
    if (isPaused(object)) throw new Error("can't restart paused deployment (run rollout resume first)");
    return withPart(object, ['spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt'], timestamp(session.self.process.clock.now()));
  }),
};

const pause: Command = {
  summary: 'Mark the provided resource as paused',
  usage: 'kubectl rollout pause RESOURCE [options]',
  flags: CHANGE_FLAGS,
  run: changer('paused', ({ info, object }) => {
    if (info.group !== 'apps' || info.kind !== 'Deployment') throw new Error('pausing is not supported');
    if (isPaused(object)) throw new Error('is already paused');
    return withPart(object, ['spec', 'paused'], true);
  }),
};

const resume: Command = {
  summary: 'Resume a paused resource',
  usage: 'kubectl rollout resume RESOURCE [options]',
  flags: CHANGE_FLAGS,
  run: changer('resumed', ({ info, object }) => {
    if (info.group !== 'apps' || info.kind !== 'Deployment') throw new Error('resuming is not supported');
    if (!isPaused(object)) throw new Error('is not paused');
    return withPart(object, ['spec', 'paused'], undefined);
  }),
};

export const rollout: Command = {
  summary: 'Manage the rollout of a resource',
  usage: 'kubectl rollout SUBCOMMAND [options]',
  subcommands: { history, pause, restart, resume, status, undo },
};
