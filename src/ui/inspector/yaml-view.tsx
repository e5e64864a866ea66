/** The object as the API keeps it, read-only. A chunk of its own, since it brings the YAML printer. */
import { dump } from 'js-yaml';
import { useMemo, useState } from 'react';
import { useApp } from '../app-context.ts';
import { type Thing, urlOf } from '../objects.ts';
import { IconButton } from '../shell/icon-button.tsx';
import css from './inspector.module.css';
import { useObserved } from './use-observed.ts';

export default function YamlView({ thing }: { thing: Thing }) {
  const app = useApp();
  const url = urlOf(app.cluster, thing);
  const { answer, error } = useObserved(url);
  const [managed, setManaged] = useState(false);
  const yaml = useMemo(() => (answer ? toYaml(answer.text, managed) : ''), [answer, managed]);
  if (url === undefined) return <p className={css['quiet']}>This machine is no API object.</p>;
  if (error) return <p className={css['say']}>{error}</p>;
  if (!answer) return <p className={css['quiet']}>Reading…</p>;
  return (
    <>
      <div className={css['tools']}>
        <label>
          <input type="checkbox" checked={managed} onChange={(event) => setManaged(event.target.checked)} /> managed fields
        </label>
        <IconButton icon="copy" label="Copy YAML" onClick={() => void navigator.clipboard.writeText(yaml).then(() => app.ui.toast('Copied.'))} />
      </div>
      <pre className={css['code']}>{yaml}</pre>
    </>
  );
}

export function toYaml(text: string, managed: boolean): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (!managed && typeof value === 'object' && value !== null && 'metadata' in value) {
    const { managedFields: _, ...metadata } = value.metadata as Record<string, unknown>;
    value = { ...value, metadata };
  }
  return dump(value, { lineWidth: -1, noRefs: true });
}
