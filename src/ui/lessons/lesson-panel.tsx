/** Lessons, at the left of the stage: the list, or the one that is being played. It overlays, so opening it moves nothing. */
import { useEffect, useRef, useState } from 'react';
import type { Lesson } from '../../lab/lesson.ts';
import { scoreOf } from '../../lab/runner.ts';
import type { App } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { IconButton } from '../shell/icon-button.tsx';
import { allLessons, progressOf } from './catalogue.ts';
import { type LessonActor, type LessonSnapshot, lessonActor, useLesson } from './lesson-actor.ts';
import css from './lessons.module.css';
import { Prose } from './prose.ts';
import { StepView } from './step-view.tsx';

/** Contract with the shell: fills a column of `--lessons` width; `onClose` folds it away, the lesson goes on. */
export interface LessonPanelProps {
  readonly app: App;
  onClose(): void;
}

export default function LessonPanel({ app, onClose }: LessonPanelProps) {
  const actor = lessonActor(app);
  const snapshot = useLesson(actor);
  const { lesson } = snapshot.context;
  const panel = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  // A step that is done is still the same scene: nothing jumps while somebody reads what happened.
  const scene = snapshot.matches({ playing: 'stepDone' }) ? sceneOf(snapshot, { playing: 'step' }) : sceneOf(snapshot, snapshot.value);
  const shown = useRef('');

  // What is new begins at the top; the focus comes along only for those who had it here.
  useEffect(() => {
    const opening = shown.current === '';
    if (shown.current === scene) return;
    shown.current = scene;
    if (body.current) body.current.scrollTop = 0;
    if (opening || panel.current?.contains(document.activeElement) || document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, [scene]);

  return (
    <section
      ref={panel}
      aria-label={lesson ? 'Lesson' : 'Lessons'}
      className={css['panel']}
      data-region="lessons"
      data-testid="lesson"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return;
        event.preventDefault();
        onClose();
      }}
    >
      <header className={css['head']}>
        {!snapshot.matches('idle') && <IconButton icon="left" label="All lessons: leaves this one" size={14} onClick={() => actor.send({ type: 'leave' })} />}
        <h2 ref={heading} tabIndex={-1}>
          {lesson?.title ?? 'Lessons'}
        </h2>
        <IconButton icon="close" label="Fold the lesson away" shortcut="Esc" size={14} onClick={onClose} />
      </header>
      {lesson && snapshot.matches('playing') && <Steps lesson={lesson} snapshot={snapshot} />}
      <div ref={body} className={css['body']}>
        <Body actor={actor} snapshot={snapshot} />
      </div>
      {lesson && snapshot.matches('playing') && !snapshot.matches({ playing: 'intro' }) && <Foot actor={actor} snapshot={snapshot} lesson={lesson} />}
    </section>
  );
}

const sceneOf = ({ context }: LessonSnapshot, value: unknown): string => `${context.id}/${context.step}/${JSON.stringify(value)}`;

