import { Icon } from '../look/icons.tsx';
import css from './map.module.css';

export interface Beyond {
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
}
const SIDES = ['left', 'right', 'up', 'down'] as const;

/** New things came to be outside the view: the camera stays, an arrow says where. */
export function EdgeArrows({ beyond, onGo }: { beyond: Beyond; onGo(): void }) {
  return SIDES.filter((side) => beyond[side] > 0).map((side) => (
    <button
      key={side}
      type="button"
      className={`${css['arrow']} ${css[side]}`}
      onClick={onGo}
      aria-label={`${beyond[side]} new ${side === 'up' ? 'above' : side === 'down' ? 'below' : `to the ${side}`}: show everything`}
    >
      <Icon name={side} size={14} />
      {beyond[side]} new
    </button>
  ));
}
