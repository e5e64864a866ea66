/**
 * A lesson is data: `lessons/<track>/<nn-name>.yaml`. Its shape, and the check of it.
 */
import type { Fault } from '../hosts/protocol.ts';

export interface Lesson {
  /** Unique and lasting: progress is kept by it. */
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  /** Ids of lessons that should come before. */
  readonly needs?: readonly string[];
  /** The topology it starts from. */
  readonly cluster: string;
  readonly intro: string;
  /** Done before the learner comes. */
  readonly before?: readonly Action[];
  readonly steps: readonly Step[];
  readonly outro: string;
}
export interface Step {
  readonly title: string;
  readonly text: string;
  /** A bet before the doing: scored, never blocking. */
  readonly predict?: { readonly ask: string; readonly choices: readonly string[]; readonly answer: number; readonly because: string };
  /** Rungs of a ladder: each says more; none is the command. */
  readonly hints: readonly string[];
  /** The step is done when all of these hold. */
  readonly done: readonly Check[];
  /** Ways that work, each played in CI: without it the checks must fail, after it they must hold. */
  readonly solutions: readonly (readonly Action[])[];
  /** Wrong turns worth answering, played in CI too: they earn `say` and do not pass. */
  readonly mistakes?: readonly { readonly try: readonly Action[]; readonly when: readonly Check[]; readonly say: string }[];
}
export type Action =
  | { readonly run: string }
  | { readonly apply: string }
  | { readonly fault: Fault }
  /** `30s` of virtual time. */
  | { readonly wait: string };

/** `where` maps a path (`metadata.labels.app`, `status.conditions[Ready].status`) to the value wanted. */
export type Check =
  | { readonly object: string; readonly namespace?: string; readonly where?: Where }
  | { readonly absent: string; readonly namespace?: string }
  | { readonly count: string; readonly namespace?: string; readonly where?: Where; readonly is: number }
  /** At least so many of those that were there when the step began have gone, by uid. */
  | { readonly gone: string; readonly namespace?: string; readonly where?: Where; readonly atLeast: number };
export type Where = Readonly<Record<string, string | number | boolean>>;

export class LessonError extends Error {}

/** What YAML gave, checked to be a lesson. Throws LessonError naming the place. */
export function parseLesson(value: unknown, where: string): Lesson {
  const fail = (path: string, wants: string): never => {
    throw new LessonError(`${where}: ${path} ${wants}`);
  };
  const record = (path: string, thing: unknown): Record<string, unknown> =>
    typeof thing === 'object' && thing !== null && !Array.isArray(thing) ? (thing as Record<string, unknown>) : fail(path, 'must be a mapping');
  const text = (path: string, thing: unknown): void => void (typeof thing === 'string' && thing.trim() !== '' ? thing : fail(path, 'must be a text'));
  const list = (path: string, thing: unknown, least = 1): readonly unknown[] =>
    Array.isArray(thing) && thing.length >= least ? thing : fail(path, `must be a list of at least ${least}`);
  const known = (path: string, thing: Record<string, unknown>, keys: readonly string[]): void => {
    for (const key of Object.keys(thing)) if (!keys.includes(key)) fail(`${path}.${key}`, 'is not known');
  };
  const action = (path: string, thing: unknown): void => {
    const keys = Object.keys(record(path, thing));
    if (keys.length !== 1 || !['run', 'apply', 'fault', 'wait'].includes(keys[0]!)) fail(path, 'must be one of run, apply, fault, wait');
  };
  const check = (path: string, thing: unknown): void => {
    const it = record(path, thing);
    const kind = ['object', 'absent', 'count', 'gone'].find((key) => key in it) ?? fail(path, 'must be one of object, absent, count, gone');
    text(`${path}.${kind}`, it[kind]);
    known(path, it, [kind, 'namespace', ...(kind === 'absent' ? [] : ['where']), ...(kind === 'count' ? ['is'] : []), ...(kind === 'gone' ? ['atLeast'] : [])]);
    if (kind === 'count' && !Number.isInteger(it['is'])) fail(`${path}.is`, 'must be a whole number');
    if (kind === 'gone' && !Number.isInteger(it['atLeast'])) fail(`${path}.atLeast`, 'must be a whole number');
  };

  const lesson = record('lesson', value);
  known('lesson', lesson, ['id', 'title', 'minutes', 'needs', 'cluster', 'intro', 'before', 'steps', 'outro']);
  for (const key of ['id', 'title', 'cluster', 'intro', 'outro']) text(key, lesson[key]);
  if (!Number.isInteger(lesson['minutes'])) fail('minutes', 'must be a whole number');
  (lesson['before'] === undefined ? [] : list('before', lesson['before'])).forEach((each, i) => {
    action(`before[${i}]`, each);
  });
  list('steps', lesson['steps']).forEach((each, i) => {
    const path = `steps[${i}]`;
    const step = record(path, each);
    known(path, step, ['title', 'text', 'predict', 'hints', 'done', 'solutions', 'mistakes']);
    text(`${path}.title`, step['title']);
    text(`${path}.text`, step['text']);
    for (const [k, hint] of list(`${path}.hints`, step['hints']).entries()) text(`${path}.hints[${k}]`, hint);
    for (const [k, done] of list(`${path}.done`, step['done']).entries()) check(`${path}.done[${k}]`, done);
    for (const [k, solution] of list(`${path}.solutions`, step['solutions']).entries())
      for (const [n, act] of list(`${path}.solutions[${k}]`, solution).entries()) action(`${path}.solutions[${k}][${n}]`, act);
    for (const [k, mistake] of (step['mistakes'] === undefined ? [] : list(`${path}.mistakes`, step['mistakes'])).entries()) {
      const it = record(`${path}.mistakes[${k}]`, mistake);
      text(`${path}.mistakes[${k}].say`, it['say']);
      for (const act of list(`${path}.mistakes[${k}].try`, it['try'])) action(`${path}.mistakes[${k}].try`, act);
      for (const when of list(`${path}.mistakes[${k}].when`, it['when'])) check(`${path}.mistakes[${k}].when`, when);
    }
    if (step['predict'] !== undefined) {
      const predict = record(`${path}.predict`, step['predict']);
      text(`${path}.predict.ask`, predict['ask']);
      text(`${path}.predict.because`, predict['because']);
      const choices = list(`${path}.predict.choices`, predict['choices'], 2);
      if (!Number.isInteger(predict['answer']) || (predict['answer'] as number) < 0 || (predict['answer'] as number) >= choices.length)
        fail(`${path}.predict.answer`, 'must be the index of a choice');
    }
  });
  return lesson as unknown as Lesson;
}
