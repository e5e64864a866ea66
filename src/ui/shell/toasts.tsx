import { useApp, useUi } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { IconButton } from './icon-button.tsx';
import css from './notices.module.css';

/** Answers that had no other place: mostly the API's refusals, with their code and in its own words. */
export function Toasts() {
  const { ui } = useApp();
  const toasts = useUi((state) => state.toasts);
  return (
    <div className={css['toasts']} role="log" aria-label="Notices">
      {toasts.map((toast) => (
        <div key={toast.id} className={css['toast']} data-tone={toast.tone}>
          {toast.tone === 'error' && <Glyph status={3} size={16} label />}
          <div>
            {toast.code && <strong>{toast.code}</strong>}
            <p>{toast.text}</p>
          </div>
          <IconButton icon="close" label="Dismiss" size={14} onClick={() => ui.dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}
