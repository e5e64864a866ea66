/** --overrides: JSON laid over a generated object (cmdutil.OverrideOptions). */
import type { Json } from '../../api/json.ts';
import { applyJsonPatch } from '../../api/json-patch.ts';
import { applyMergePatch, applyStrategicMergePatch } from '../../api/patch.ts';
import type { Kind } from '../../api/types.gen.ts';
import { parseYaml } from '../../api/yaml.ts';
import { KubectlError } from '../errors.ts';
import type { ObjectLike, Session } from '../session.ts';

export function withOverrides(session: Session, object: ObjectLike): ObjectLike {
  const given = session.flags.text('overrides');
  if (given === '') return object;
  let change: Json;
  try {
    change = parseYaml(given);
  } catch {
    throw new KubectlError(`Invalid JSON Patch`);
  }
  const value = object as unknown as Json;
  switch (session.flags.text('override-type')) {
    case 'json':
      return applyJsonPatch(value, change) as unknown as ObjectLike;
    case 'strategic':
      return applyStrategicMergePatch(object.kind as Kind, value, change) as unknown as ObjectLike;
    case 'merge':
      return applyMergePatch(value, change) as unknown as ObjectLike;
    default:
      throw new KubectlError(`invalid override type: ${session.flags.text('override-type')}`);
  }
}
