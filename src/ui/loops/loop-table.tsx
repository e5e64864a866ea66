// biome-ignore-all lint/a11y/useSemanticElements: a region inside the stage needs no section
/** The same as words: every loop in a row, for whoever reads rather than looks. */
import type { LoopRecord } from '../../hosts/protocol.ts';
import { Due } from './conveyor.tsx';
import css from './loops.module.css';
import { driftText, GROUP_WORDS, isAsleep, STATE_WORDS } from './words.ts';

const HEADS = ['Loop', 'Looks after', 'State', 'In line', 'Under way', 'Put off', 'Drift', 'Done', 'Failed', 'Writes', 'In 10 s', 'Part'];

export function LoopTable({
  records,
  chosen,
  onChoose,
}: {
  readonly records: readonly LoopRecord[];
  readonly chosen: string | undefined;
  onChoose(id: string): void;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
    <div className={css['tables']} tabIndex={0} role="region" aria-label="Loops as a table">
      <table className={css['table']}>
        <thead>
          <tr>
            {HEADS.map((head) => (
              <th scope="col" key={head}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {records.map((record) => (
            <tr key={record.id} aria-selected={record.id === chosen} data-loop-row={record.id}>
              <th scope="row">
                <button type="button" className={css['link']} onClick={() => onChoose(record.id)}>
                  {record.id}
                </button>
              </th>
              <td>{record.kind || 'many kinds'}</td>
              <td>{isAsleep(record) ? 'asleep' : STATE_WORDS[record.state]}</td>
              <td>
                {record.waitingCount}
                {record.waiting[0] && record.waiting[0].adds > 1 && `, ×${record.waiting[0].adds} merged`}
              </td>
              <td>{record.workingCount}</td>
              <td>
                {record.delayedCount}
                {record.delayed.length > 0 && (
                  <>
                    , next <Due record={record} />
                  </>
                )}
              </td>
              <td>{driftText(record.drift) || '0'}</td>
              <td>{record.counts.ended}</td>
              <td>{record.counts.failed}</td>
              <td>{record.counts.writes}</td>
              <td>{record.lately}</td>
              <td>{GROUP_WORDS[record.group]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
