import type { World } from '../../hosts/connect.ts';

/**
 * The YAML editor slot. Contract: default export, loaded when first shown; fills its parent; applies by server-side apply
 * through `world.request` and shows the API's own message at the line.
 */
export interface EditorProps {
  readonly world: World;
  /** YAML of the selected object to begin with, when there is one. */
  readonly initial: string | undefined;
  readonly visible: boolean;
}
export default function YamlEditor({ initial }: EditorProps) {
  return <pre style={{ padding: 16, margin: 0 }}>{initial ?? '# The editor is not built in yet.'}</pre>;
}
