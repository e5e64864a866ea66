/** kubectl wait (kubectl pkg/cmd/wait). */
import type { Json } from '../../api/json.ts';
import { fromFiles, getObject, listObjects, loadFiles, locate, MUST_PROVIDE, select, type Target } from '../builder.ts';
import { partOf } from '../change.ts';
import { AggregateFailure, isNotFound, KubectlError } from '../errors.ts';
import { bool, FILE_FLAGS, PRINT_FLAGS, SELECTOR_FLAGS, text } from '../flags.ts';
import { parseJsonPath, relaxedPath } from '../jsonpath.ts';
import { ResultPrinter } from '../printers/result.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { watchUntil } from '../wait.ts';
import type { Command } from './command.ts';

const WEEK = 7 * 24 * 3600 * 1_000_000;
type Found = Target & { readonly object: ObjectLike };
type Check = (object: ObjectLike) => boolean;
type Condition = { readonly kind: 'create' | 'delete' } | { readonly kind: 'check'; readonly check: Check };

export const wait: Command = {
  summary: 'Experimental: Wait for a specific condition on one or many resources',
  usage:
    "kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]] [options]",
  flags: {
    ...FILE_FLAGS,
    kustomize: { type: 'string', short: 'k', hidden: true },
    recursive: { type: 'bool', short: 'R', default: 'true' },
    ...PRINT_FLAGS,
    ...SELECTOR_FLAGS,
    local: bool(),
    for: text(),
    timeout: { type: 'duration', default: '30s' },
  },
  run: async (session, args) => {
    const condition = conditionOf(session.flags.text('for'));
    const given = session.flags.duration('timeout');
    const timeout = given < 0 ? WEEK : given;
    if (args.length === 0 && !fromFiles(session)) throw new KubectlError(MUST_PROVIDE);
    const printer = new ResultPrinter(session);
    if (condition.kind === 'create') {
      const found = await untilCreated(session, args, timeout);
      for (const target of found) printer.print(target.info, target.object, 'condition met');
      return;
    }
    const { found, failures } = await targetsOf(session, args);
    const missing = condition.kind === 'delete' ? failures.filter((error) => !isNotFound(error)) : failures;
    const errors: unknown[] = [];
    if (found.length === 0 && missing.length === 0 && condition.kind !== 'delete') throw new KubectlError('no matching resources found');
    for (const target of found) {
      try {
        printer.print(target.info, await waitFor(session, target, condition, timeout), 'condition met');
      } catch (error) {
        errors.push(error);
      }
    }
    errors.push(...missing);
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateFailure(errors);
  },
};

async function targetsOf(session: Session, args: readonly string[]): Promise<{ readonly found: readonly Found[]; readonly failures: readonly unknown[] }> {
  const { flags } = session;
  const found: Found[] = [];
  const failures: unknown[] = [];
  const attempt = (target: Target) =>
    getObject(session, target).then(
      (object) => found.push({ ...target, object }),
      (error: unknown) => failures.push(error),
    );
  if (fromFiles(session)) {
    for (const loaded of await loadFiles(session)) await attempt(await locate(session, loaded));
    return { found, failures };
  }
  const everything = flags.bool('all-namespaces');
  const selector = flags.text('selector');
  const fieldSelector = flags.text('field-selector');
  const selection = await select(session, args, { everything, selector });
  for (const target of selection.targets) await attempt(target);
  for (const info of selection.lists) {
    if (!selector && !fieldSelector && !flags.bool('all')) throw new KubectlError('resource(s) were provided, but no name was specified');
    const list = await listObjects(session, info, { everything, selector, fieldSelector, chunk: 0 });
    for (const object of list.items) found.push({ info, namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '', object });
  }
  return { found, failures };
}

/** Asks twice a second until something is there. */
async function untilCreated(session: Session, args: readonly string[], timeout: number): Promise<readonly Found[]> {
  const { clock } = session.self.process;
  const end = clock.now() + timeout;
  for (;;) {
    const { found, failures } = await targetsOf(session, args);
    const other = failures.find((error) => !isNotFound(error));
    if (other !== undefined) throw other;
    if (found.length > 0 && failures.length === 0) return found;
    if (timeout === 0 && failures.length > 0) throw failures[0];
    if (clock.now() + 500_000 > end) throw new KubectlError('timed out waiting for the condition');
    await clock.sleep(500_000);
  }
}

