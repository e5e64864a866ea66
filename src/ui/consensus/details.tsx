// biome-ignore-all lint/a11y/useSemanticElements: a group of buttons is no set of fields
/** What is selected, closely: a member, a message on its way, or an entry of a log, decoded. */
import { useEffect, useState } from 'react';
import { clockText } from '../../hosts/connect.ts';
import type { ConsensusMember, EntryDetail, RaftFlight, WhyStep } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { podThing } from '../objects.ts';
import { memberActions, messageActions, type RaftAction } from './actions.ts';
import css from './consensus.module.css';
import type { Cell } from './log-grid.tsx';
import { drawnFrom, messageFacts, roleWord, span, untilElection, wordsOf } from './sentences.ts';

function Actions({ actions, label }: { readonly actions: readonly RaftAction[]; readonly label: string }) {
  const app = useApp();
  return (
    <div className={css['actions']} role="group" aria-label={label}>
      {actions.map((action) => (
        <button
          key={action.id}
          type="button"
          className={css['action']}
          data-action={action.id}
          title={action.key ? `Key ${action.key}` : undefined}
          onClick={() => action.run(app)}
        >
          {action.label}
        </button>
      ))}
    </div>
  );
}

const ticks = (member: ConsensusMember): string =>
  member.role === 'Leader' ? 'it leads, and keeps no timer' : `${span(untilElection(member))} left of ${span(member.timeout * member.tickMicros)}`;

