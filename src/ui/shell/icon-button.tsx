import { Icon, type IconName } from '../look/icons.tsx';
import css from './icon-button.module.css';

interface Props {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: (event: React.MouseEvent<HTMLButtonElement>) => void;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly disabled?: boolean;
  readonly size?: number;
  readonly shortcut?: string;
}

export function IconButton({ icon, label, onClick, pressed, expanded, disabled, size = 16, shortcut }: Props) {
  return (
    <button
      type="button"
      className={css['button']}
      aria-label={label}
      title={shortcut ? `${label} (${shortcut})` : label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} size={size} />
    </button>
  );
}
