import { type App, useApp, useUi } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import type { Asked } from '../ui-store.ts';
import { IconButton } from './icon-button.tsx';
import css from './notices.module.css';

/** Answers that had no other place: mostly the API's refusals, with their code and in its own words. */
export function Toasts() {
  const app = useApp();
  const { ui } = app;
  const toasts = useUi((state) => state.toasts);
  return (
    <div className={css['toasts']} role="log" aria-label="Notices">
      {toasts.map((toast) => (
        <div key={toast.id} className={css['toast']} data-tone={toast.tone}>
          {toast.tone === 'error' && <Glyph status={3} size={16} label />}
          <div>
            {toast.code && <strong>{toast.code}</strong>}
            <p>{toast.text}</p>
            {toast.asked && (
              <button type="button" className={css['where']} onClick={() => void showWhere(app, toast.asked!)}>
                Show where it stopped
              </button>
            )}
          </div>
          <IconButton icon="close" label="Dismiss" size={14} onClick={() => ui.dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}

/** The newest refused request that was asked so; its journey ends at the station that said no. */
async function showWhere({ world, ui }: App, { method, url, code }: Asked): Promise<void> {
  const { requests } = await world.journeys({ outcome: 'refused', who: 'people', limit: 200 });
  const [path] = url.split('?');
  const found = requests.find((request) => request.method === method && request.code === code && request.path === path);
  if (found) ui.openJourney(found.id);
  else ui.toast('The trace no longer reaches back to that request.');
}
