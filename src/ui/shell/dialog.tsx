// biome-ignore-all lint/a11y/useKeyWithClickEvents: the click outside has its key: Escape, which the dialog has of itself
import { type ReactNode, useEffect, useRef } from 'react';
import { useApp } from '../app-context.ts';
import css from './dialog.module.css';

/** A native modal dialog: the browser keeps the focus inside and gives it back. */
export function Dialog({ label, wide, children }: { label: string; wide?: boolean; children: ReactNode }) {
  const { ui } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = (): void => ui.set({ dialog: undefined });
  return (
    <dialog
      ref={dialog}
      className={css['dialog']}
      data-wide={wide}
      aria-label={label}
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      {children}
    </dialog>
  );
}
