// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
/** Every node's verdict and points, as tables; where nodes are many, those of one verdict stand in one row. */
import { useState } from 'react';
import type { SchedulingAttempt } from '../../hosts/protocol.ts';
import css from './scheduler.module.css';
import { filterRows, totalsWith, type Verdict } from './words.ts';

/** Above this, rows are verdicts and not nodes. */
const SINGLE = 50;
/** Names told when a group is opened. */
const NAMED = 400;

export function FilterTable({ attempt, filters }: { readonly attempt: SchedulingAttempt; readonly filters: readonly string[] }) {
  const { record, filter } = attempt;
  const [step, setStep] = useState<number>();
  if (!record || !filter) return null;
  const skipped = new Set(filter.skipped);
  const asked = filters.filter((name) => !skipped.has(name));
  const rows = filterRows(attempt, filters);
  const grouped = rows.length > SINGLE;
  return (
    <section className={css['block']}>
      <header>
        <h3>Filter</h3>
        <p>
          {filter.feasible} of {filter.evaluated} nodes will do
          {filter.evaluated < filter.total ? `; ${filter.total - filter.evaluated} were not looked at, since enough were found` : ''}
          {skipped.size > 0 ? `; ${skipped.size} filters have nothing to say about this pod` : ''}
        </p>
        {!grouped && asked.length > 1 && (
          <div className={css['stepper']}>
            <button type="button" className={css['button']} disabled={step === 0} onClick={() => setStep(step === undefined ? asked.length - 1 : step - 1)}>
              Back
            </button>
            <span role="status">{step === undefined ? 'all filters' : `${step + 1} of ${asked.length}: ${asked[step]}`}</span>
            <button type="button" className={css['button']} onClick={() => setStep(step === undefined ? 0 : step + 1 < asked.length ? step + 1 : undefined)}>
              {step === undefined ? 'Step by step' : step + 1 < asked.length ? 'Next filter' : 'All'}
            </button>
          </div>
        )}
      </header>
      {record.rest && (
        <p className={css['message']}>
          {record.rest.plugin} rejected every other node at once: {record.rest.reasons.join(', ')}
        </p>
      )}
      {grouped ? (
        <Groups attempt={attempt} />
      ) : (
        <section className={css['scroll']} tabIndex={0} aria-label="Verdicts of the filters">
          <table className={css['table']}>
            <thead>
              <tr>
                <th scope="col">Node</th>
                {asked.map((name, i) => (
                  <th key={name} scope="col" data-now={i === step}>
                    <span>{name}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ node, verdicts }) => (
                <tr key={node} data-chosen={node === attempt.node}>
                  <th scope="row">{node}</th>
                  {asked.map((name, i) => (
                    <Cell key={name} verdict={verdicts[filters.indexOf(name)]!} hidden={step !== undefined && i > step} now={i === step} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {!grouped && <Sum attempt={attempt} />}
    </section>
  );
}

function Cell({ verdict, hidden, now }: { readonly verdict: Verdict; readonly hidden: boolean; readonly now: boolean }) {
  if (hidden) return <td data-kind="hidden" />;
  if (verdict.kind === 'reject')
    return (
      <td data-kind="reject" data-now={now}>
        <b aria-hidden="true">✕</b> {verdict.reasons.join(', ')}
        {verdict.unresolvable && <small>evicting pods would not help</small>}
      </td>
    );
  return (
    <td data-kind={verdict.kind} data-now={now}>
      <span aria-hidden="true">{verdict.kind === 'pass' ? '✓' : '·'}</span>
      <span className="visually-hidden">{verdict.kind === 'pass' ? 'passed' : verdict.kind === 'unasked' ? 'not asked' : 'nothing to say'}</span>
    </td>
  );
}

/** The reasons as the event counts them. */
function Sum({ attempt: { filter } }: { readonly attempt: SchedulingAttempt }) {
  if (!filter || filter.reasons.length === 0) return null;
  return (
    <ul className={css['sum']} aria-label="Reasons, as the event counts them" data-testid="scheduling-reasons">
      {filter.reasons.map((reason) => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  );
}

function Groups({ attempt }: { readonly attempt: SchedulingAttempt }) {
  const record = attempt.record!;
  return (
    <div className={css['groups']} data-testid="scheduling-reasons">
      {record.rejected.map(({ plugin, reasons, nodes }) => (
        <details key={`${plugin} ${reasons.join('|')}`}>
          <summary>
            <b>{nodes.length.toLocaleString('en')}</b> {nodes.length === 1 ? 'node' : 'nodes'}: {reasons.join(', ')} <small>{plugin}</small>
          </summary>
          <p>
            {nodes.slice(0, NAMED).join(', ')}
            {nodes.length > NAMED ? ` and ${nodes.length - NAMED} more` : ''}
          </p>
        </details>
      ))}
      {record.feasible.length > 0 && (
        <details>
          <summary>
            <b>{record.feasible.length.toLocaleString('en')}</b> will do
          </summary>
          <p>{record.feasible.slice(0, NAMED).join(', ')}</p>
        </details>
      )}
    </div>
  );
}

export function ScoreTable({ attempt }: { readonly attempt: SchedulingAttempt }) {
  const [weights, setWeights] = useState<Readonly<Record<string, number>>>({});
  const { record } = attempt;
  if (!record || record.feasible.length === 0) return null;
  if (record.scores.length === 0)
    return (
      <section className={css['block']}>
        <header>
          <h3>Score</h3>
          <p>Not scored: only {record.feasible[0]} was left.</p>
        </header>
      </section>
    );
  const { totals, winner } = totalsWith(record.scores, weights, record.feasible.length);
  const changed = Object.keys(weights).length > 0;
  const best = Math.max(1, ...totals);
  // The best first, as many as one can read.
  const order = [...totals.keys()]
    .sort((a, b) => totals[b]! - totals[a]! || Number(record.feasible[b] === attempt.node) - Number(record.feasible[a] === attempt.node))
    .slice(0, SINGLE);
  return (
    <section className={css['block']}>
      <header>
        <h3>Score</h3>
        <p>
          {changed
            ? `With these weights ${record.feasible[winner]} would have won.`
            : attempt.ties > 1
              ? `${attempt.ties} nodes share the highest total; chance chose ${attempt.node}.`
              : `${attempt.node} has the highest total.`}{' '}
          A cell tells raw → normalized × weight = points.
        </p>
        {changed && (
          <button type="button" className={css['button']} onClick={() => setWeights({})}>
            As it was
          </button>
        )}
      </header>
      <section className={css['scroll']} tabIndex={0} aria-label="Points of the scores">
        <table className={css['table']}>
          <thead>
            <tr>
              <th scope="col">Node</th>
              {record.scores.map(({ plugin, weight }) => (
                <th key={plugin} scope="col">
                  <span>{plugin}</span>
                  <label>
                    weight{' '}
                    <input
                      type="number"
                      min="0"
                      max="100"
                      aria-label={`Weight of ${plugin}`}
                      value={weights[plugin] ?? weight}
                      onChange={(event) => {
                        const value = Math.max(0, Math.min(100, Math.trunc(Number(event.target.value) || 0)));
                        setWeights(({ [plugin]: _, ...rest }) => (value === weight ? rest : { ...rest, [plugin]: value }));
                      }}
                    />
                  </label>
                </th>
              ))}
              <th scope="col">Total</th>
            </tr>
          </thead>
          <tbody>
            {order.map((i) => (
              <tr key={record.feasible[i]} data-chosen={record.feasible[i] === attempt.node} data-would={changed && i === winner}>
                <th scope="row">{record.feasible[i]}</th>
                {record.scores.map(({ plugin, weight, raw, normalized }) => (
                  <td key={plugin} data-kind="points">
                    <small>
                      {raw[i]} → {normalized[i]} × {weights[plugin] ?? weight}
                    </small>{' '}
                    <b>{normalized[i]! * (weights[plugin] ?? weight)}</b>
                  </td>
                ))}
                <td data-kind="total">
                  <span style={{ inlineSize: `${Math.round((totals[i]! / best) * 64)}px` }} aria-hidden="true" />
                  <b>{totals[i]}</b>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {record.feasible.length > SINGLE && <p className={css['quiet']}>and {record.feasible.length - SINGLE} nodes with fewer points</p>}
    </section>
  );
}

export function Preemption({ preemption }: { readonly preemption: NonNullable<SchedulingAttempt['preemption']> }) {
  return (
    <section className={css['block']}>
      <header>
        <h3>Preemption</h3>
        <p>
          {preemption.node
            ? `${preemption.node} is to be cleared: ${preemption.considered} ${preemption.considered === 1 ? 'node was' : 'nodes were'} considered.`
            : preemption.message || 'No pod could make room by going.'}
        </p>
      </header>
      {preemption.victims.length > 0 && (
        <ul className={css['victims']}>
          {preemption.victims.map(({ pod, priority, violatesBudget }) => (
            <li key={pod}>
              <s>{pod}</s> priority {priority}
              {violatesBudget ? '; its disruption budget allows no more' : ''}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
