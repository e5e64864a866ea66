/** The one clock: play, step, speed, and what happened lately. Always there. */
import { useEffect, useState } from 'react';
import { clockText } from '../../hosts/connect.ts';
import { useApp, useCluster, useSession } from '../app-context.ts';
import { Icon } from '../look/icons.tsx';
import { isEtcdOnly } from '../map/layout.ts';
import { FASTEST, SLOWEST, speedOf, speedText } from '../session.ts';
import { IconButton } from '../shell/icon-button.tsx';
import { Lanes } from './lanes.tsx';
import css from './time-bar.module.css';

export function TimeBar() {
  const { session, cluster } = useApp();
  const { value, context } = useSession();
  const paused = value === 'paused';
  const dead = value === 'crashed' || value === 'lost';
  const factor = speedOf(context);
  const exponent = Math.log10(factor);
  return (
    <section className={css['bar']} data-region="time" aria-label="Time">
      <div className={css['buttons']}>
        <button
          type="button"
          className={css['play']}
          aria-label={paused ? 'Play' : 'Pause'}
          title={`${paused ? 'Play' : 'Pause'} (Space)`}
          disabled={dead || value === 'booting'}
          onClick={() => session.send({ type: 'toggle' })}
        >
          <Icon name={paused ? 'play' : 'pause'} size={18} />
        </button>
        <IconButton icon="step" label="Step to the next change" shortcut="." disabled={dead} onClick={() => session.send({ type: 'step', what: 'fact' })} />
      </div>
      <Clock
        state={
          dead ? 'stopped' : paused ? 'paused' : context.hurry !== undefined ? `booting, ${speedText(context.hurry)}` : value === 'booting' ? 'starting' : ''
        }
      />
      <div className={css['speed']}>
        <output htmlFor="speed">{speedText(factor)}</output>
        <input
          id="speed"
          type="range"
          min={SLOWEST}
          max={FASTEST}
          step={0.25}
          value={exponent}
          aria-label="Speed: virtual seconds per real second"
          aria-valuetext={speedText(factor)}
          onChange={(event) => session.send({ type: 'speed', factor: fromSlider(Number(event.target.value)) })}
        />
      </div>
      <IconButton icon="skip" label="Skip idle time" pressed={context.skipIdle} onClick={() => session.send({ type: 'skip idle', on: !context.skipIdle })} />
      {/* The lanes are of Kubernetes' events: a world of etcd alone has none. */}
      {!isEtcdOnly(cluster.topology) && <Lanes />}
    </section>
  );
}

/** Whole decades are exact; between them two digits are enough. */
const fromSlider = (exponent: number): number => Number((10 ** exponent).toPrecision(2));

function Clock({ state }: { state: string }) {
  const clock = useCluster((view) => view.clock);
  return (
    <div className={css['clock']}>
      <span className={css['time']} data-testid="time">
        t={clockText(clock.now)}
      </span>
      <span className={css['under']}>
        <span>event {clock.events.toLocaleString('en')}</span>
        <Lag lag={clock.lag} state={state} />
      </span>
    </div>
  );
}

/** Says so when the world cannot keep the pace that was asked for; small stutters are not worth a word. */
function Lag({ lag, state }: { lag: number; state: string }) {
  const late = lag > 500_000;
  const [said, setSaid] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSaid(late), 400);
    return () => clearTimeout(timer);
  }, [late]);
  if (state) return <b>{state}</b>;
  return said ? <b>running late: this machine cannot go faster</b> : null;
}
