import { useApp, useSession } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import css from './notices.module.css';

/** The simulator stopped by its own fault. What came before is told by the session, so it can be run again and reported. */
export function CrashBanner() {
  const app = useApp();
  const { context, value } = useSession();
  const { crash } = context;
  const report = crash
    ? JSON.stringify({ message: crash.message, stack: crash.stack, at: crash.at, events: crash.events, session: crash.session }, null, 1)
    : context.lost;
  return (
    <div className={css['crash']} role="alert" data-region="alert">
      <Glyph status={3} size={20} />
      <div>
        <h2>{crash && crash.events > 0 ? `Stopped at event ${crash.events.toLocaleString('en')}.` : 'The world could not be started.'}</h2>
        <p>
          {crash && crash.events > 0
            ? 'Nothing before it is lost: the report holds the whole session, and a restart begins it anew.'
            : crash
              ? 'It stopped before its first event.'
              : 'The page needs its worker to run. Reloading may help.'}
        </p>
        <pre>{crash?.message ?? context.lost}</pre>
        <div className={css['buttons']}>
          {crash && crash.events === 0 ? (
            // The same session would only fail again.
            <button type="button" className={css['primary']} onClick={() => location.assign(location.pathname)}>
              Open the default cluster
            </button>
          ) : value === 'crashed' ? (
            <button type="button" className={css['primary']} onClick={() => app.session.send({ type: 'restart' })}>
              Restart
            </button>
          ) : (
            <button type="button" className={css['primary']} onClick={() => location.reload()}>
              Reload
            </button>
          )}
          <button
            type="button"
            className={css['button']}
            onClick={() =>
              navigator.clipboard.writeText(report).then(
                () => app.ui.toast('The report is on the clipboard.'),
                () => app.ui.toast('The browser did not allow copying.', 'error'),
              )
            }
          >
            Copy report
          </button>
        </div>
      </div>
    </div>
  );
}
