// biome-ignore-all lint/a11y/useSemanticElements: a region inside the stage needs no section
/** The same facts as words: the members, and what is on its way between them. For who reads rather than looks. */
import type { ConsensusMember, RaftFlight, WireWeather } from '../../hosts/protocol.ts';
import css from './consensus.module.css';
import { majority, reachable, roleWord, span, untilElection, weatherWords, wordsOf } from './sentences.ts';

export function MembersTable({
  members,
  cut,
  weather,
  onChoose,
  chosen,
}: {
  readonly members: readonly ConsensusMember[];
  readonly cut: readonly (readonly [string, string])[];
  readonly weather: readonly WireWeather[];
  readonly chosen: string | undefined;
  onChoose(name: string): void;
}) {
  // The leader that counts: the one of the newest term.
  const leader = members.filter(({ state, role }) => state === 'running' && role === 'Leader').sort((a, b) => b.term - a.term)[0];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
    <div className={css['tables']} data-region="table" tabIndex={0} role="region" aria-label="Members as a table">
      <table className={css['table']}>
        <thead>
          <tr>
            {['Member', 'Role', 'Term', 'Vote', 'Leader', 'Hears', 'Votes', 'Election in', 'Log', 'Committed', 'Applied', 'The leader knows', 'Faults'].map(
              (head) => (
                <th scope="col" key={head}>
                  {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {members.map((member) => {
            const runs = member.state === 'running';
            const known = leader?.progress.find((one) => one.member === member.name);
            const faults = [
              member.state === 'paused' ? 'paused' : '',
              member.disk === undefined ? '' : `disk ${span(member.disk)}`,
              member.clock === undefined ? '' : `clock ${member.clock / 1000}×`,
            ].filter(Boolean);
            return (
              <tr key={member.name} aria-selected={member.name === chosen} data-member-row={member.name}>
                <th scope="row">
                  <button type="button" onClick={() => onChoose(member.name)} className={css['link']}>
                    {member.name}
                  </button>
                </th>
                <td>{roleWord(member)}</td>
                <td>{member.term}</td>
                <td>{member.vote || '–'}</td>
                <td>{member.lead || '–'}</td>
                <td>{runs ? `${reachable({ members, cut }, member).length} of ${member.voters.length}, ${majority(member.voters.length)} needed` : '–'}</td>
                <td>{member.votes.length > 0 ? member.votes.map((vote) => `${vote.member} ${vote.granted ? 'yes' : 'no'}`).join(', ') : '–'}</td>
                <td>{runs && member.role !== 'Leader' && !member.learner ? span(untilElection(member)) : '–'}</td>
                <td>{`${member.first}–${member.last}`}</td>
                <td>{member.commit}</td>
                <td>{member.applied}</td>
                <td>{known ? `has ${known.match}, next ${known.next}, ${known.state.toLowerCase()}` : '–'}</td>
                <td>{faults.join(', ') || '–'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {weather.length > 0 && <p className={css['quiet']}>Foul wires: {weather.map((one) => `${one.from} → ${one.to} ${weatherWords(one)}`).join('; ')}.</p>}
      {cut.length > 0 && <p className={css['quiet']}>Messages do not arrive: {cut.map(([from, to]) => `${from} → ${to}`).join(', ')}.</p>}
    </div>
  );
}

/** Messages on their way, the next to arrive first; a list of fixed length, so that nothing below it moves. */
export function Messages({
  flights,
  now,
  chosen,
  onChoose,
  onKey,
}: {
  readonly flights: readonly RaftFlight[];
  readonly now: number;
  readonly chosen: number | undefined;
  onChoose(id: number): void;
  onKey(id: number, key: string): boolean;
}) {
  if (flights.length === 0) return <p className={css['quiet']}>Nothing is on its way at this moment.</p>;
  return (
    <table className={css['small']}>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">From → to</th>
          <th scope="col">Term</th>
          <th scope="col">Arrives in</th>
        </tr>
      </thead>
      <tbody>
        {flights.slice(0, 40).map((flight) => (
          <tr key={flight.id} aria-selected={flight.id === chosen} data-flight-row={flight.id}>
            <td>
              <button
                type="button"
                className={css['link']}
                onClick={() => onChoose(flight.id)}
                onKeyDown={(event) => {
                  if (!onKey(flight.id, event.key)) return;
                  event.preventDefault();
                  event.stopPropagation();
                }}
              >
                {wordsOf(flight)}
              </button>
            </td>
            <td>
              {flight.from} → {flight.to}
            </td>
            <td>{flight.term}</td>
            <td>{span(Math.max(0, flight.arrivesAt - now))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
