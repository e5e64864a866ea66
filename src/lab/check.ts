/** Checks look at the world's objects, as they are and as they were when the step began. Pure. */
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import type { Check, Where } from './lesson.ts';

export type Objects = readonly DeepReadonly<KubeObject>[];
export interface Evidence {
  readonly now: Objects;
  readonly atStart: Objects;
}
export interface Verdict {
  readonly holds: boolean;
  /** What is, in a sentence, for the learner who is not there yet. */
  readonly because: string;
}

/** The kinds a check needs to see. */
export const kindOf = (check: Check): string =>
  ('object' in check ? check.object : 'absent' in check ? check.absent : 'count' in check ? check.count : check.gone).split('/')[0]!;

export function evaluate(check: Check, { now, atStart }: Evidence): Verdict {
  const namespace = check.namespace ?? 'default';
  if ('object' in check || 'absent' in check) {
    const [kind, name] = ('object' in check ? check.object : check.absent).split('/') as [string, string];
    const found = now.find((object) => object.kind === kind && object.metadata.name === name && isIn(object, namespace));
    if ('absent' in check) return { holds: found === undefined, because: found ? `${kind} ${name} is still there.` : `${kind} ${name} is gone.` };
    if (!found) return { holds: false, because: `There is no ${kind} ${name}.` };
    const wrong = Object.entries(check.where ?? {}).find(([path, value]) => at(found, path) !== value);
    return {
      holds: wrong === undefined,
      because: wrong ? `${kind} ${name} has ${wrong[0]} ${show(at(found, wrong[0]))}, not ${show(wrong[1])}.` : `${kind} ${name} is as it should be.`,
    };
  }
  if ('count' in check) {
    const count = select(now, check.count, namespace, check.where).length;
    const because =
      check.is === 0
        ? count === 0
          ? `No ${plural(check.count)} are left.`
          : `${count} ${count === 1 ? check.count : plural(check.count)} left.`
        : `${count} of ${check.is} ${plural(check.count)} are as they should be.`;
    return { holds: count === check.is, because };
  }
  const before = select(atStart, check.gone, namespace, check.where);
  const alive = new Set(now.map((object) => object.metadata.uid));
  const gone = before.filter((object) => !alive.has(object.metadata.uid)).length;
  return { holds: gone >= check.atLeast, because: `${gone} of the ${plural(check.gone)} that were there have gone.` };
}

const select = (objects: Objects, kind: string, namespace: string, where: Where = {}): Objects =>
  objects.filter((object) => object.kind === kind && isIn(object, namespace) && Object.entries(where).every(([path, value]) => at(object, path) === value));
const isIn = (object: DeepReadonly<KubeObject>, namespace: string): boolean =>
  object.metadata.namespace === undefined || object.metadata.namespace === namespace;
const plural = (kind: string): string => `${kind}s`;
const show = (value: unknown): string => (value === undefined ? 'unset' : JSON.stringify(value));

/** `status.conditions[Ready].status`: brackets choose the element of that type or name. */
function at(object: unknown, path: string): unknown {
  let value = object;
  for (const part of path.match(/[^.[\]]+|\[[^\]]+\]/g) ?? []) {
    if (value === null || typeof value !== 'object') return undefined;
    if (part.startsWith('[')) {
      const wanted = part.slice(1, -1);
      value = (value as readonly { readonly type?: string; readonly name?: string }[]).find((element) => element.type === wanted || element.name === wanted);
    } else value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}
