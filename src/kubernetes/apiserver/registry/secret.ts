/** Secrets: stringData is for writing only; it is stored as data (upstream pkg/apis/core/v1/conversion.go). */
import type { KubeObject } from '../../api/meta.ts';
import type { Secret } from '../../api/types.gen.ts';
import { base64 } from '../base64.ts';
import type { Strategy } from './strategy.ts';

function withData(object: KubeObject): KubeObject {
  const { stringData, ...secret } = object as Secret;
  if (!stringData) return object;
  const data: Record<string, string> = { ...secret.data };
  for (const [key, text] of Object.entries(stringData)) data[key] = base64(text);
  return { ...secret, data } as KubeObject;
}

export const secretStrategy: Strategy = { prepareCreate: withData, prepareUpdate: withData };
