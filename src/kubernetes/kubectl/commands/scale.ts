/** kubectl scale: writes the scale subresource (kubectl pkg/cmd/scale, pkg/scale). */

import { resolveObjects, type Target } from '../builder.ts';
import { partOf, sendPatch } from '../change.ts';
import { pathOf } from '../discovery.ts';
import { AggregateFailure, isNotFound, KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { type DryRun, dryRunOf, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import type { Command } from './command.ts';

export const scale: Command = {
  summary: 'Set a new size for a deployment, replica set, or replication controller',
  usage: 'kubectl scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME) [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    ...DRY_RUN_FLAGS,
    replicas: { type: 'int', default: '0' },
    'current-replicas': { type: 'int', default: '-1' },
    'resource-version': text(),
    selector: text('l'),
    all: bool(),
    timeout: { type: 'duration', default: '0' },
  },
  required: ['replicas'],
  run: async (session, args) => {
    const { flags } = session;
    if (flags.number('replicas') < 0) throw new KubectlError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
    if (flags.number('current-replicas') < -1) throw new KubectlError('The --current-replicas must specify an integer of -1 or greater');
    const dryRun = dryRunOf(session);
    const { found, failures } = await resolveObjects(session, args);
    if (flags.text('resource-version') !== '' && found.length > 1) throw new KubectlError('cannot use --resource-version with multiple resources');
    if (found.length === 0)
      throw new KubectlError(`no objects passed to scale${failures.length > 0 ? ` ${failures.map((error) => (error as Error).message).join(', ')}` : ''}`);
    const printer = new ResultPrinter(session, dryRun);
    const errors: unknown[] = [...failures];
    for (const target of found) {
      try {
        if (dryRun !== 'client') await scaleOne(session, target, dryRun);
        printer.print(target.info, target.object, 'scaled');
      } catch (error) {
        errors.unshift(error);
        break;
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateFailure(errors);
  },
};

async function scaleOne(session: Session, target: Target, dryRun: DryRun): Promise<void> {
  const { flags } = session;
  const wanted = flags.number('replicas');
  const path = pathOf(target.info, target.namespace, target.name, 'scale');
  const version = flags.text('resource-version');
  const expected = flags.number('current-replicas');
  if (expected !== -1 || version !== '') {
    const current = (await session.request('GET', path)) as unknown as ObjectLike;
    const replicas = Number(partOf(current, ['spec', 'replicas']) ?? 0);
    if (expected !== -1 && replicas !== expected) throw new KubectlError(`Expected replicas to be ${expected}, was ${replicas}`);
    if (version !== '' && current.metadata.resourceVersion !== version)
      throw new KubectlError(`Expected resource version to be ${version}, was ${current.metadata.resourceVersion}`);
    await session.request('PUT', path, {
      query: dryRun === 'server' ? { dryRun: 'All' } : {},
      body: { ...current, spec: { ...(current['spec'] as object), replicas: wanted } },
    });
  } else await sendPatch(session, target, 'merge', { spec: { replicas: wanted } }, { dryRun, subresource: 'scale' });
  const timeout = flags.duration('timeout');
  if (timeout <= 0 || dryRun !== 'none') return;
  // pkg/scale WaitForScaleHasDesiredReplicas: asks every second until the controller says the size is right.
  const { clock } = session.self.process;
  const end = clock.now() + timeout;
  for (;;) {
    const now = (await session.request('GET', path).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    })) as unknown as ObjectLike | undefined;
    if (!now) return;
    if (Number(partOf(now, ['status', 'replicas']) ?? 0) === Number(partOf(now, ['spec', 'replicas']) ?? 0)) return;
    if (clock.now() + 1_000_000 > end) throw new KubectlError(`timed out waiting for ${JSON.stringify(target.name)} to be synced`);
    await clock.sleep(1_000_000);
  }
}
