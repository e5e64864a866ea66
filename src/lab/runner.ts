/**
 * The life of one lesson: idle → loading → preparing → intro → step ⇄ stepDone → … → done. Knows nothing of a page; it
 * drives a world through `LessonWorld` and looks at it through watches.
 *
 *     load            the lesson's text
 *     preparing       a world of its own, and the lesson's `before`
 *     step            every change is checked; a wrong turn is answered
 *     stepDone        the prediction is resolved; `next` goes on
 */

import { assign, fromCallback, fromPromise, setup } from 'xstate';
import type { Fault } from '../hosts/protocol.ts';
import { type Duration, seconds } from '../sim/clock.ts';
import { parseDuration } from '../sim/duration.ts';
import { evaluate, type Objects, type Verdict } from './check.ts';
import type { Action, Lesson, Step } from './lesson.ts';
import { checksOf, type Observer, Watching } from './watching.ts';

export interface LessonWorld extends Observer {
  /** A new world of that topology; resolves when its cluster is up. */
  restart(topology: string): Promise<void>;
  /** A line in the laptop's shell. */
  run(command: string): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }>;
  fault(fault: Fault): void;
  /** Resolves after so much virtual time. */
  wait(duration: Duration): Promise<void>;
  /** The lesson has its world as it wants it, or is done with it: the learner's own pace again. */
  settled(): void;
}

/**
 * How long a wrong turn must have lasted before it is answered: deleting a Deployment leaves its pods for a moment, and
 * that looks like leaving them for good.
 */
const SURE_OF_A_MISTAKE: Duration = seconds(10);

export interface RunnerContext {
  readonly world: LessonWorld;
  readonly load: (id: string) => Promise<Lesson>;
  readonly id: string;
  readonly lesson: Lesson | undefined;
  /** Actions of `before` done, of how many. */
  readonly prepared: { readonly done: number; readonly of: number };
  readonly watching: Watching | undefined;
  readonly step: number;
  /** The objects when the step began. */
  readonly atStart: Objects;
  readonly verdicts: readonly Verdict[];
  /** What a wrong turn earned. */
  readonly answer: string | undefined;
  /** Rungs of the hint ladder shown. */
  readonly hints: number;
  /** By step: the choice made before the step was done. */
  readonly choices: Readonly<Record<number, number>>;
  /** Why it cannot go on. */
  readonly problem: string;
}
export type RunnerEvent =
  | { readonly type: 'open'; readonly id: string }
  | { readonly type: 'begin' }
  | { readonly type: 'predict'; readonly choice: number }
  | { readonly type: 'hint' }
  | { readonly type: 'next' }
  /** The lesson from its beginning, in a new world. */
  | { readonly type: 'reset' }
  | { readonly type: 'leave' }
  | { readonly type: 'world crashed'; readonly message: string }
  | { readonly type: 'prepared one' }
  | { readonly type: 'ready'; readonly watching: Watching }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'checked'; readonly verdicts: readonly Verdict[] }
  | { readonly type: 'mistaken'; readonly say: string | undefined };

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Carries out one action; a command that fails throws with what it said. */
export async function act(world: LessonWorld, action: Action): Promise<void> {
  if ('fault' in action) return world.fault(action.fault);
  if ('wait' in action) return world.wait(parseDuration(action.wait));
  const command = 'run' in action ? action.run : `kubectl apply -f - <<'EOF'\n${action.apply}\nEOF`;
  const { exitCode, stdout, stderr } = await world.run(command);
  if (exitCode !== 0) throw new Error(`${command.split('\n')[0]}: exit code ${exitCode}. ${(stderr || stdout).trim()}`);
}

const prepare = fromCallback<RunnerEvent, { readonly world: LessonWorld; readonly lesson: Lesson }>(({ sendBack, input: { world, lesson } }) => {
  // Over when it has succeeded, failed or been left; whatever still answers after that speaks to nobody.
  let over = false;
  const end = (event?: RunnerEvent): void => {
    if (over) return;
    over = true;
    world.settled();
    if (event) sendBack(event);
  };
  const work = async (): Promise<void> => {
    await world.restart(lesson.cluster);
    for (const action of lesson.before ?? []) {
      if (over) return;
      await act(world, action);
      if (!over) sendBack({ type: 'prepared one' });
    }
    if (over) return;
    const watching = await Watching.begin(world, checksOf(lesson));
    if (over) watching.stop();
    else end({ type: 'ready', watching });
  };
  work().catch((error) => end({ type: 'failed', message: messageOf(error) }));
  return () => end();
});

/** Checks a step, now and at every change, and notices wrong turns that last. */
const check = fromCallback<RunnerEvent, { readonly world: LessonWorld; readonly watching: Watching; readonly step: Step; readonly atStart: Objects }>(
  ({ sendBack, input: { world, watching, step, atStart } }) => {
    let over = false;
    let told = '';
    let suspected = -1;
    let said = -1;
    const look = (): void => {
      const evidence = { now: watching.objects, atStart };
      const verdicts = step.done.map((one) => evaluate(one, evidence));
      const text = JSON.stringify(verdicts);
      if (text !== told) {
        told = text;
        sendBack({ type: 'checked', verdicts });
      }
      const mistake = (step.mistakes ?? []).findIndex(({ when }) => when.every((one) => evaluate(one, evidence).holds));
      if (mistake === suspected) return;
      suspected = mistake;
      if (said >= 0) {
        said = -1;
        sendBack({ type: 'mistaken', say: undefined });
      }
      if (mistake < 0) return;
      const suspicion = ++suspicions;
      world.wait(SURE_OF_A_MISTAKE).then(
        () => {
          if (over || suspicion !== suspicions || suspected !== mistake) return;
          said = mistake;
          sendBack({ type: 'mistaken', say: step.mistakes![mistake]!.say });
        },
        () => undefined,
      );
    };
    let suspicions = 0;
    const stop = watching.onChange(look);
    look();
    return () => {
      over = true;
      stop();
    };
  },
);

