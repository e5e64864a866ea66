/** kubectl taint (kubectl pkg/cmd/taint). */
import type { Json } from '../../api/json.ts';
import { labelValueErrors, qualifiedNameErrors } from '../../api/names.ts';
import type { Taint } from '../../api/types.gen.ts';
import { getObject, listObjects } from '../builder.ts';
import { differenceOf, partOf, sendPatch, withPart } from '../change.ts';
import { AggregateFailure, KubectlError, usageError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { dryRunOf, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import type { Command } from './command.ts';
import { type NodeTarget, nodeInfo } from './cordon.ts';

interface Edits {
  readonly add: readonly Taint[];
  readonly remove: readonly { readonly key: string; readonly effect: string }[];
}

export const taint: Command = {
  summary: 'Update the taints on one or more nodes',
  usage: 'kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N [options]',
  flags: {
    ...PRINT_FLAGS,
    ...DRY_RUN_FLAGS,
    selector: text('l'),
    all: bool(),
    overwrite: bool(),
    validate: { type: 'string', bare: 'strict', default: 'strict' },
    'field-manager': text(undefined, 'kubectl-taint'),
  },
  run: async (session, args) => {
    const { flags } = session;
    const dryRun = dryRunOf(session);
    const isTaint = (arg: string): boolean => arg.includes('=') || arg.includes(':') || arg.endsWith('-');
    const first = args.findIndex(isTaint);
    const resources = first < 0 ? args : args.slice(0, first);
    const specs = first < 0 ? [] : args.slice(first);
    const late = specs.find((arg) => !isTaint(arg));
    if (late !== undefined) throw new KubectlError(`all resources must be specified before taint changes: ${late}`);
    if (resources.length === 0) throw new KubectlError('one or more resources must be specified as <resource> <name>');
    if (specs.length === 0) throw new KubectlError('at least one taint update is required');
    const edits = parseTaints(session, specs);
    const type = resources[0]!.toLowerCase();
    if ((await session.discovery.resolve(type)).kind !== 'Node') throw new KubectlError(`invalid resource type ${type}, only node types are supported`);
    const clashes = edits.add.flatMap((added) =>
      edits.remove.filter((gone) => gone.key === added.key && (gone.effect === '' || gone.effect === added.effect)).map((gone) => `${gone.key}=${gone.effect}`),
    );
    if (clashes.length > 0) throw new KubectlError(`can not both modify and remove the following taint(s) in the same command: ${clashes.join(', ')}`);
    const selector = flags.text('selector');
    if (flags.bool('all') && selector !== '') throw new KubectlError("setting 'all' parameter with a non empty selector is prohibited");
    if (!flags.bool('all') && selector === '' && resources.length < 2)
      throw new KubectlError("at least one resource name must be specified since 'all' parameter is not set");

    const info = await nodeInfo(session);
    const found: NodeTarget[] = [];
    const failures: unknown[] = [];
    if (flags.bool('all') || selector !== '') {
      const list = await listObjects(session, info, { everything: true, selector });
      found.push(...list.items.map((object) => ({ info, namespace: '', name: object.metadata.name ?? '', object })));
    } else {
      for (const name of resources.slice(1)) {
        const target = { info, namespace: '', name };
        await getObject(session, target).then(
          (object) => found.push({ ...target, object }),
          (error: unknown) => failures.push(error),
        );
      }
    }
    const printer = new ResultPrinter(session);
    for (const target of found) {
      try {
        const { operation, taints } = edited(target, edits, flags.bool('overwrite'));
        const after = withPart(target.object, ['spec', 'taints'], taints.length > 0 ? (taints as unknown as Json) : undefined) as ObjectLike;
        const { patch } = differenceOf(target, target.object, after);
        printer.print(
          info,
          dryRun === 'client' ? after : await sendPatch(session, target, 'strategic', patch as Json, { manager: 'kubectl-taint', dryRun }),
          operation,
        );
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateFailure(failures);
  },
};

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function parseTaints(session: Session, specs: readonly string[]): Edits {
  const add: Taint[] = [];
  const remove: { key: string; effect: string }[] = [];
  const fail = (message: string): never => {
    throw usageError(session.command, message);
  };
  const invalid = (spec: string, detail = ''): never => fail(`invalid taint spec: ${spec}${detail ? `, ${detail}` : ''}`);
  for (const spec of specs) {
    const removing = spec.endsWith('-');
    const body = removing ? spec.slice(0, -1) : spec;
    const parts = body.split(':');
    let key = parts[0]!;
    let value: string | undefined;
    let effect = '';
    if (parts.length > 2) invalid(body);
    if (parts.length === 2) {
      effect = parts[1]!;
      if (!EFFECTS.includes(effect) && !(removing && effect === '')) fail(`invalid taint effect: ${effect}, unsupported taint effect`);
      const pair = key.split('=');
      if (pair.length > 2) invalid(body);
      key = pair[0]!;
      if (pair.length === 2) {
        value = pair[1]!;
        const errors = labelValueErrors(value);
        if (errors.length > 0) invalid(body, errors.join('; '));
      }
    }
    const errors = qualifiedNameErrors(key);
    if (errors.length > 0) invalid(body, errors.join('; '));
    if (removing) {
      if (!remove.some((gone) => gone.key === key && gone.effect === effect)) remove.push({ key, effect });
      continue;
    }
    if (effect === '') invalid(body);
    if (add.some((known) => known.key === key && known.effect === effect))
      fail(`duplicated taints with the same key and effect: {${key} ${value ?? ''} ${effect} <nil>}`);
    add.push({ key, ...(value ? { value } : {}), effect } as Taint);
  }
  return { add, remove };
}

function edited({ name, object }: NodeTarget, { add, remove }: Edits, overwrite: boolean): { readonly operation: string; readonly taints: readonly Taint[] } {
  const old = (partOf(object, ['spec', 'taints']) ?? []) as unknown as readonly Taint[];
  const same = (a: Pick<Taint, 'key' | 'effect'>, b: Pick<Taint, 'key' | 'effect'>): boolean => a.key === b.key && a.effect === b.effect;
  const existing = add.filter((added) => old.some((known) => same(known, added)));
  if (!overwrite && existing.length > 0) {
    const keys = [...new Set(existing.map(({ key }) => key))];
    throw new KubectlError(`node ${name} already has ${keys.join(',')} taint(s) with same effect(s) and --overwrite is false`);
  }
  const missing = remove.filter((gone) => !old.some((known) => known.key === gone.key && (gone.effect === '' || known.effect === gone.effect)));
  if (missing.length > 0) {
    const errors = missing.map(({ key, effect }) => `taint ${JSON.stringify(effect === '' ? key : `${key}:${effect}`)} not found`);
    throw errors.length === 1 ? new KubectlError(errors[0]!) : new AggregateFailure(errors.map((one) => new KubectlError(one)));
  }
  // taint.go puts new ones first, then what stays.
  const kept = old.filter(
    (known) =>
      !add.some((added) => same(known, added)) && !remove.some((gone) => known.key === gone.key && (gone.effect === '' || known.effect === gone.effect)),
  );
  const operation = add.length === 0 ? 'untainted' : remove.length > 0 || (overwrite && existing.length > 0) ? 'modified' : 'tainted';
  return { operation, taints: [...add, ...kept] };
}
