import { useApp, useUi } from '../app-context.ts';
import css from './dialog.module.css';
import { Dialog } from './dialog.tsx';
import { IconButton } from './icon-button.tsx';
import { KEYS } from './keys.ts';

export function Help() {
  const { ui } = useApp();
  const reduced = useUi((state) => state.reduced);
  return (
    <Dialog label="Keys and help" wide>
      <header className={css['head']}>
        <h2>Keys</h2>
        <IconButton icon="close" label="Close" onClick={() => ui.set({ dialog: undefined })} />
      </header>
      <div className={css['columns']}>
        {KEYS.map((group) => (
          <section key={group.group}>
            <h3>{group.group}</h3>
            <dl>
              {group.keys.map((key) => (
                <div key={key.keys}>
                  <dt>
                    <kbd>{key.keys}</kbd>
                  </dt>
                  <dd>{key.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className={css['switch']}>
        <input type="checkbox" checked={reduced} onChange={(event) => ui.set({ reduced: event.target.checked })} /> Reduce motion, whatever the system says
      </label>
    </Dialog>
  );
}
