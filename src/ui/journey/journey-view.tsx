/**
 * The Journey view: what happens to a request? On the left the requests of late; on the right the one that was chosen:
 * its ticket, the rail it travels, the station looked at, and what followed. Everything is read from the world's trace,
 * so it works while time stands still, and nothing here changes the world.
 */
import { useState } from 'react';
import { type Journey, STAGES, type StageId } from '../../hosts/protocol.ts';
import { useApp, useUi } from '../app-context.ts';
import { typeCommand } from '../terminal/typing.ts';
import { Followed } from './followed.tsx';
import css from './journey.module.css';
import { JourneyTable } from './journey-table.tsx';
import { RequestList } from './request-list.tsx';
import { StageDetail } from './stage-detail.tsx';
import { LatencyStrip, StageRail } from './stage-rail.tsx';
import { Causes, Ticket } from './ticket.tsx';
import { useJourney } from './use-journey.ts';

const SAMPLE = 'kubectl apply -f examples/service.yaml -f examples/deployment.yaml';

export function JourneyView() {
  const { ui } = useApp();
  const request = useUi((state) => state.request);
  const { journey, forgotten } = useJourney(request);
  return (
    <div className={css['view']} data-chosen={request !== undefined} data-testid="journey">
      <RequestList chosen={journey?.request.id ?? request} onChoose={(id) => ui.set({ request: id })} />
      <section className={css['way']} aria-label="Journey" data-region="journey">
        {journey ? <Way key={journey.request.id} journey={journey} /> : <Nothing forgotten={forgotten} asked={request !== undefined} />}
      </section>
    </div>
  );
}

function Way({ journey }: { journey: Journey }) {
  const { ui } = useApp();
  const twin = useUi((state) => state.twin);
  const [chosen, setChosen] = useState<StageId>();
  // Until a station is chosen, the ticket stands where the request does.
  const at = chosen ?? journey.stage;
  const stage = journey.stages[STAGES.indexOf(at)]!;
  return (
    <>
      <Ticket journey={journey} onBack={() => ui.set({ request: undefined })} />
      {twin ? (
        <>
          <Causes journey={journey} />
          <JourneyTable journey={journey} />
        </>
      ) : (
        <>
          <StageRail journey={journey} at={at} onChoose={setChosen} />
          <StageDetail stage={stage} />
          <LatencyStrip journey={journey} at={at} onChoose={setChosen} />
          <Causes journey={journey} />
          <Followed journey={journey} />
        </>
      )}
    </>
  );
}

/** Nothing to show: the view in outline, and one thing to do about it. */
function Nothing({ forgotten, asked }: { forgotten: boolean; asked: boolean }) {
  const app = useApp();
  const follow = async (): Promise<void> => {
    const { requests } = await app.world.journeys({ who: 'people', limit: 1 });
    if (requests[0]) app.ui.openJourney(requests[0].id);
    else app.ui.toast('Nobody has asked for anything yet.');
  };
  if (asked && !forgotten) return null;
  return (
    <div className={css['nothing']}>
      <svg viewBox="0 0 600 60" aria-hidden="true">
        <path d="M20 30h560" />
        {STAGES.map((id, i) => (
          <circle key={id} cx={20 + i * 40} cy="30" r="9" />
        ))}
      </svg>
      <h2>{forgotten ? 'That request is forgotten' : 'No request chosen'}</h2>
      <p>
        {forgotten
          ? 'The world remembers the latest 200,000 facts, and this one is older, or of another world.'
          : 'Every request travels the same rail: who asks, may they, what is changed and checked, how etcd keeps it, who hears of it.'}
      </p>
      <div>
        <button type="button" className={css['primary']} onClick={() => void follow()}>
          Follow the newest request
        </button>
        <button
          type="button"
          className={css['button']}
          onClick={() => {
            app.ui.openDock('terminal');
            typeCommand(app.world, app.terminal, SAMPLE);
          }}
        >
          Apply the example Deployment
        </button>
      </div>
    </div>
  );
}
