// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
/** The journey as tables: the same stations and the same that followed, for whoever reads rather than looks. */
import { clockText } from '../../hosts/connect.ts';
import type { Journey } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { rowsOf } from './followed.tsx';
import css from './journey.module.css';
import { codeText, microsText, nameText, plainLabel, STATE_WORDS } from './stage-words.ts';

export function JourneyTable({ journey }: { journey: Journey }) {
  const { ui } = useApp();
  const rows = rowsOf(journey.followed, () => true);
  return (
    <div className={css['tables']}>
      <table>
        <caption>Stations</caption>
        <thead>
          <tr>
            <th scope="col">Station</th>
            <th scope="col">State</th>
            <th scope="col">Stamp</th>
            <th scope="col">At</th>
            <th scope="col">Took (µs)</th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {journey.stages.map((stage) => (
            <tr key={stage.id} data-state={stage.state} aria-current={stage.id === journey.stage ? 'step' : undefined}>
              <th scope="row">{plainLabel(stage.id)}</th>
              <td>{STATE_WORDS[stage.state]}</td>
              <td>{stage.stamp}</td>
              <td>{stage.at === undefined ? '' : clockText(stage.at)}</td>
              <td>{stage.took === undefined ? '' : stage.took.toLocaleString('en')}</td>
              <td>{stage.by}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > 0 && (
        <table>
          <caption>What followed</caption>
          <thead>
            <tr>
              <th scope="col">Level</th>
              <th scope="col">Who or what</th>
              <th scope="col">Object</th>
              <th scope="col">Did</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ node, level }) => (
              <tr key={node.id}>
                <td>{level}</td>
                <th scope="row">
                  {node.request ? (
                    <button type="button" className={css['link']} onClick={() => ui.openJourney(node.id)}>
                      {node.title} {node.request.resource}
                    </button>
                  ) : (
                    node.title
                  )}
                </th>
                <td>{nameText(node.about)}</td>
                <td>{node.request ? codeText(node.request.code, node.request.reason) : node.steps.map(({ text }) => text).join('; ')}</td>
                <td>{microsText(node.at - journey.request.at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
