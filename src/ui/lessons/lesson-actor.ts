/** The one lesson of the page. It goes on while its panel is folded away. */
import { useSyncExternalStore } from 'react';
import { type ActorRefFrom, createActor, type SnapshotFrom } from 'xstate';
import { runner } from '../../lab/runner.ts';
import type { App } from '../app-context.ts';
import { keepProgress, lessonOf } from './catalogue.ts';
import { lessonWorld } from './lesson-world.ts';

export type LessonActor = ActorRefFrom<typeof runner>;
export type LessonSnapshot = SnapshotFrom<typeof runner>;

const actors = new WeakMap<App, LessonActor>();

export function lessonActor(app: App): LessonActor {
  const known = actors.get(app);
  if (known) return known;
  const actor = createActor(runner, { input: { world: lessonWorld(app), load: lessonOf } });
  actors.set(app, actor);
  actor.start();
  app.world.onCrash((crash) => actor.send({ type: 'world crashed', message: crash.message }));
  let before = actor.getSnapshot();
  actor.subscribe((now) => {
    tell(app, before, now);
    before = now;
  });
  return actor;
}

/** What a learner who looks at the map or the terminal has to hear, and what is to be remembered. */
function tell(app: App, before: LessonSnapshot, now: LessonSnapshot): void {
  const { lesson, step, answer, hints } = now.context;
  if (!lesson) return;
  const entered = (state: Parameters<LessonSnapshot['matches']>[0]): boolean => now.matches(state) && !before.matches(state);
  if (entered({ playing: 'intro' })) app.say(`${lesson.title} The cluster is ready.`);
  if (entered({ playing: 'stepDone' })) {
    app.say(`Step ${step + 1} of ${lesson.steps.length} is done: ${lesson.steps[step]!.title}.`);
    keepProgress(lesson.id, { steps: step + 1, done: step + 1 === lesson.steps.length });
  }
  if (entered({ playing: 'done' })) keepProgress(lesson.id, { steps: lesson.steps.length, done: true });
  if (answer !== undefined && answer !== before.context.answer) app.say(answer);
  if (hints > before.context.hints) app.say(`Hint: ${lesson.steps[step]!.hints[hints - 1]}`);
}

export function useLesson(actor: LessonActor): LessonSnapshot {
  return useSyncExternalStore(
    (changed) => {
      const subscription = actor.subscribe(changed);
      return () => subscription.unsubscribe();
    },
    () => actor.getSnapshot(),
  );
}
