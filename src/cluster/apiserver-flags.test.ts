/** What flags of the API server ask for beyond what is always served. */
import { expect, test } from 'vitest';
import type { ProgramContext } from '../linux/program.ts';
import { optionsOfFlags } from './apiserver-flags.ts';

const of = async (...argv: string[]) => (await optionsOfFlags({ argv } as unknown as ProgramContext)).betas;
const DEVICES = ['resource.k8s.io/v1beta1', 'resource.k8s.io/v1beta2'];
const POLICIES = 'admissionregistration.k8s.io/v1alpha1';

test.each<[string[], readonly string[] | undefined]>([
  [[], undefined],
  [['--runtime-config=resource.k8s.io/v1beta1=true'], [DEVICES[0]!]],
  [['--runtime-config=resource.k8s.io/v1beta1=true,resource.k8s.io/v1beta2'], DEVICES],
  [['--runtime-config', 'api/beta=true'], DEVICES],
  [['--runtime-config=api/beta=true,resource.k8s.io/v1beta1=false'], [DEVICES[1]!]],
  [['--runtime-config=api/all=false'], []],
  // An alpha needs its gate too.
  [[`--runtime-config=${POLICIES}=true`], []],
  [[`--runtime-config=${POLICIES}=true`, '--feature-gates=MutatingAdmissionPolicy=true'], [POLICIES]],
  [
    ['--runtime-config=api/all=true', '--feature-gates=AllAlpha=true'],
    [...DEVICES, POLICIES],
  ],
])('%j', async (argv, expected) => {
  const betas = await of(...argv);
  expect(betas && [...betas]).toEqual(expected);
});

test('a value that is neither true nor false', () => expect(of('--runtime-config=api/beta=maybe')).rejects.toThrow('invalid value api/beta=maybe'));
