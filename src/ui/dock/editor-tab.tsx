/** Brings the selected object's YAML to the editor. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { useApp, useUi } from '../app-context.ts';
import { toYaml } from '../inspector/yaml-view.tsx';
import { thingOf, urlOf } from '../objects.ts';

const YamlEditor = lazy(() => import('../editor/editor.tsx'));

export default function EditorTab({ visible }: { visible: boolean }) {
  const { cluster, world } = useApp();
  const selected = useUi((state) => state.selected);
  const [initial, setInitial] = useState<string>();
  useEffect(() => {
    const thing = thingOf(cluster, selected);
    const url = thing && urlOf(cluster, thing);
    if (!url || !visible) return;
    let stopped = false;
    world.observe({ method: 'GET', url, headers: { accept: 'application/json' } }).then(
      (answer) => !stopped && answer.status === 200 && setInitial(toYaml(answer.text, false)),
      () => undefined,
    );
    return () => {
      stopped = true;
    };
  }, [cluster, world, selected, visible]);
  return (
    <Suspense fallback={null}>
      <YamlEditor world={world} initial={initial} visible={visible} />
    </Suspense>
  );
}
