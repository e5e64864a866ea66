/**
 * The Scheduler view: why here, why Pending? On the left the pods the scheduler has had to do with; on the right the one
 * that was chosen: its attempts, the stations one of them passed, every node's verdict and points, and what would help.
 * Everything is read from the world's trace and its stored objects; nothing here changes the world but a fix that is run.
 */
import { useState } from 'react';
import type { Scheduling, SchedulingAttempt } from '../../hosts/protocol.ts';
import { useApp, useUi } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { typeCommand } from '../terminal/typing.ts';
import { useAsked } from '../use-asked.ts';
import { Attempts, Pipeline } from './attempts.tsx';
import { Fixes } from './fixes.tsx';
import { FilterTable, Preemption, ScoreTable } from './matrix.tsx';
import { PodList } from './pod-list.tsx';
import css from './scheduler.module.css';
import { STATE_STATUS, STATE_WORDS } from './words.ts';

const SAMPLE = 'kubectl create deployment too-big --image=nginx && kubectl set resources deployment too-big --requests=cpu=64';

export function SchedulerView() {
  const { ui, world } = useApp();
  const chosen = useUi((state) => state.scheduling);
  const { answer, asked } = useAsked(
    async () => (chosen === undefined ? null : ((await world.scheduling(chosen)) ?? null)),
    chosen ?? '',
    () => false,
  );
  const scheduling = asked === (chosen ?? '') ? answer : undefined;
  return (
    <div className={css['view']} data-chosen={chosen !== undefined} data-testid="scheduler">
      <PodList chosen={chosen} onChoose={(pod) => ui.set({ scheduling: pod })} />
      <section className={css['way']} aria-label="Scheduling" data-region="scheduling">
        {scheduling ? <Told key={scheduling.pod} scheduling={scheduling} /> : scheduling === null ? <Nothing unknown={chosen} /> : null}
      </section>
    </div>
  );
}

function Told({ scheduling }: { readonly scheduling: Scheduling }) {
  const { ui } = useApp();
  const [chosen, setChosen] = useState<number>();
  const attempt = scheduling.attempts.find((one) => one.attempt === chosen) ?? scheduling.attempts.at(-1);
  const [namespace, name] = scheduling.pod.split('/');
  return (
    <>
      <header className={css['head']}>
        <button type="button" className={css['back']} onClick={() => ui.set({ scheduling: undefined })}>
          All pods
        </button>
        <h2>
          <span>{namespace}/</span>
          {name}
        </h2>
        <p>
          <Glyph status={STATE_STATUS[scheduling.state]} /> {scheduling.state === 'bound' ? `bound to ${scheduling.says}` : STATE_WORDS[scheduling.state]}
        </p>
      </header>
      {scheduling.gate && (
        <p className={css['gate']}>
          <strong>{scheduling.gate.plugin}</strong> keeps it out of the queue: {scheduling.gate.reason}
        </p>
      )}
      {scheduling.attempts.length > 0 ? (
        <Attempts attempts={scheduling.attempts} chosen={attempt!.attempt} restsUntil={scheduling.restsUntil} onChoose={setChosen} />
      ) : (
        <p className={css['quiet']}>The scheduler has not tried it yet.</p>
      )}
      {attempt && <Attempt attempt={attempt} filters={scheduling.filters} />}
      {scheduling.now && <Fixes now={scheduling.now} gated={scheduling.state === 'gated'} />}
    </>
  );
}

function Attempt({ attempt, filters }: { readonly attempt: SchedulingAttempt; readonly filters: readonly string[] }) {
  return (
    <section className={css['attempt']} aria-label={`Attempt ${attempt.attempt}`}>
      <Pipeline attempt={attempt} />
      {attempt.message && (
        <p className={css['message']} data-testid="scheduling-message">
          {attempt.message}
        </p>
      )}
      {attempt.record ? (
        <>
          <FilterTable attempt={attempt} filters={filters} />
          <ScoreTable attempt={attempt} />
        </>
      ) : (
        attempt.filter && (
          <p className={css['quiet']}>
            The world keeps the latest decisions whole, and this one is older:{' '}
            {attempt.filter.reasons.join(', ') || `${attempt.filter.feasible} nodes would do`}.
          </p>
        )
      )}
      {attempt.preemption && <Preemption preemption={attempt.preemption} />}
    </section>
  );
}

function Nothing({ unknown }: { readonly unknown: string | undefined }) {
  const app = useApp();
  const newest = async (): Promise<void> => {
    const { pods } = await app.world.scheduled({ limit: 1 });
    if (pods[0]) app.ui.set({ scheduling: pods[0].key });
    else app.ui.toast('The scheduler has had nothing to do yet.');
  };
  return (
    <div className={css['nothing']}>
      <h2>{unknown === undefined ? 'No pod chosen' : 'The scheduler knows nothing of that pod'}</h2>
      <p>
        {unknown === undefined
          ? 'Every pod without a node is tried on all of them: filters say which will do, scores which is best. Choose one to see each verdict.'
          : `${unknown} named its node itself, or was placed longer ago than the world remembers.`}
      </p>
      <div>
        <button type="button" className={css['primary']} onClick={() => void newest()}>
          Show the newest
        </button>
        <button
          type="button"
          className={css['button']}
          onClick={() => {
            app.ui.openDock('terminal');
            typeCommand(app.world, app.terminal, SAMPLE);
          }}
        >
          Make one that fits nowhere
        </button>
      </div>
    </div>
  );
}
