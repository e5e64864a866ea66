/**
 * Parts of the page the first picture does without. They are fetched when the browser has nothing else to do, so that
 * who opens one later waits for nothing; who is quicker than that waits for the one part.
 */
import { type ComponentType, lazy, type ReactNode, Suspense, useState } from 'react';

type Bring = () => Promise<unknown>;
/** What keys typed at once must find there, and the rest. */
const early: Bring[] = [];
const parts: Bring[] = [];

/**
 * A component brought in when first shown, or by `fetchParts`; with `soon` by `fetchEarly`: a dialog that is typed into.
 * Until it is there, nothing stands in its place.
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, soon = false): (props: P) => ReactNode {
  let ready: ComponentType<P> | undefined;
  const bring = async (): Promise<{ default: ComponentType<P> }> => {
    ready ??= await load();
    return { default: ready };
  };
  const waiting = lazy(bring) as unknown as ComponentType<P>;
  (soon ? early : parts).push(bring);
  return (props) => <Part choose={() => ready ?? waiting} props={props} />;
}

/** What is there already is drawn at once: React shows what it had to wait for only some time after. */
function Part<P extends object>({ choose, props }: { readonly choose: () => ComponentType<P>; readonly props: P }) {
  const [Chosen] = useState(choose);
  return (
    <Suspense fallback={null}>
      <Chosen {...props} />
    </Suspense>
  );
}

/** Once the first picture stands. */
export const fetchEarly = (): void => fetchAll(early);
/** Once the cluster is up. */
export const fetchParts = (): void => fetchAll(parts);

/** One after the other, when the browser is idle. A failure is left to whoever opens the part. */
function fetchAll(all: readonly Bring[]): void {
  const idle = (then: () => void): unknown =>
    typeof requestIdleCallback === 'function' ? requestIdleCallback(then, { timeout: 5000 }) : setTimeout(then, 1000);
  const next = (i: number): void => {
    const part = all[i];
    if (part)
      idle(
        () =>
          void part().then(
            () => next(i + 1),
            () => next(i + 1),
          ),
      );
  };
  next(0);
}
