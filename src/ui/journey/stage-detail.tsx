/** One station, looked at: what it asks, what it stamped, the objects that decided, and the request's object before and after. */
import { clockText } from '../../hosts/connect.ts';
import type { JourneyStage } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { objectThing } from '../objects.ts';
import css from './journey.module.css';
import { plainLabel, STAGE_WORDS, STATE_WORDS } from './stage-words.ts';
import { YamlDiff } from './yaml-diff.tsx';

export function StageDetail({ stage }: { stage: JourneyStage }) {
  const { ui } = useApp();
  return (
    <div id="stage-panel" role="tabpanel" aria-labelledby={`stage-${stage.id}`} className={css['detail']} data-state={stage.state}>
      <header>
        <h3>{plainLabel(stage.id)}</h3>
        <span className={css['state']} data-state={stage.state}>
          {STATE_WORDS[stage.state]}
        </span>
        <small>
          {stage.at !== undefined && `t=${clockText(stage.at)}`}
          {stage.took !== undefined && ` · ${stage.took.toLocaleString('en')} µs since the station before`}
          {stage.by && ` · ${stage.by}`}
        </small>
      </header>
      <p>{STAGE_WORDS[stage.id].about}</p>
      {stage.notes.length > 0 && (
        <dl className={css['facts']}>
          {stage.notes.map(({ label, text }, i) => (
            <div key={`${label}/${i.toString()}`}>
              <dt>{label}</dt>
              <dd>{text || 'none'}</dd>
            </div>
          ))}
        </dl>
      )}
      {stage.policies.length > 0 && (
        <ul className={css['policies']} aria-label="Decided by">
          {stage.policies.map((policy) => (
            <li key={policy.url}>
              <button type="button" onClick={() => ui.inspect(objectThing(policy.kind, policy.url).id, 'yaml')}>
                <small>{policy.kind}</small>
                <code>{policy.name}</code>
              </button>
            </li>
          ))}
        </ul>
      )}
      {stage.changes.map((change) => (
        <YamlDiff key={change.title} change={change} />
      ))}
    </div>
  );
}
