/** One step: what to do, a bet on what will happen, hints one rung at a time, and how things stand, live. */
import { useEffect, useId, useRef } from 'react';
import type { Lesson, Step } from '../../lab/lesson.ts';
import { Glyph } from '../look/glyph.tsx';
import type { LessonActor, LessonSnapshot } from './lesson-actor.ts';
import css from './lessons.module.css';
import { Inline, Prose } from './prose.ts';

export function StepView({ actor, snapshot, lesson }: { actor: LessonActor; snapshot: LessonSnapshot; lesson: Lesson }) {
  const { context } = snapshot;
  const step = lesson.steps[context.step]!;
  const isDone = snapshot.matches({ playing: 'stepDone' });
  const reveal = useRef<HTMLDivElement>(null);
  const answer = useRef<HTMLDivElement>(null);
  // With the dock open the column is short: what has just been said comes into sight.
  useEffect(() => {
    if (isDone) reveal.current?.scrollIntoView({ block: 'nearest' });
  }, [isDone]);
  useEffect(() => {
    if (context.answer !== undefined) answer.current?.scrollIntoView({ block: 'nearest' });
  }, [context.answer]);
  return (
    <div className={css['stack']}>
      <div>
        <p className={css['small']}>
          Step {context.step + 1} of {lesson.steps.length}
        </p>
        <h3>{step.title}</h3>
      </div>
      <Prose text={step.text} />
      {step.predict && (
        <div ref={reveal}>
          <Prediction
            predict={step.predict}
            choice={context.choices[context.step]}
            revealed={isDone}
            onChoose={(choice) => actor.send({ type: 'predict', choice })}
          />
        </div>
      )}
      <ul className={css['checks']} aria-label="How things stand">
        {context.verdicts.map((verdict, i) => (
          <li key={JSON.stringify(step.done[i])} data-holds={verdict.holds}>
            <Glyph status={verdict.holds ? 4 : 1} size={14} label />
            <span>{verdict.because}</span>
          </li>
        ))}
      </ul>
      {context.answer !== undefined && (
        <div ref={answer} className={css['answer']} role="alert">
          <Glyph status={2} size={14} />
          <Prose text={context.answer} />
        </div>
      )}
      {!isDone && <Hints hints={step.hints} shown={context.hints} onMore={() => actor.send({ type: 'hint' })} />}
    </div>
  );
}

function Prediction({
  predict,
  choice,
  revealed,
  onChoose,
}: {
  predict: NonNullable<Step['predict']>;
  choice: number | undefined;
  revealed: boolean;
  onChoose(choice: number): void;
}) {
  const name = useId();
  return (
    <fieldset className={css['predict']} data-revealed={revealed}>
      <legend>{predict.ask}</legend>
      {predict.choices.map((text, i) => {
        const right = revealed && i === predict.answer;
        const wrong = revealed && i === choice && i !== predict.answer;
        return (
          <label key={text} data-right={right} data-wrong={wrong}>
            <input type="radio" name={name} checked={choice === i} disabled={revealed} onChange={() => onChoose(i)} />
            <span>
              <Inline text={text} />
              {right && <em className={css['tag']}>{choice === i ? 'You said so' : 'What happened'}</em>}
              {wrong && <em className={css['tag']}>Your guess</em>}
            </span>
          </label>
        );
      })}
      {revealed ? <Prose text={predict.because} /> : <p className={css['small']}>A guess, to be compared with what happens.</p>}
    </fieldset>
  );
}

function Hints({ hints, shown, onMore }: { hints: readonly string[]; shown: number; onMore(): void }) {
  return (
    <div className={css['hints']}>
      {shown > 0 && (
        <ol>
          {hints.slice(0, shown).map((hint) => (
            <li key={hint}>
              <Inline text={hint} />
            </li>
          ))}
        </ol>
      )}
      {shown < hints.length ? (
        <button type="button" className={css['quietButton']} onClick={onMore}>
          {shown === 0 ? 'Give me a hint' : `Another hint (${shown} of ${hints.length})`}
        </button>
      ) : (
        <p className={css['small']}>That was the last hint.</p>
      )}
    </div>
  );
}