export function MemberDetails({ member, members }: { readonly member: ConsensusMember; readonly members: readonly ConsensusMember[] }) {
  const leads = member.state === 'running' && member.role === 'Leader';
  return (
    <div className={css['card']} data-testid="member-card">
      <h2>
        {member.name} <small>{roleWord(member)}</small>
      </h2>
      <Actions actions={memberActions(member, members)} label={`Actions on ${member.name}`} />
      <dl className={css['facts']}>
        <Fact name="Term" value={String(member.term)} />
        <Fact name="Vote" value={member.vote || 'none in this term'} />
        <Fact name="Leader" value={member.lead || 'none known'} />
        <Fact name="Log" value={`${member.first} to ${member.last}, committed ${member.commit}, applied ${member.applied}`} />
        {member.state === 'running' && <Fact name="Election timer" value={ticks(member)} />}
        {member.state === 'running' && <Fact name="Drawn from" value={`${drawnFrom(member)}; a heartbeat every ${span(member.heartbeat)}`} />}
        {member.disk !== undefined && <Fact name="Disk" value={`${span(member.disk)} a write`} />}
        {member.clock !== undefined && <Fact name="Clock" value={`${member.clock / 1000} s in a second`} />}
      </dl>
      {leads && member.progress.length > 0 && (
        <table className={css['small']}>
          <caption>What it knows of the others</caption>
          <thead>
            <tr>
              <th scope="col">Member</th>
              <th scope="col">State</th>
              <th scope="col">● has</th>
              <th scope="col">↑ next</th>
            </tr>
          </thead>
          <tbody>
            {member.progress.map((one) => (
              <tr key={one.member}>
                <th scope="row">{one.member}</th>
                <td>
                  {one.state.toLowerCase()}
                  {one.paused ? ', waits' : ''}
                </td>
                <td>{one.match}</td>
                <td>{one.next}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

export function MessageDetails({ flight, now }: { readonly flight: RaftFlight; readonly now: number }) {
  return (
    <div className={css['card']} data-testid="message-card">
      <h2>
        {wordsOf(flight)} <small>{flight.kind}</small>
      </h2>
      <Actions actions={messageActions(flight)} label="Actions on the message" />
      <dl className={css['facts']}>
        <Fact name="From, to" value={`${flight.from} → ${flight.to}`} />
        <Fact name="Term" value={String(flight.term)} />
        {messageFacts(flight).map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
        <Fact name="Sent" value={`t=${clockText(flight.sentAt)}`} />
        <Fact name="Arrives in" value={span(Math.max(0, flight.arrivesAt - now))} />
      </dl>
    </div>
  );
}

/** `cell` with the term it holds: another entry in its place is another question. */
export function EntryDetails({ cell, term }: { readonly cell: Cell; readonly term: number | undefined }) {
  const app = useApp();
  const [entry, setEntry] = useState<EntryDetail>();
  const [chain, setChain] = useState<readonly WhyStep[]>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another term in the same place is another entry
  useEffect(() => {
    let stopped = false;
    setEntry(undefined);
    setChain(undefined);
    app.world.entry(cell.member, cell.index).then(
      (found) => !stopped && setEntry(found),
      () => undefined,
    );
    return () => {
      stopped = true;
    };
  }, [app, cell.member, cell.index, term]);
  if (term === undefined)
    return (
      <div className={css['card']} data-testid="entry-card">
        <h2>
          Index {cell.index} <small>{cell.member}</small>
        </h2>
        <p className={css['quiet']}>{cell.member} keeps no entry here.</p>
      </div>
    );
  const object = entry?.object;
  const id = object && idOf(app, object);
  return (
    <div className={css['card']} data-testid="entry-card">
      <h2>
        Entry {cell.index} <small>term {term}</small>
      </h2>
      {entry && (
        <>
          {object ? (
            <p className={css['object']}>
              <b>{entry.verb}</b> {object.kind} <code>{object.namespace ? `${object.namespace}/${object.name}` : object.name}</code>
            </p>
          ) : (
            <p className={css['object']}>
              <b>{entry.verb}</b> {entry.about}
            </p>
          )}
          <div className={css['actions']}>
            {id !== undefined && (
              <button type="button" className={css['action']} onClick={() => app.ui.inspect(id, 'summary')}>
                Open in the inspector
              </button>
            )}
            {entry.cause > 0 && object && (
              <button type="button" className={css['action']} onClick={() => app.ui.openJourney(entry.cause)}>
                Its journey
              </button>
            )}
            {object && (
              <button
                type="button"
                className={css['action']}
                onClick={() =>
                  void app.world.why([object.kind, object.namespace, object.name].filter(Boolean).join('/')).then(
                    (steps) => setChain([...steps].sort((a, b) => a.fact.id - b.fact.id)),
                    () => setChain([]),
                  )
                }
              >
                Why was it written?
              </button>
            )}
          </div>
          {chain && (
            <ol className={css['chain']}>
              {chain.length === 0 && <li>The trace no longer reaches back that far.</li>}
              {chain.map((step) => (
                <li key={step.fact.id}>{step.sentence}</li>
              ))}
            </ol>
          )}
          <dl className={css['facts']}>
            {object && <Fact name="Key" value={entry.about} />}
            {entry.also.length > 0 && <Fact name="And" value={entry.also.join(', ')} />}
            <Fact name="Size" value={`${entry.size.toLocaleString('en')} bytes`} />
          </dl>
          {entry.value !== '' && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
            <pre className={css['value']} tabIndex={0} role="region" aria-label="Value">
              {pretty(entry.value)}
            </pre>
          )}
        </>
      )}
    </div>
  );
}

function pretty(value: string): string {
  try {
    return JSON.stringify(JSON.parse(value), undefined, 2);
  } catch {
    return value;
  }
}

/** What the page knows by this name and can show closely. */
function idOf(app: ReturnType<typeof useApp>, { kind, namespace, name }: NonNullable<EntryDetail['object']>): string | undefined {
  const { cluster } = app;
  const state = cluster.store.getState();
  if (kind === 'Node') return cluster.nodeNamed(name)?.uid;
  if (kind === 'Service') return state.services.has(`${namespace}/${name}`) ? `Service/${namespace}/${name}` : undefined;
  if (kind !== 'Pod') return undefined;
  const index = cluster.pods.records.findIndex((record) => record?.namespace === namespace && record.name === name);
  return index < 0 ? undefined : podThing(cluster, index)?.id;
}
