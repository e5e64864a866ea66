/** What the editor offers to begin with. A test holds them equal to the files in the laptop's `examples` folder. */
import configMap from './examples/configmap.yaml?raw';
import crashing from './examples/crashing.yaml?raw';
import deployment from './examples/deployment.yaml?raw';
import pod from './examples/pod.yaml?raw';
import service from './examples/service.yaml?raw';

export interface Example {
  readonly file: string;
  readonly label: string;
  readonly text: string;
}
export const EXAMPLES: readonly Example[] = [
  { file: 'deployment.yaml', label: 'Deployment', text: deployment },
  { file: 'service.yaml', label: 'Service', text: service },
  { file: 'pod.yaml', label: 'Pod', text: pod },
  { file: 'configmap.yaml', label: 'ConfigMap', text: configMap },
  { file: 'crashing.yaml', label: 'Crashing pod', text: crashing },
];
