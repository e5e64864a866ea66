/** kubectl autoscale: a HorizontalPodAutoscaler for what can be scaled (kubectl pkg/cmd/autoscale). */
import type { Json } from '../../api/json.ts';
import { resolveObjects } from '../builder.ts';
import { groupVersionOf, pathOf } from '../discovery.ts';
import { AggregateFailure, KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { dryRunOf, ResultPrinter, writeQuery } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import { withLastApplied } from './apply.ts';
import type { Command } from './command.ts';

export const autoscale: Command = {
  summary: 'Auto-scale a deployment, replica set, stateful set, or replication controller',
  usage: 'kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu-percent=CPU] [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    ...DRY_RUN_FLAGS,
    min: { type: 'int', default: '-1' },
    max: { type: 'int', default: '-1' },
    'cpu-percent': { type: 'int', default: '-1' },
    name: text(),
    'save-config': bool(),
    'field-manager': text(undefined, 'kubectl-autoscale'),
  },
  required: ['max'],
  run: async (session, args) => {
    const { flags } = session;
    const [min, max] = [flags.number('min'), flags.number('max')];
    if (max < 1) throw new KubectlError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
    if (max < min) throw new KubectlError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
    const dryRun = dryRunOf(session);
    const printer = new ResultPrinter(session, dryRun);
    const { found, failures } = await resolveObjects(session, args);
    const errors: unknown[] = [...failures];
    if (found.length === 0 && errors.length === 0) throw new KubectlError('no objects passed to autoscale');
    for (const { info, namespace, name } of found) {
      if (!info.subresources.includes('scale')) {
        errors.push(
          new KubectlError(
            `cannot autoscale a ${info.kind}: could not find scale subresource for ${info.group}/${info.version}, Resource=${info.resource} in discovery information`,
          ),
        );
        continue;
      }
      const object = autoscalerFor(session, { apiVersion: groupVersionOf(info), kind: info.kind, name });
      const wanted = flags.bool('save-config') ? withLastApplied(object) : object;
      try {
        const target = await session.discovery.resolve('horizontalpodautoscalers.v2.autoscaling');
        const result =
          dryRun === 'client'
            ? wanted
            : ((await session.request('POST', pathOf(target, namespace), {
                query: writeQuery(session, 'kubectl-autoscale', dryRun),
                body: wanted as unknown as Json,
              })) as unknown as ObjectLike);
        printer.printTyped(target, result, 'autoscaled');
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateFailure(errors);
  },
};

function autoscalerFor(session: Session, target: { readonly apiVersion: string; readonly kind: string; readonly name: string }): ObjectLike {
  const { flags } = session;
  const [min, cpu] = [flags.number('min'), flags.number('cpu-percent')];
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: flags.text('name') || target.name },
    spec: {
      scaleTargetRef: target,
      ...(min > 0 ? { minReplicas: min } : {}),
      maxReplicas: flags.number('max'),
      ...(cpu >= 0 ? { metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } }] } : {}),
    },
  };
}