async function waitFor(session: Session, target: Found, condition: Condition, timeout: number): Promise<ObjectLike> {
  let last = target.object;
  const { uid } = target.object.metadata;
  const check = (object: ObjectLike | undefined): boolean => {
    if (object) last = { ...object, apiVersion: object.apiVersion ?? target.object.apiVersion, kind: object.kind ?? target.object.kind };
    if (condition.kind === 'delete') return object === undefined || (uid !== undefined && object.metadata.uid !== uid);
    return condition.kind === 'check' && object !== undefined && condition.check(object);
  };
  const shown = `${target.info.resource}/${target.name}`;
  if (timeout === 0) {
    const now = await getObject(session, target).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (!check(now)) throw new KubectlError(`condition not met for ${shown}`);
    return last;
  }
  if ((await watchUntil(session, target, timeout, check)) === 'timeout') throw new KubectlError(`timed out waiting for the condition on ${shown}`);
  return last;
}

/** Reads --for. Throws KubectlError. */
function conditionOf(given: string): Condition {
  const lower = given.toLowerCase();
  if (lower === 'delete' || lower === 'create') return { kind: lower };
  if (given.startsWith('condition=')) {
    const [name = '', ...value] = given.slice('condition='.length).split('=');
    return { kind: 'check', check: conditionCheck(name, value.length > 0 ? value.join('=') : 'true') };
  }
  if (given.startsWith('jsonpath=')) return { kind: 'check', check: jsonPathCheck(given.slice('jsonpath='.length)) };
  throw new KubectlError(`unrecognized condition: ${JSON.stringify(given)}`);
}

const sameFolded = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** A condition that was written before the latest spec was seen does not count. */
function conditionCheck(name: string, value: string): Check {
  return (object) => {
    const conditions = partOf(object, ['status', 'conditions']);
    if (!Array.isArray(conditions)) return false;
    const generation = Number(object.metadata['generation'] ?? 0);
    for (const condition of conditions as readonly JsonObject[]) {
      if (!sameFolded(String(condition['type'] ?? ''), name)) continue;
      const observed = condition['observedGeneration'];
      if (typeof observed === 'number' && observed < generation) return false;
      const overall = partOf(object, ['status', 'observedGeneration']);
      if (observed === undefined && typeof overall === 'number' && overall < generation) return false;
      return sameFolded(String(condition['status'] ?? ''), value);
    }
    return false;
  };
}

const FORMAT = "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'";

/** `{.status.phase}=Running`; an equals sign inside braces belongs to the expression. */
function splitJsonPath(input: string): readonly string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (let i = 0; i < input.length; i++) {
    const c = input[i]!;
    if (c === '{' || c === '[' || c === '(') depth++;
    if (c === '}' || c === ']' || c === ')') depth--;
    if (c === '=' && depth <= 0 && parts.length === 1) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts;
}

function jsonPathCheck(input: string): Check {
  const parts = splitJsonPath(input);
  if (parts[0] === '') throw new KubectlError(FORMAT);
  let expression: string;
  try {
    expression = relaxedPath(parts[0]!);
  } catch (error) {
    throw new KubectlError((error as Error).message);
  }
  const value = parts.length > 1 ? parts[1]!.replace(/^['"]+|['"]+$/g, '') : undefined;
  if (value === '') throw new KubectlError("jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3");
  const path = parseJsonPath(expression);
  return (object) => {
    const results = path.find(object);
    if (results.length === 0) return false;
    if (results.length > 1) throw new KubectlError('given jsonpath expression matches more than one value');
    const found = results[0] as Json;
    if (value === undefined) return found !== null && found !== undefined;
    if (isObject(found) || Array.isArray(found)) throw new KubectlError('jsonpath leads to a nested object or list which is not supported');
    return found !== null && String(found) === value.trim();
  };
}