export const runner = setup({
  types: { context: {} as RunnerContext, events: {} as RunnerEvent, input: {} as { world: LessonWorld; load: (id: string) => Promise<Lesson> } },
  actors: {
    load: fromPromise<Lesson, { readonly load: RunnerContext['load']; readonly id: string }>(({ input }) => input.load(input.id)),
    prepare,
    check,
  },
  actions: {
    forget: assign({
      prepared: ({ context }) => ({ done: 0, of: context.lesson?.before?.length ?? 0 }),
      step: 0,
      atStart: [],
      verdicts: [],
      answer: undefined,
      hints: 0,
      choices: {},
      problem: '',
      watching: undefined,
    }),
    enterStep: assign({ atStart: ({ context }) => context.watching?.objects ?? [], verdicts: [], answer: undefined, hints: 0 }),
    stopWatching: ({ context }) => context.watching?.stop(),
    keepProblem: assign({ problem: ({ event }) => ('message' in event ? event.message : '') }),
  },
  guards: {
    allHold: ({ event }) => event.type === 'checked' && event.verdicts.every(({ holds }) => holds),
    another: ({ context }) => context.step + 1 < (context.lesson?.steps.length ?? 0),
  },
}).createMachine({
  id: 'lesson',
  context: ({ input }) => ({
    ...input,
    id: '',
    lesson: undefined,
    prepared: { done: 0, of: 0 },
    watching: undefined,
    step: 0,
    atStart: [],
    verdicts: [],
    answer: undefined,
    hints: 0,
    choices: {},
    problem: '',
  }),
  initial: 'idle',
  on: {
    open: { target: '.loading', actions: assign({ id: ({ event }) => event.id, lesson: undefined }) },
    leave: '.idle',
  },
  states: {
    idle: { entry: ['forget', assign({ id: '', lesson: undefined })] },
    loading: {
      invoke: {
        src: 'load',
        input: ({ context }) => ({ load: context.load, id: context.id }),
        onDone: { target: 'preparing', actions: assign({ lesson: ({ event }) => event.output }) },
        onError: { target: 'failed', actions: assign({ problem: ({ event }) => messageOf(event.error) }) },
      },
    },
    preparing: {
      entry: 'forget',
      invoke: { src: 'prepare', input: ({ context }) => ({ world: context.world, lesson: context.lesson! }) },
      on: {
        'prepared one': { actions: assign({ prepared: ({ context }) => ({ ...context.prepared, done: context.prepared.done + 1 }) }) },
        ready: { target: 'playing', actions: assign({ watching: ({ event }) => event.watching }) },
        failed: { target: 'failed', actions: 'keepProblem' },
        'world crashed': { target: 'failed', actions: 'keepProblem' },
        reset: { target: 'preparing', reenter: true },
      },
    },
    playing: {
      exit: 'stopWatching',
      initial: 'intro',
      on: { reset: 'preparing', 'world crashed': { target: 'failed', actions: 'keepProblem' } },
      states: {
        intro: { on: { begin: 'step' } },
        step: {
          entry: 'enterStep',
          invoke: {
            src: 'check',
            input: ({ context }) => ({
              world: context.world,
              watching: context.watching!,
              step: context.lesson!.steps[context.step]!,
              atStart: context.atStart,
            }),
          },
          on: {
            checked: [
              { guard: 'allHold', target: 'stepDone', actions: assign({ verdicts: ({ event }) => event.verdicts, answer: undefined }) },
              { actions: assign({ verdicts: ({ event }) => event.verdicts }) },
            ],
            mistaken: { actions: assign({ answer: ({ event }) => event.say }) },
            predict: { actions: assign({ choices: ({ context, event }) => ({ ...context.choices, [context.step]: event.choice }) }) },
            hint: { actions: assign({ hints: ({ context }) => Math.min(context.hints + 1, context.lesson!.steps[context.step]!.hints.length) }) },
          },
        },
        stepDone: {
          on: {
            next: [{ guard: 'another', target: 'step', actions: assign({ step: ({ context }) => context.step + 1 }) }, { target: 'done' }],
          },
        },
        done: {},
      },
    },
    failed: { on: { reset: [{ guard: ({ context }) => context.lesson !== undefined, target: 'preparing' }, { target: 'loading' }] } },
  },
});

/** Predictions made, and how many of them came true. */
export function scoreOf({ lesson, choices }: Pick<RunnerContext, 'lesson' | 'choices'>): { readonly right: number; readonly made: number } {
  const made = Object.entries(choices);
  return { made: made.length, right: made.filter(([step, choice]) => lesson?.steps[Number(step)]?.predict?.answer === choice).length };
}
