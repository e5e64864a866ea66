/** metrics-server as an add-on of a topology: the manifest that lies in the laptop's home, applied when the cluster is up. */
import type { KubeObject } from '../kubernetes/api/meta.ts';
import { loadDocuments } from '../kubernetes/api/yaml.ts';
import { LAPTOP_FILES } from './laptop-files.ts';

export const metricsServer = (): readonly KubeObject[] =>
  loadDocuments(LAPTOP_FILES['components.yaml'] ?? '').map(({ value }) => value as unknown as KubeObject);
