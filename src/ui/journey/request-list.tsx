// biome-ignore-all lint/a11y/useSemanticElements: a listbox whose options carry more than text cannot be a select
// biome-ignore-all lint/a11y/useFocusableInteractive: the list holds the focus, options are pointed at
// biome-ignore-all lint/a11y/useKeyWithClickEvents: keys are the list's
/** The requests the API server was asked lately, newest first. While somebody is in the list nothing moves: what is new waits. */
import { useEffect, useRef, useState } from 'react';
import { clockText } from '../../hosts/connect.ts';
import type { JourneyQuery, JourneyRequest } from '../../hosts/protocol.ts';
import { Glyph } from '../look/glyph.tsx';
import css from './journey.module.css';
import { codeText, nameText, outcomeOf } from './stage-words.ts';
import { useRequests } from './use-journey.ts';

const LIMIT = 200;
type Who = 'people' | 'components' | '';

export function RequestList({ chosen, onChoose }: { chosen: number | undefined; onChoose(id: number): void }) {
  const [words, setWords] = useState('');
  const [verb, setVerb] = useState('');
  const [outcome, setOutcome] = useState('');
  const [who, setWho] = useState<Who>('people');
  const query: JourneyQuery = {
    limit: LIMIT,
    ...(words ? { words } : {}),
    ...(verb ? { verb } : {}),
    ...(outcome ? { outcome: outcome as 'accepted' } : {}),
    ...(who ? { who } : {}),
  };
  const latest = useRequests(query);
  const key = JSON.stringify(query);
  const [shown, setShown] = useState<{ readonly key: string; readonly requests: readonly JourneyRequest[]; readonly more: boolean }>();
  const [held, setHeld] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!latest) return;
    setShown((before) => {
      if (before && held && before.key === key) {
        // In place: answers arrive, rows stay.
        const byId = new Map(latest.requests.map((request) => [request.id, request]));
        return { ...before, requests: before.requests.map((request) => byId.get(request.id) ?? request) };
      }
      return { key, ...latest };
    });
  }, [latest, held, key]);
  const requests = shown?.requests ?? [];
  const newest = requests[0]?.id ?? 0;
  const waiting = held && latest ? latest.requests.filter(({ id }) => id > newest).length : 0;
  const at = requests.findIndex(({ id }) => id === chosen);
  const filtered = words !== '' || verb !== '' || outcome !== '' || who !== '';
  const clear = (): void => {
    setWords('');
    setVerb('');
    setOutcome('');
    setWho('');
  };
  const go = (to: number): void => {
    const request = requests[Math.max(0, Math.min(requests.length - 1, to))];
    if (!request) return;
    onChoose(request.id);
    list.current?.querySelector(`#request-${request.id}`)?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, Home: 0, End: requests.length - 1, PageDown: at + 10, PageUp: at - 10 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  return (
    <section
      className={css['requests']}
      aria-label="Requests"
      data-region="requests"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
    >
      <header className={css['filters']}>
        <input
          type="search"
          aria-label="Words in a request"
          placeholder="pods web create 403"
          value={words}
          spellCheck={false}
          onChange={(event) => setWords(event.target.value)}
        />
        <div>
          <select aria-label="Who asked" value={who} onChange={(event) => setWho(event.target.value as Who)}>
            <option value="people">People</option>
            <option value="components">Components</option>
            <option value="">Everybody</option>
          </select>
          <select aria-label="Verb" value={verb} onChange={(event) => setVerb(event.target.value)}>
            <option value="">Any verb</option>
            {['create', 'update', 'patch', 'delete', 'get', 'list', 'watch', 'deletecollection'].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
          <select aria-label="Outcome" value={outcome} onChange={(event) => setOutcome(event.target.value)}>
            <option value="">Any end</option>
            <option value="accepted">Accepted</option>
            <option value="refused">Refused</option>
            <option value="waiting">Under way</option>
          </select>
        </div>
        <p role="status">
          {waiting > 0 ? (
            <button type="button" onClick={() => latest && setShown({ key, ...latest })}>
              {waiting} newer
            </button>
          ) : (
            `${requests.length}${shown?.more ? ' latest' : ''} ${requests.length === 1 ? 'request' : 'requests'}`
          )}
        </p>
      </header>
      {requests.length > 0 ? (
        <div
          ref={list}
          className={css['list']}
          role="listbox"
          aria-label="Requests, newest first"
          tabIndex={0}
          aria-activedescendant={at >= 0 ? `request-${chosen}` : undefined}
          onKeyDown={onKeyDown}
          onFocus={() => setHeld(true)}
          onBlur={() => setHeld(false)}
        >
          {requests.map((request) => (
            <div
              key={request.id}
              id={`request-${request.id}`}
              role="option"
              aria-selected={request.id === chosen}
              className={css['request']}
              onClick={() => onChoose(request.id)}
            >
              <Glyph status={outcomeOf(request.code)} size={14} />
              <span>
                <strong>
                  {request.verb} {request.resource}
                </strong>
                <code>{nameText(request.about) || request.path}</code>
                <small>
                  {request.user || 'nobody'} · {clockText(request.at)}
                </small>
              </span>
              <em>{request.code ?? '…'}</em>
              <span className="visually-hidden">{codeText(request.code, request.reason)}</span>
            </div>
          ))}
        </div>
      ) : (
        <div className={css['quiet']}>
          <p>{!shown ? 'Reading…' : filtered ? 'No request matches.' : 'Nothing has been asked yet.'}</p>
          {shown && filtered && (
            <button type="button" className={css['button']} onClick={clear}>
              Show everybody’s
            </button>
          )}
        </div>
      )}
    </section>
  );
}
