/** What the editor offers to begin with: the files of the laptop's `examples` folder. */
import { SAMPLES } from '../../kubernetes/api/samples.ts';

export interface Example {
  readonly file: keyof typeof SAMPLES;
  readonly label: string;
  readonly text: string;
}
const LABELS: readonly (readonly [file: keyof typeof SAMPLES, label: string])[] = [
  ['deployment.yaml', 'Deployment'],
  ['service.yaml', 'Service'],
  ['pod.yaml', 'Pod'],
  ['configmap.yaml', 'ConfigMap'],
  ['crashing.yaml', 'Crashing pod'],
];
export const EXAMPLES: readonly Example[] = LABELS.map(([file, label]) => ({ file, label, text: SAMPLES[file] }));
