/** What would help a pending pod: each was tried on a copy of the cluster, and those that one command does can be done here. */
import type { Scheduling } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { typeCommand } from '../terminal/typing.ts';
import css from './scheduler.module.css';

export function Fixes({ now, gated }: { readonly now: NonNullable<Scheduling['now']>; readonly gated: boolean }) {
  const app = useApp();
  const run = (command: string): void => {
    app.ui.openDock('terminal');
    typeCommand(app.world, app.terminal, command);
  };
  return (
    <section className={css['block']} aria-label="What would help">
      <header>
        <h3>What would help</h3>
        <p>
          {now.node !== undefined && !gated
            ? `As things stand now it would go to ${now.node} at its next attempt.`
            : now.fixes.length > 0
              ? 'Each was tried on a copy of the cluster as it is now.'
              : 'Nothing that was tried is enough by itself.'}
        </p>
      </header>
      {now.shortOf.length > 0 && (
        <ul className={css['short']}>
          {now.shortOf.map(({ resource, need, maxFree, maxFreeNode }) => (
            <li key={resource}>
              <b>{resource}</b>: it asks for {need}; the most that is free is {maxFree}, on {maxFreeNode}
            </li>
          ))}
        </ul>
      )}
      <ul className={css['fixes']}>
        {now.fixes.map(({ what, node, command }) => (
          <li key={what}>
            <span>
              <b>{what}</b>
              <small>then it goes to {node}</small>
              {command && <code>{command.length > 160 ? `${command.slice(0, 157)}…` : command}</code>}
            </span>
            {command ? (
              <button type="button" className={css['button']} aria-label={`Do it: ${what}`} onClick={() => run(command)}>
                Do it
              </button>
            ) : (
              <small className={css['told']}>no single command does this</small>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
