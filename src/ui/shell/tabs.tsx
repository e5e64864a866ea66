import css from './tabs.module.css';

interface Tab<T extends string> {
  readonly id: T;
  readonly label: string;
}
/** A row of tabs with roving focus; arrows choose. */
export function Tabs<T extends string>({
  label,
  tabs,
  current,
  onChoose,
  panel,
}: {
  label: string;
  tabs: readonly Tab<T>[];
  current: T | undefined;
  onChoose(id: T): void;
  panel: string;
}) {
  const onKeyDown = (event: React.KeyboardEvent<HTMLDivElement>): void => {
    const at = tabs.findIndex((tab) => tab.id === current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length]!;
    onChoose(next.id);
    event.currentTarget.querySelector<HTMLElement>(`#${panel}-${next.id}`)?.focus();
  };
  return (
    <div className={css['tabs']} role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map((tab, i) => (
        <button
          key={tab.id}
          id={`${panel}-${tab.id}`}
          type="button"
          role="tab"
          className={css['tab']}
          aria-selected={tab.id === current}
          aria-controls={tab.id === current ? panel : undefined}
          tabIndex={tab.id === current || (current === undefined && i === 0) ? 0 : -1}
          data-label={tab.label}
          onClick={() => onChoose(tab.id)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}
