/** Jobs: the server makes their selector from their uid, unless told not to (upstream pkg/registry/batch/job/strategy.go). */
import type { KubeObject } from '../../api/meta.ts';
import type { Job } from '../../api/types.gen.ts';
import type { Strategy } from './strategy.ts';

const UID = 'batch.kubernetes.io/controller-uid';
const NAME = 'batch.kubernetes.io/job-name';
/** The names the two labels had before 1.27; still set. */
const LEGACY_UID = 'controller-uid';
const LEGACY_NAME = 'job-name';

export const jobStrategy: Strategy = {
  counted: true,
  orphansByDefault: true,
  prepareCreate(object) {
    const job = object as Job;
    const { spec } = job;
    if (!spec || spec.manualSelector === true) return object;
    const uid = job.metadata.uid!;
    const name = job.metadata.name!;
    const { template } = spec;
    // What the template says itself stays; if it says something else, validation refuses it.
    const labels = { [LEGACY_NAME]: name, [NAME]: name, [LEGACY_UID]: uid, [UID]: uid, ...template?.metadata?.labels };
    return {
      ...job,
      spec: {
        ...spec,
        selector: { ...spec.selector, matchLabels: { [UID]: uid, ...spec.selector?.matchLabels } },
        template: { ...template, metadata: { ...template?.metadata, labels } },
      },
    } as KubeObject;
  },
};