function Body({ actor, snapshot }: { actor: LessonActor; snapshot: LessonSnapshot }) {
  const { lesson, prepared, problem } = snapshot.context;
  if (snapshot.matches('idle')) return <List actor={actor} />;
  if (snapshot.matches('failed')) {
    return (
      <div className={css['stack']}>
        <p className={css['verdict']} role="alert">
          <Glyph status={3} size={14} /> <span>The lesson could not go on.</span>
        </p>
        <pre className={css['problem']}>{problem}</pre>
        <button type="button" className={css['primary']} onClick={() => actor.send({ type: 'reset' })}>
          Start again
        </button>
      </div>
    );
  }
  if (!lesson || snapshot.matches('loading') || snapshot.matches('preparing')) {
    // The cluster itself counts as one thing to be done.
    const of = prepared.of + 1;
    const command = lesson?.before?.[prepared.done];
    return (
      <div className={css['stack']}>
        <p>{prepared.done === 0 ? 'A fresh cluster is coming up…' : 'The cluster is being prepared…'}</p>
        <progress className={css['progress']} max={of} value={lesson ? prepared.done + 0.5 : 0} aria-label="Preparing the lesson" />
        {prepared.done > 0 && command && 'run' in command && <code className={css['command']}>{command.run}</code>}
      </div>
    );
  }
  if (snapshot.matches({ playing: 'intro' })) {
    return (
      <div className={css['stack']}>
        <Prose text={lesson.intro} />
        <button type="button" className={css['primary']} onClick={() => actor.send({ type: 'begin' })}>
          Begin
        </button>
        <p className={css['small']}>
          {lesson.steps.length} steps, about {lesson.minutes} minutes
        </p>
      </div>
    );
  }
  if (snapshot.matches({ playing: 'done' })) {
    const { right, made } = scoreOf(snapshot.context);
    return (
      <div className={css['stack']}>
        <p className={css['verdict']}>
          <Glyph status={4} size={16} /> <span>Lesson done</span>
        </p>
        <Prose text={lesson.outro} />
        {made > 0 && (
          <p className={css['small']}>
            {right} of {made} {made === 1 ? 'prediction' : 'predictions'} came true.
          </p>
        )}
        <button type="button" className={css['primary']} onClick={() => actor.send({ type: 'leave' })}>
          All lessons
        </button>
      </div>
    );
  }
  return <StepView key={snapshot.context.step} actor={actor} snapshot={snapshot} lesson={lesson} />;
}

function Foot({ actor, snapshot, lesson }: { actor: LessonActor; snapshot: LessonSnapshot; lesson: Lesson }) {
  const last = snapshot.context.step + 1 === lesson.steps.length;
  const isDone = snapshot.matches({ playing: 'stepDone' });
  return (
    <footer className={css['foot']} data-done={isDone}>
      <button
        type="button"
        className={css['quietButton']}
        onClick={() => actor.send({ type: 'reset' })}
        title="A fresh cluster, and the lesson from its beginning"
      >
        Start again
      </button>
      {isDone && (
        <>
          <p className={css['verdict']}>
            <Glyph status={4} size={16} /> <span>Step done</span>
          </p>
          <button type="button" className={css['primary']} onClick={() => actor.send({ type: 'next' })}>
            {last ? 'Finish' : 'Next step'}
          </button>
        </>
      )}
    </footer>
  );
}

/** Where in the lesson one is, as a row of marks; the words are in the step's own heading. */
function Steps({ lesson, snapshot }: { lesson: Lesson; snapshot: LessonSnapshot }) {
  const { step } = snapshot.context;
  const all = snapshot.matches({ playing: 'done' });
  const began = !snapshot.matches({ playing: 'intro' });
  const behind = all ? lesson.steps.length : began ? step + (snapshot.matches({ playing: 'stepDone' }) ? 1 : 0) : 0;
  return (
    <div className={css['steps']} role="img" aria-label={`${behind} of ${lesson.steps.length} steps done`}>
      {lesson.steps.map((one, i) => (
        <span key={one.title} data-state={i < behind ? 'done' : began && i === step ? 'now' : 'ahead'} />
      ))}
    </div>
  );
}

function List({ actor }: { actor: LessonActor }) {
  const [lessons, setLessons] = useState<readonly Lesson[]>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let gone = false;
    allLessons().then(
      (all) => !gone && setLessons(all),
      (error) => !gone && setProblem(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      gone = true;
    };
  }, []);
  if (problem !== '') return <p role="alert">{problem}</p>;
  if (!lessons) return <p className={css['small']}>Reading…</p>;
  const progress = progressOf();
  return (
    <div className={css['stack']}>
      <ul className={css['list']}>
        {lessons.map((lesson) => {
          const had = progress[lesson.id];
          const word = had?.done ? 'Done' : had ? `${had.steps} of ${lesson.steps.length} steps` : `${lesson.minutes} min`;
          return (
            <li key={lesson.id}>
              <button type="button" className={css['card']} onClick={() => actor.send({ type: 'open', id: lesson.id })}>
                <strong>{lesson.title}</strong>
                <span>
                  {had?.done && <Glyph status={4} size={12} />} {word}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      <p className={css['small']}>A lesson begins with a fresh cluster in place of this one.</p>
    </div>
  );
}
